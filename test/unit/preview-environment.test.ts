import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, PreviewEnvironment, type PreviewEnvironmentArgs } from "../../provider";
import { outputValue, type ProgramOptions, type Registration, runProgram, secret } from "../support/pulumi-program";

const app = { command: "node server.js", port: 30100 };
const minimal: PreviewEnvironmentArgs = { imageId: "agb-code-space-1", app };
const ci = { config: { "preview:request": "12", "preview:commit": "9f3c2e1" } };

const run = (args: PreviewEnvironmentArgs, options?: ProgramOptions) =>
  runProgram(() => new PreviewEnvironment("preview", args), options);
const without = ({ inputs }: Registration, ...names: string[]) =>
  Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__") && !names.includes(name)));
const dependsOn = ({ dependencies }: Registration, name: string) =>
  dependencies.some((urn) => urn.endsWith(`::${name}`));

test("the least of an environment is a session with the CI job's facts, and an app", async () => {
  const { registrations, registration, result } = await run(minimal, ci);
  expect(registrations.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
    "agb:index:PreviewEnvironment preview",
    "pulumi-nodejs:dynamic/agb:AgbCommand preview-app",
    "pulumi-nodejs:dynamic/agb:AgbSession preview-session",
    "pulumi-nodejs:dynamic/agb:AgbStackIdentity agb",
  ]);
  const labels = { project: "shop", environment: "pr-12", request: "12", commit: "9f3c2e1" };
  expect(without(registration("preview-session"), "labelsAll")).toEqual({
    imageId: "agb-code-space-1",
    idleTimeoutSeconds: 1_800,
    labels,
  });
  expect(registration("preview-app").inputs).toMatchObject({
    sessionId: "preview-session-id",
    create: expect.stringContaining("command='node server.js'"),
    delete: expect.stringContaining("agb_app_stop"),
    timeoutSeconds: 120,
    triggers: [],
  });
  expect(await outputValue(result.sessionId)).toBe("preview-session-id");
  expect(await outputValue(result.labels)).toEqual(labels);
});

test("outside CI the environment has the stack's name, and no request and commit", async () => {
  const { registration } = await run(minimal);
  expect(registration("preview-session").inputs["labels"]).toEqual({ project: "shop", environment: "dev" });
});

test.each([
  ["plain", { team: "storefront", environment: "qa" }],
  ["an output", pulumi.output({ team: "storefront", environment: "qa" })],
  ["a promise", Promise.resolve({ team: "storefront", environment: "qa" })],
])("declared labels win, also when they are %s", async (_, labels) => {
  const { registration } = await run({ ...minimal, labels }, ci);
  expect(registration("preview-session").inputs["labels"]).toEqual({
    project: "shop",
    environment: "qa",
    request: "12",
    commit: "9f3c2e1",
    team: "storefront",
  });
});

test("what a session needs is passed on to it", async () => {
  const { registration } = await run({ ...minimal, idleTimeoutSeconds: 600, policyId: "long", keepAlive: true });
  expect(registration("preview-session").inputs).toMatchObject({
    idleTimeoutSeconds: 600,
    policyId: "long",
    keepAlive: true,
  });
});

describe("the cache", () => {
  test("is a context of this environment, which a killed run's leftovers do not stop", async () => {
    const { registration } = await run({ ...minimal, cache: { path: "/home/user/cache" } });
    expect(without(registration("preview-cache"))).toEqual({
      name: "shop-dev-preview",
      adopt: true,
      forceDestroy: true,
    });
    expect(registration("preview-session").inputs["contextSyncs"]).toEqual([
      { contextId: "preview-cache-id", path: "/home/user/cache" },
    ]);
  });

  test("with a name of its own takes over nothing, unless it says so", async () => {
    const named = await run({ ...minimal, cache: { path: "/c", name: "shared" } });
    expect(without(named.registration("preview-cache"))).toEqual({ name: "shared", adopt: false, forceDestroy: true });
    const adopting = await run({ ...minimal, cache: { path: "/c", name: "x", adopt: true, forceDestroy: false } });
    expect(without(adopting.registration("preview-cache"))).toEqual({ name: "x", adopt: true, forceDestroy: false });
  });

  test("may be a context that something else owns", async () => {
    const { registrations, registration } = await run({ ...minimal, cache: { path: "/c", contextId: "SdkCtx-1" } });
    expect(registrations.some(({ type }) => type.endsWith("AgbContext"))).toBe(false);
    expect(registration("preview-session").inputs["contextSyncs"]).toEqual([{ contextId: "SdkCtx-1", path: "/c" }]);
  });
});

test("files come first, then the setup commands in order, then the app", async () => {
  const { registration } = await run({
    ...minimal,
    files: { "/home/user/app": new pulumi.asset.AssetArchive({ "server.js": new pulumi.asset.StringAsset("1") }) },
    setup: [
      "npm ci",
      { command: "npm run build", workingDirectory: "/b", environment: { A: "1" }, timeoutSeconds: 60 },
    ],
    app: { ...app, workingDirectory: "/home/user/app" },
  });
  const [file, first, second, start] = [
    registration("preview-file/home/user/app"),
    registration("preview-setup-1"),
    registration("preview-setup-2"),
    registration("preview-app"),
  ];
  expect(file.inputs).toMatchObject({ sessionId: "preview-session-id", path: "/home/user/app" });
  expect(first.inputs).toMatchObject({ create: "npm ci", workingDirectory: "/home/user/app" });
  expect(second.inputs).toMatchObject({
    create: "npm run build",
    workingDirectory: "/b",
    environment: { A: "1" },
    timeoutSeconds: 60,
  });
  expect(start.inputs["workingDirectory"]).toBe("/home/user/app");
  expect([first, second, start].every((command) => dependsOn(command, "preview-file/home/user/app"))).toBe(true);
  expect([dependsOn(second, "preview-setup-1"), dependsOn(start, "preview-setup-2")]).toEqual([true, true]);
});

test("a changed file restarts everything after it, and a changed command only itself and what is after it", async () => {
  const triggersOf = async (hash: string, ...setup: string[]) => {
    const files = { "/app": new pulumi.asset.StringAsset("1") };
    const { registration } = await run({ ...minimal, files, setup }, { state: { contentHash: hash } });
    return ["preview-setup-1", "preview-setup-2", "preview-app"].map((name) => registration(name).inputs["triggers"]);
  };
  const before = await triggersOf("aaa", "one", "two");
  const [first, second, start] = await triggersOf("bbb", "one", "two");
  expect([first, second, start]).not.toContainEqual(before[0]);
  expect(second).not.toEqual(before[1]);
  expect(start).not.toEqual(before[2]);
  const changed = await triggersOf("aaa", "one", "three");
  expect(changed.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(changed[2]).not.toEqual(before[2]);
  expect(await triggersOf("aaa", "one", "two")).toEqual(before);
});

test("nothing in the app's command depends on the commit, so a push that changes nothing else restarts nothing", async () => {
  const of = async (commit: string) => {
    const { registration } = await run(minimal, { config: { "preview:request": "12", "preview:commit": commit } });
    return without(registration("preview-app"));
  };
  expect(await of("9f3c2e1")).toEqual(await of("1234567"));
});

test("secret variables and a secret command stay secret", async () => {
  const { registration } = await run({
    ...minimal,
    app: {
      ...app,
      command: pulumi.secret("start --key hidden"),
      environment: { TOKEN: pulumi.secret("hidden-too") },
    },
  });
  const { inputs } = registration("preview-app");
  expect(inputs["create"]).toEqual(secret(expect.stringContaining("command='start --key hidden'")));
  expect(JSON.stringify(inputs["environment"])).toBe(JSON.stringify({ TOKEN: secret("hidden-too") }));
});

test("its parts use the provider of the component", async () => {
  const { registrations } = await runProgram(() => {
    const provider = new AgbProvider("eu", { apiKey: pulumi.secret("key") });
    return new PreviewEnvironment("preview", { ...minimal, cache: { path: "/c" } }, { providers: [provider] });
  });
  for (const { name, provider } of registrations.filter(({ name: each }) => each.startsWith("preview-"))) {
    expect({ name, provider: provider?.includes("::eu::") }).toEqual({ name, provider: true });
  }
});

test("the link is secret, and is asked for only when the program reads it", async () => {
  const calls: pulumi.runtime.MockCallArgs[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }),
      call: (asked) => {
        calls.push(asked);
        return { url: "https://link.test/?token=t" };
      },
    },
    "shop",
    "dev",
  );
  const preview = new PreviewEnvironment("preview", minimal);
  await outputValue(preview.session.id);
  expect(calls).toEqual([]);
  expect(await outputValue(preview.url)).toBe("https://link.test/?token=t");
  expect(await pulumi.isSecret(preview.url)).toBe(true);
  expect(calls[0]?.inputs).toMatchObject({ sessionId: "preview-session-id", port: 30100 });
});

describe("bad arguments are refused before anything is created", () => {
  const problemsOf = async (args: unknown) => {
    const { registrations, result } = await runProgram(() => {
      try {
        return new PreviewEnvironment("preview", args as PreviewEnvironmentArgs) && "none";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(registrations).toEqual([]);
    return result;
  };

  test("all of them in one message", async () => {
    expect(
      await problemsOf({
        imagId: "x",
        files: { app: new pulumi.asset.StringAsset("1") },
        setup: ["", { comand: "npm ci" }],
        cache: { path: "cache", contextId: "SdkCtx-1", name: "x" },
        app: { command: " ", port: 8080, healthPath: "health", workingDirectory: "app", startTimeoutSeconds: 0 },
      }),
    ).toBe(
      'PreviewEnvironment "preview": imagId is unknown; did you mean imageId?; imageId is missing; app.command must be a command; ' +
        "app.port must be a whole number from 30100 to 30199: AGB links to no other port; app.healthPath must be a path such as " +
        "/health, without blanks; app.workingDirectory must be an absolute path in the session; app.startTimeoutSeconds must be a " +
        "whole number from 1 to 3600; cache.path must be an absolute path in the session; cache.contextId names a context of " +
        'others, so name, adopt and forceDestroy have no meaning beside it; files["app"] must be an absolute path in the session; ' +
        "setup[0] must be a command; setup[1].comand is unknown; did you mean setup[1].command?; setup[1].command must be a " +
        "command. Correct the arguments; nothing was created. [AGB981]",
    );
  });

  test.each([
    ["nothing", undefined, "the arguments must be an object"],
    ["no app", { imageId: "x" }, "app is missing"],
    [
      "a port that only Pulumi knows",
      { imageId: "x", app: { ...app, port: pulumi.output(30100) } },
      "app.port must be",
    ],
    ["the first port below", { imageId: "x", app: { ...app, port: 30099 } }, "app.port must be"],
    ["the first port above", { imageId: "x", app: { ...app, port: 30200 } }, "app.port must be"],
    ["a path of another host", { imageId: "x", app: { ...app, healthPath: "//evil.test/" } }, "app.healthPath must be"],
    ["no list of commands", { ...minimal, setup: "npm ci" }, "setup must be a list of commands"],
    ["no folder of files", { ...minimal, files: new pulumi.asset.FileArchive("./app") }, "must be an absolute path"],
    ["an unknown name", { ...minimal, cache: { path: "/c", size: 1 } }, "the names are path, name, contextId"],
  ])("%s", async (_, args, problem) => {
    expect(await problemsOf(args)).toContain(problem);
  });

  test("no value is shown, because any of them may be secret", async () => {
    const message = await problemsOf({ ...minimal, app: { command: 5551234, port: "s3cret", healthPath: "s3cret" } });
    expect(message).toContain("[AGB981]");
    expect(message).not.toMatch(/5551234|s3cret/);
  });

  test.each([30100, 30199])("port %d is fine", async (port) => {
    await run({ ...minimal, app: { ...app, port } });
  });
});
