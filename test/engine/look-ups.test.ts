import "../support/await-pulumi-cli";
import { delimiter, join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { getAgbSessions, getAgbSessionsOutput } from "../../provider";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { createContext, createId } from "../support/emulator-requests";
import { makeTemporaryFolder } from "../support/node-process";
import { pulumiCli } from "../support/pulumi-cli";
import { createPulumiProject, javascriptFiles } from "../support/pulumi-project";
import { setVariable } from "../support/set-variable";
import { changesIn, resourceTexts } from "../support/stack-state";

jest.setTimeout(600_000);

const minuteMs = 60_000;

// The steps are those that the README of the example tells.
test("the example finds sessions, a context and a link: up, nothing to do, edit, a session more, release, destroy", async () => {
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"] });
  const contextId = await createContext(emulator.url, "build-cache");
  const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  const project = closeAfterTest(await createPulumiProject({ example: "look-ups", environment }));
  await project.configure({ context: "build-cache" });
  const links: string[] = [];
  const outputs = async () => {
    const { link, ...others } = await project.outputs();
    expect(link).toBe("[secret]");
    links.push((await project.succeed("stack", "output", "link", "--show-secrets")).stdout.trim());
    return others;
  };

  // Before the session exists, AGB is asked for the context alone.
  await project.succeed("preview");
  const { GetContext, GetLabel, getLink } = emulator.requestCounts();
  expect([GetLabel, getLink]).toEqual([undefined, undefined]);
  expect(GetContext).toBeGreaterThan(0);

  expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
  const first = await outputs();
  expect(first).toEqual({
    sessionId: first["sessionId"],
    sessionIds: [first["sessionId"]],
    stacks: ["test"],
    contextId,
  });

  // A preview asks too, and a new link is no change of a resource.
  await project.succeed("preview", "--expect-no-changes");
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
  // Pulumi encrypts the outputs of the stack again each time.
  const sessionText = async () =>
    Object.values(resourceTexts(await project.exportState())).filter((text) => text.includes("dynamic/agb:AgbSession"));
  const before = await sessionText();
  expect(before).toHaveLength(1);
  await emulator.advanceClock(4 * minuteMs);
  await project.refresh("--expect-no-changes");
  expect(await sessionText()).toEqual(before);
  expect(await outputs()).toEqual(first);
  expect(new Set(links).size).toBe(2);

  // The refresh was a use of the session, because of keepAlive.
  await emulator.advanceClock(4 * minuteMs);
  expect(emulator.sessions()).toHaveLength(1);

  // A session more, which no stack declares.
  const other = await createId(emulator.url, { project: "shop" });
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
  expect(await outputs()).toMatchObject({
    sessionIds: [first["sessionId"], other].sort(),
    stacks: expect.arrayContaining(["test", "none"]),
  });

  await project.configure({ project: "forum" });
  expect(changesIn((await project.up()).stdout)).toEqual({ updated: 1, unchanged: 2 });
  expect(await outputs()).toMatchObject({ sessionIds: [first["sessionId"]], stacks: ["test"] });

  // Without a refresh the program still has the id of a session that is gone.
  await emulator.release(first["sessionId"]);
  const failed = await project.run("up", "--yes", "--skip-preview", "--refresh=false");
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stdout + failed.stderr).toMatch(
    /AgbSession "web": could not get a link to port 30100 of session \S+: no session.*pulumi up --refresh.*\[AGB404\]/s,
  );
  expect(failed.stdout + failed.stderr).not.toMatch(/\n\s+at /);
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1 });
  const recreated = await outputs();
  expect(recreated["sessionId"]).not.toBe(first["sessionId"]);
  expect(recreated).toMatchObject({ sessionIds: [recreated["sessionId"]] });

  const state = JSON.stringify(await project.exportState());
  for (const link of links) {
    expect(link).toMatch(/^https:/);
    expect(state).not.toContain(link);
    expect(state).not.toContain(new URL(link).search);
  }
  await project.destroy();
  expect(emulator.sessions().map(({ sessionId }) => sessionId)).toEqual([other]);
  // Only `stack output` printed the links, because it was asked to.
  const shown = project
    .transcript()
    .split("\n")
    .filter((line) => links.some((link) => line.includes(link)));
  expect(shown).toEqual(links);
});

/** Looks up the session of one account for a resource of another, and reads every output of a session that was looked up. */
const twoAccounts = `
  const pulumi = require("@pulumi/pulumi");
  const { AgbProvider, AgbSession, getAgbSession, getAgbSessionOutput, getAgbSessionsOutput } = require("pulumi-agb");
  const config = new pulumi.Config();
  const open = (name) => new AgbProvider(name, { apiKey: config.requireSecret(name + "Key"), endpoint: config.require(name) });
  const [left, right] = [open("left"), open("right")];
  const found = AgbSession.get("found", config.require("sessionId"), { provider: left });
  const ofLeft = getAgbSessionsOutput({}, { provider: left });
  const copy = new AgbSession("copy", {
    imageId: "agb-code-space-1",
    labels: { original: ofLeft.sessionIds.apply(([id]) => id) },
  }, { provider: right });
  exports.found = { id: found.sessionId, labels: found.labels, labelsAll: found.labelsAll, appInstanceId: found.appInstanceId,
    resourceId: found.resourceId, link: found.link(30100) };
  exports.copy = getAgbSessionOutput({ sessionId: copy.sessionId }, { parent: copy }).labels;
  exports.missing = getAgbSession({ sessionId: "session-nowhere" }, { provider: right }).catch((error) => error.message);
`;

test("with two providers a look-up asks the right account, and a resource may use what it finds", async () => {
  const left = await startTestEmulator({ apiKeys: ["left-key", "test-key"] });
  const right = await startTestEmulator({ apiKeys: ["right-key", "test-key"] });
  const sessionId = await createId(left.url, { team: "web", "pulumi-stack": "other" });
  const project = closeAfterTest(await createPulumiProject({ files: javascriptFiles(twoAccounts) }));
  await project.configure({
    left: left.url,
    leftKey: { secret: "left-key" },
    right: right.url,
    rightKey: { secret: "right-key" },
    sessionId,
  });
  await project.succeed("preview");
  await project.up();
  const outputs = await project.outputs();
  expect(outputs["found"]).toEqual({
    id: sessionId,
    labels: { team: "web" },
    labelsAll: { team: "web", "pulumi-stack": "other" },
    appInstanceId: expect.any(String),
    resourceId: expect.any(String),
    // Pulumi keeps what follows from a secret secret.
    link: "[secret]",
  });
  expect(outputs["copy"]).toEqual({ original: sessionId });
  expect(outputs["missing"]).toContain(`no session with this id exists at ${right.url}`);
  await project.succeed("preview", "--expect-no-changes");
  expect(project.transcript()).not.toMatch(/(left|right)-key/);

  // A wrong port fails the preview, although nothing waits for the link of a session that does not exist yet.
  const wrongPort = 'new (require("pulumi-agb").AgbSession)("later", { imageId: "agb-code-space-1" }).link(8080);';
  await project.write("index.js", `${twoAccounts}\n${wrongPort}`);
  const preview = await project.run("preview");
  expect(preview.exitCode).not.toBe(0);
  const shown = preview.stdout + preview.stderr;
  expect(shown).toMatch(
    /AgbSession "later": wrong arguments: port: must be a whole number from 30100 to 30199.*\[AGB961\]/,
  );
  expect(shown).not.toMatch(/\n\s+at /);
  await project.write("index.js", twoAccounts);

  await left.release(sessionId);
  const failed = await project.run("up", "--yes", "--skip-preview");
  expect(failed.exitCode).not.toBe(0);
  expect(failed.stdout + failed.stderr).toMatch(/AgbSession.*no session with this id exists.*\[AGB314\]/s);
  await project.destroy();
  expect(right.sessions()).toEqual([]);
});

test("inline programs that run at the same time ask each its own account, and leave nothing behind", async () => {
  const accounts = await Promise.all(
    ["one", "two"].map(async (name) => {
      const emulator = await startTestEmulator({ apiKeys: [`${name}-key`, "test-key"] });
      return { name, emulator, sessionId: await createId(emulator.url) };
    }),
  );
  const folder = await makeTemporaryFolder();
  const { binDirectory } = await pulumiCli();
  setVariable("PATH", [binDirectory, process.env["PATH"]].join(delimiter));
  const runs = accounts.map(async ({ name, emulator }) => {
    const stack = await LocalWorkspace.createOrSelectStack(
      {
        projectName: `inline-${name}`,
        stackName: "test",
        program: async () => ({
          plain: (await getAgbSessions()).sessionIds,
          output: getAgbSessionsOutput().sessionIds,
        }),
      },
      {
        envVars: {
          PULUMI_BACKEND_URL: `file://${folder}`,
          PULUMI_HOME: join(folder, name),
          PULUMI_CONFIG_PASSPHRASE: "",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
    await stack.setConfig("agb:apiKey", { value: `${name}-key`, secret: true });
    await stack.setConfig("agb:endpoint", { value: emulator.url });
    return (await stack.up()).outputs;
  });
  for (const [index, outputs] of (await Promise.all(runs)).entries()) {
    const ids = [accounts[index]?.sessionId];
    expect([outputs["plain"]?.value, outputs["output"]?.value]).toEqual([ids, ids]);
  }
});
