import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pulumiEnvironment, readJobSettings } from "../../provider/config";
import { openJobOutput } from "../../provider/forge/job-output";
import { makeTemporaryFolder } from "../support/node-process";

let printed: string[];

beforeEach(() => {
  printed = [];
  jest.spyOn(console, "log").mockImplementation((line) => printed.push(line));
});

afterEach(() => {
  jest.restoreAllMocks();
});

test("outside of a job there is only the log", async () => {
  const output = openJobOutput(readJobSettings({ GITHUB_STEP_SUMMARY: "" }));
  output.say("a line");
  output.warn("something");
  await output.summarize("# text");
  await output.publish("stack", "pr-1");
  expect(printed).toEqual(["a line", "warning: something"]);
});

test("in a job of GitHub Actions there are a summary, outputs and annotations", async () => {
  const folder = await makeTemporaryFolder();
  const [summary, outputs] = [join(folder, "summary"), join(folder, "outputs")];
  const settings = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
  const output = openJobOutput(readJobSettings(settings));
  output.warn("100 %\nof it");
  await output.summarize("# one");
  await output.summarize("# two");
  await output.publish("stack", "pr-1");
  await output.publish("session-ids", "{}");
  expect(printed).toEqual(["::warning::100 %25%0Aof it"]);
  expect(await readFile(summary, "utf8")).toBe("# one\n# two\n");
  expect(await readFile(outputs, "utf8")).toBe("stack=pr-1\nsession-ids={}\n");
});

test("a value from elsewhere begins no line of its own, which could be a command of the CI system", () => {
  openJobOutput(readJobSettings({})).say("label\n::add-mask::x\r\u001b[31m");
  expect(printed).toEqual(["label ::add-mask::x [31m"]);
});

test("Pulumi takes what secrets are encrypted with from the state, unless the user says otherwise", () => {
  const name = "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER";
  expect(pulumiEnvironment({ PATH: "/bin" })).toMatchObject({ PATH: "/bin", [name]: "true" });
  expect(pulumiEnvironment({ [name]: "false" })).toMatchObject({ [name]: "false" });
});
