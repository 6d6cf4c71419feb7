// Contexts and the sessions that mount them, with the real engine. Engine runs are dear, so each test is a long story.

import "../support/await-pulumi-cli";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { contextCall, createContext, download, runShell, upload } from "../support/emulator-requests";
import { createPulumiProject, javascriptFiles, readTextsBelow } from "../support/pulumi-project";
import { changesIn, resourceTexts, sessionIdsOf } from "../support/stack-state";

jest.setTimeout(600_000);

/** A program that declares contexts and sessions by name; `$name` stands for the id of a context. */
function program(contexts: Record<string, unknown>, sessions: Record<string, unknown> = {}, lookUp?: string): string {
  return `
    const { AgbContext, AgbSession } = require("pulumi-agb");
    const contexts = {};
    for (const [name, args] of Object.entries(${JSON.stringify(contexts)})) {
      contexts[name] = new AgbContext(name, args);
    }
    for (const [name, { contextSyncs, ...args }] of Object.entries(${JSON.stringify(sessions)})) {
      new AgbSession(name, {
        ...args,
        contextSyncs: contextSyncs.map((sync) => ({ ...sync, contextId: contexts[sync.contextId.slice(1)].contextId })),
      });
    }
    const lookUp = ${JSON.stringify(lookUp ?? null)};
    exports.found = lookUp && AgbContext.get("found", lookUp).name;
    exports.contextIds = Object.fromEntries(Object.entries(contexts).map(([name, { contextId }]) => [name, contextId]));
    exports.names = Object.fromEntries(Object.entries(contexts).map(([name, context]) => [name, context.name]));
  `;
}

async function openProject(files: Record<string, string>) {
  // The second key is that of the plain requests that store files.
  const emulator = await startTestEmulator({ apiKeys: [testKey, "test-key"], allowExec: true });
  const project = closeAfterTest(
    await createPulumiProject({ files, environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url } }),
  );
  const write = (...parameters: Parameters<typeof program>) => project.write("index.js", program(...parameters));
  /** Runs a command that must fail, and gives all that it printed. */
  const fail = async (command: string, ...parameters: string[]) => {
    const { exitCode, stdout, stderr } = await project.run(command, ...parameters);
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).not.toMatch(/Unhandled|node_modules|This is a defect|\n\s+at /);
    return stdout + stderr;
  };
  const failUp = () => fail("up", "--yes", "--skip-preview");
  const names = () => Object.fromEntries(emulator.contexts().map(({ contextId, name }) => [contextId, name]));
  return { emulator, project, write, fail, failUp, names };
}

test("a context is made or taken over, renamed in place, repaired, looked up and recreated", async () => {
  const { emulator, project, write, fail, failUp, names } = await openProject(
    javascriptFiles(program({ data: { name: "shop-data" } })),
  );
  const strangerId = await createContext(emulator.url, "shop-data");

  const taken = await failUp();
  expect(taken).toContain(`a context with the name "shop-data" already exists (${strangerId})`);
  expect(taken).toContain("set `adopt: true`");

  await write({ data: { name: "shop-data", adopt: true } });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1 });
  expect(await project.outputs()).toMatchObject({ contextIds: { data: strangerId }, names: { data: "shop-data" } });
  await project.succeed("preview", "--expect-no-changes");
  const before = resourceTexts(await project.exportState());
  await project.refresh("--expect-no-changes");
  expect(resourceTexts(await project.exportState())).toEqual(before);

  await write({ data: { name: "shop-files", adopt: true } });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  expect(names()).toEqual({ [strangerId]: "shop-files" });
  expect(await project.outputs()).toMatchObject({ contextIds: { data: strangerId }, names: { data: "shop-files" } });

  await contextCall(emulator.url, "ModifyContext", { id: strangerId, name: "stranger" });
  const { stdout: drift } = await project.succeed("preview", "--diff");
  expect(drift).toMatch(/name *: "stranger" => "shop-files"/);
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  expect(names()).toEqual({ [strangerId]: "shop-files" });

  await write({ data: { name: "shop-files", adopt: true } }, {}, strangerId);
  await project.up();
  expect(await project.outputs()).toMatchObject({ found: "shop-files" });
  await write({ data: { name: "shop-files", adopt: true } }, {}, "SdkCtx-never");
  expect(await failUp()).toContain("Look up a context that exists");

  await write({ data: { name: "shop-files", adopt: true }, other: { name: "shop-files" } });
  // The engine checks both at the same time, so either may come second.
  expect(await fail("preview")).toMatch(
    /name: "(data|other)" already declares a context with this name; declare it once/,
  );

  await write({ data: { name: "shop-files", adopt: true } });
  await contextCall(emulator.url, "DeleteContext", { id: strangerId });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1 });
  const { contextIds } = await project.outputs();
  expect(names()).toEqual({ [contextIds.data]: "shop-files" });
  expect(contextIds.data).not.toBe(strangerId);

  // The old resource is deleted after the new one took its context over.
  await write({ files: { name: "shop-files", adopt: true } });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ created: 1, deleted: 1 });
  expect(names()).toEqual({ [contextIds.data]: "shop-files" });

  emulator.setApiKeys(["another-key"]);
  for (const command of ["refresh", "up", "destroy"]) {
    expect(await fail(command, "--yes", "--skip-preview")).toContain("Check that the API key from AGB_API_KEY");
  }
  emulator.setApiKeys([testKey, "test-key"]);
  await project.destroy();
  expect(names()).toEqual({});
});

test("a session keeps its files through replacements, and destroy deletes them only by force and after the session", async () => {
  const image = { imageId: "agb-code-space-1" };
  const syncs = [
    { contextId: "$data", path: "/home/user/data" },
    { contextId: "$cache", path: "/home/user/cache" },
  ];
  const contexts = { data: { name: "data" }, cache: { name: "cache", forceDestroy: true } };
  const { emulator, project, write, failUp, fail } = await openProject(
    javascriptFiles(program(contexts, { web: { ...image, contextSyncs: syncs } })),
  );
  const { stdout: plan } = await project.succeed("preview");
  expect(plan).toMatch(/5 to create/);
  expect(emulator.contexts()).toEqual([]);
  await project.up();
  const { contextIds } = await project.outputs();
  const webId = async () => sessionIdsOf(await project.exportState())["web"] ?? "";
  const shell = async (command: string) => (await runShell(emulator.url, await webId(), command)).stdout;
  const operationsSince = (start: number) =>
    emulator
      .requests()
      .slice(start)
      .map(({ operation }) => operation)
      .filter((operation) =>
        ["SyncContext", "releaseSessionAsync", "createSession", "DeleteContext"].includes(operation),
      );
  await shell("echo kept > data/file; echo cached > cache/file");

  await write(contexts, { web: { ...image, contextSyncs: [...syncs].reverse() } });
  await project.succeed("preview", "--expect-no-changes");
  await project.refresh("--expect-no-changes");

  const replacedInOrder = ["SyncContext", "SyncContext", "releaseSessionAsync", "createSession"];
  for (const next of [
    { imageId: "agb-code-space-2", contextSyncs: syncs },
    {
      imageId: "agb-code-space-2",
      contextSyncs: [{ ...syncs[0], policy: { uploadPolicy: { uploadMode: "Archive" } } }, syncs[1]],
    },
  ]) {
    await write(contexts, { web: next });
    const start = emulator.requests().length;
    expect(changesIn((await project.up()).stdout)).toMatchObject({ replaced: 1 });
    expect(operationsSince(start)).toEqual(replacedInOrder);
    expect(await shell("cat data/file cache/file")).toBe("kept\ncached\n");
    expect(emulator.sessions()).toHaveLength(1);
  }

  // Pulumi does not ask the provider in which order such a replacement goes.
  const { deployment } = await project.exportState();
  const { urn = "" } = (deployment.resources ?? []).find(({ type }) => type.endsWith(":AgbSession")) ?? {};
  await shell("echo edited > data/file");
  const beforeReplace = emulator.requests().length;
  expect(changesIn((await project.up("--replace", urn)).stdout)).toMatchObject({ replaced: 1 });
  expect(operationsSince(beforeReplace)).toEqual(replacedInOrder);
  expect(await shell("cat data/file; echo kept > data/file")).toBe("edited\n");

  // A failed first download, a failed upload, and both made good.
  await write(contexts, { web: { ...image, contextSyncs: syncs } });
  const download1 = emulator.addFault({ operation: "contextDownload", calls: 1, errorMessage: "no space left" });
  const badly = await failUp();
  expect(badly).toContain(
    "no space left. The session stays in the state; the next `pulumi up` downloads them again. If",
  );
  const halfId = await webId();
  expect(emulator.sessions()).toMatchObject([{ sessionId: halfId }]);
  download1.remove();
  await project.up();
  expect(await webId()).toBe(halfId);
  expect(await shell("cat data/file cache/file")).toBe("kept\ncached\n");
  await project.succeed("preview", "--expect-no-changes");

  // The files of a context that someone deleted cannot be kept, so the program must say that they may go.
  await contextCall(emulator.url, "DeleteContext", { id: contextIds.cache });
  expect(await failUp()).toContain("the context no longer exists");
  expect(emulator.sessions()).toMatchObject([{ sessionId: halfId }]);
  await write(contexts, { web: { ...image, contextSyncs: syncs, releaseWithoutUpload: true } });
  const { stdout: went } = await project.up();
  expect(changesIn(went)).toMatchObject({ replaced: 1 });
  expect(went).toContain(`session ${halfId} is released although its files were not uploaded`);
  await write(contexts, { web: { ...image, contextSyncs: syncs } });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  const lastId = await webId();
  expect(await shell("cat data/file; ls cache")).toBe("kept\n");

  const uploadFault = emulator.addFault({ operation: "contextUpload", errorMessage: "disk full" });
  const kept = await fail("destroy", "--yes", "--skip-preview");
  expect(kept).toContain("disk full. The session was not released, so no file is lost.");
  expect(emulator.sessions()).toMatchObject([{ sessionId: lastId }]);
  expect(emulator.contexts()).toHaveLength(2);
  uploadFault.remove();

  await upload(emulator.url, contextIds.data, "/elsewhere/more", "text");
  const start = emulator.requests().length;
  const refused = await fail("destroy", "--yes", "--skip-preview");
  expect(refused).toContain(`context ${contextIds.data} holds 2 files. Nothing was deleted.`);
  expect(refused).toContain("`forceDestroy: true`");
  expect(refused).toContain("`retainOnDelete: true`");
  expect(operationsSince(start)).toEqual(["SyncContext", "SyncContext", "releaseSessionAsync", "DeleteContext"]);
  expect(emulator.sessions()).toEqual([]);
  expect(await download(emulator.url, contextIds.data, "/home/user/data/file")).toBe("kept\n");
  expect(emulator.contexts()).toMatchObject([{ name: "data" }]);

  await write({ data: { name: "data", forceDestroy: true } });
  expect(changesIn((await project.up()).stdout)).toMatchObject({ updated: 1 });
  await project.destroy();
  expect(emulator.contexts()).toEqual([]);
});

test("a name and a path that are secret stand nowhere in clear after runs without a failure", async () => {
  const hiddenName = "merger-4711";
  const hiddenPath = "/home/user/ticket-4712";
  const secretProgram = `
    const pulumi = require("@pulumi/pulumi");
    const { AgbContext, AgbSession } = require("pulumi-agb");
    const config = new pulumi.Config();
    const data = new AgbContext("data", { name: config.requireSecret("name") });
    exports.session = new AgbSession("web", {
      imageId: "agb-code-space-1",
      contextSyncs: [{ contextId: data.contextId, path: config.requireSecret("path") }],
    });
    exports.data = data;
  `;
  const { emulator, project } = await openProject(javascriptFiles(secretProgram));
  await project.configure({ "engine-test:name": { secret: hiddenName }, "engine-test:path": { secret: hiddenPath } });
  // Runs that print as much as they can without a failure, whose message names what failed.
  await project.up();
  const [context] = emulator.contexts();
  expect(context).toMatchObject({ name: hiddenName });
  await contextCall(emulator.url, "ModifyContext", { id: context?.contextId ?? "", name: `${hiddenName}-changed` });
  await project.succeed("preview", "--diff");
  await project.up("--diff");
  await project.outputs();
  const state = JSON.stringify(await project.exportState());
  const texts = await readTextsBelow(project.root);
  await project.destroy();

  for (const hidden of [hiddenName, hiddenPath]) {
    expect([...texts].filter(([, text]) => text.includes(hidden)).map(([path]) => path)).toEqual([]);
    expect(state).not.toContain(hidden);
    expect(project.transcript()).not.toContain(hidden);
  }
});
