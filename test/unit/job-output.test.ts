import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pulumiEnvironment, readJobSettings } from "../../provider/cli/environment";
import { openJobOutput } from "../../provider/forge/job-output";
import { makeTemporaryFolder } from "../support/node-process";

let printed: string[];

beforeEach(() => {
  printed = [];
  for (const stream of ["log", "error"] as const) {
    jest.spyOn(console, stream).mockImplementation((...texts: unknown[]) => void printed.push(texts.join(" ")));
  }
  jest.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
});

afterEach(() => {
  jest.restoreAllMocks();
});

test("outside a job there is only the log", async () => {
  const output = openJobOutput(readJobSettings({ GITHUB_STEP_SUMMARY: "" }));
  output.say("a line");
  output.warn("something", "AGB724");
  await output.summarize("# text");
  await output.publish("stack", "pr-1");
  expect(printed).toEqual(["a line", "warning: something [AGB724]"]);
});

test("in a job of GitHub Actions there are a summary, outputs and annotations", async () => {
  const folder = await makeTemporaryFolder();
  const [summary, outputs] = [join(folder, "summary"), join(folder, "outputs")];
  const settings = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs };
  const output = openJobOutput(readJobSettings(settings));
  output.warn("100 %\nof it", "AGB724");
  await output.summarize("# one");
  await output.summarize("# two");
  await output.publish("stack", "pr-1");
  await output.publish("session-ids", "{}");
  expect(printed).toEqual(["::warning::100 %25%0Aof it [AGB724]"]);
  expect(await readFile(summary, "utf8")).toBe("# one\n# two\n");
  expect(await readFile(outputs, "utf8")).toBe("stack=pr-1\nsession-ids={}\n");
});

test("a value from elsewhere cannot start a line, where it could be a command to the CI system", () => {
  openJobOutput(readJobSettings({})).say("label\n::add-mask::x\r\u001b[31m");
  expect(printed).toEqual(["label\\n::add-mask::x\\r\\u001b[31m"]);
});

describe("in a job of GitHub Actions", () => {
  const output = () => openJobOutput(readJobSettings({ GITHUB_ACTIONS: "true" }));
  /** What the runner would treat as commands, in the two forms that it knows. */
  const commandsIn = (lines: readonly string[]) => {
    const found: string[] = [];
    let token: string | undefined;
    for (const line of lines.join("\n").split("\n")) {
      if (token !== undefined) {
        token = line === `::${token}::` ? undefined : token;
        continue;
      }
      const isCommand = line.trimStart().startsWith("::") || line.includes("##[");
      token = /^::stop-commands::(.+)$/.exec(line)?.[1];
      if (isCommand && token === undefined) {
        found.push(line);
      }
    }
    expect(token).toBeUndefined();
    return found;
  };
  const hostile = "::add-mask::a\r\n  ::add-mask::b ##[add-mask]c";

  test("a line from elsewhere is never a command", () => {
    output().say(hostile);
    output().say("a::b");
    expect(commandsIn(printed)).toEqual([]);
    expect(printed[1]).toBe("a::b");
  });

  test("an error is one annotation, however many lines it has", () => {
    output().fail(`failed:\n${hostile}`, "AGB603");
    expect(commandsIn(printed)).toEqual([
      "::error::failed:%0A: :add-mask::a\\r%0A  : :add-mask::b ## [add-mask]c [AGB603]",
    ]);
  });

  test("text from elsewhere is shown unchanged, and nothing in it is a command", () => {
    output().show(hostile);
    expect(printed).toContain(hostile);
    expect(commandsIn(printed)).toEqual([]);
  });

  test("the output of another program is never a command, but warnings in between are", async () => {
    const { enclose, warn } = output();
    const result = await enclose(async () => {
      printed.push(hostile);
      warn("it takes long", "AGB724");
      printed.push(hostile);
      return 7;
    });
    expect(result).toBe(7);
    expect(commandsIn(printed)).toEqual(["::warning::it takes long [AGB724]"]);
    await expect(enclose(() => Promise.reject(new Error("boom")))).rejects.toThrow("boom");
    warn("over", "AGB724");
    expect(commandsIn(printed).at(-1)).toBe("::warning::over [AGB724]");
    expect(new Set(printed.filter((line) => line.startsWith("::stop-commands::"))).size).toBe(3);
  });
});

test("outside GitHub Actions errors are plain, without commands to another CI system, and text is unchanged", async () => {
  const output = openJobOutput(readJobSettings({}));
  output.fail("failed:\n::a", "AGB603");
  output.show("::b\n");
  expect(await output.enclose(async () => 1)).toBe(1);
  expect(printed).toEqual(["failed:\n: :a [AGB603]", "::b\n"]);
});

test("Pulumi takes the secrets provider from the state, unless the user says otherwise", () => {
  const name = "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER";
  expect(pulumiEnvironment({ PATH: "/bin" })).toMatchObject({ PATH: "/bin", [name]: "true" });
  expect(pulumiEnvironment({ [name]: "false" })).toMatchObject({ [name]: "false" });
});
