import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, PreviewEnvironment, type PreviewEnvironmentArgs } from "../../provider";
import { repositoryRoot, runNode } from "../support/node-process";
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
    create: expect.stringContaining("'node server.js'"),
    delete: expect.stringContaining("agb_app_stop"),
    timeoutSeconds: 120,
    triggers: [],
    addPreviousOutputInEnv: false,
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
      name: "shop-dev-preview-agb-id",
      adopt: true,
      forceDestroy: true,
    });
    expect(registration("preview-session").inputs["contextSyncs"]).toEqual([
      { contextId: "preview-cache-id", path: "/home/user/cache" },
    ]);
  });

  const cached: PreviewEnvironmentArgs = { ...minimal, cache: { path: "/c" } };
  const nameOf = ({ inputs }: Registration) => inputs["name"];

  test("has another name in each stack, even if the names of project, stack and component are the same", async () => {
    const nameIn = async (options: ProgramOptions) =>
      nameOf((await run(cached, options)).registration("preview-cache"));
    const name = await nameIn({ stackId: "0123456789abcdef" });
    expect(name).toBe("shop-dev-preview-0123456789abcdef");
    expect(await nameIn({ stackId: "fedcba9876543210" })).not.toBe(name);
    expect(await nameIn({ stackId: "", preview: true })).toBe(pulumi.runtime.unknownValue);
  });

  test("has another name in each component, even if two have the same name below different parents", async () => {
    const { registrations } = await runProgram(() => {
      for (const type of ["shop:index:Web", "shop:index:Desk"]) {
        const parent = new pulumi.ComponentResource(type, "app");
        new PreviewEnvironment("preview", cached, { parent });
      }
    });
    const names = registrations.filter(({ name }) => name === "preview-cache").map(nameOf);
    expect(names).toEqual([0, 1].map(() => expect.stringMatching(/^shop-dev-preview-[0-9a-f]{8}-agb-id$/)));
    expect(new Set(names).size).toBe(2);
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

test("a file below a folder is put there after the folder, whose archive may have held it before", async () => {
  const source = new pulumi.asset.StringAsset("1");
  const files = { "/app/config.json": source, "/app": new pulumi.asset.AssetArchive({}), "/apples": source };
  const { registration } = await run({ ...minimal, files });
  expect(dependsOn(registration("preview-file/app/config.json"), "preview-file/app")).toBe(true);
  expect(dependsOn(registration("preview-file/apples"), "preview-file/app")).toBe(false);
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

test("a file that moves to another path restarts the app, and another order of the files does not", async () => {
  const triggersOf = async (...paths: string[]) => {
    const files = Object.fromEntries(paths.map((path) => [path, new pulumi.asset.StringAsset("1")]));
    const { registration } = await run({ ...minimal, files }, { state: { contentHash: "aaa" } });
    return JSON.stringify(registration("preview-app").inputs["triggers"]);
  };
  const before = await triggersOf("/a/one", "/a/two");
  expect(await triggersOf("/a/one", "/a/three")).not.toBe(before);
  expect(await triggersOf("/a/two", "/a/one")).toBe(before);
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
  expect(inputs["create"]).toEqual(secret(expect.stringContaining("'start --key hidden'")));
  expect(JSON.stringify(inputs["environment"])).toBe(JSON.stringify({ TOKEN: secret("hidden-too") }));
});

test("what is secret in a file or a setup command is secret in the triggers of what comes after it", async () => {
  const { registration } = await run(
    {
      ...minimal,
      files: { "/app": pulumi.secret(new pulumi.asset.StringAsset("hidden")) },
      setup: [{ command: pulumi.secret("install --key hidden"), environment: { TOKEN: pulumi.secret("hidden-too") } }],
    },
    { state: { contentHash: secret("hash-of-hidden") } },
  );
  const file = { "/app": secret("hash-of-hidden") };
  const command = { command: secret("install --key hidden"), environment: { TOKEN: secret("hidden-too") } };
  expect(registration("preview-setup-1").inputs["triggers"]).toEqual([file]);
  expect(registration("preview-app").inputs["triggers"]).toEqual([file, command]);
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

test("an argument that is explicitly undefined is not given", async () => {
  const source = new pulumi.asset.StringAsset("1");
  const declared = async (args: object) => {
    const { registrations } = await run({ ...minimal, ...args } as PreviewEnvironmentArgs, ci);
    return Object.fromEntries(registrations.map((each) => [each.name, without(each)]));
  };
  const appInFolder = { ...app, workingDirectory: "/app" };
  const given = await declared({
    labels: { team: "web" },
    cache: { path: "/c" },
    files: { "/app": source },
    setup: [{ command: "npm ci" }],
    app: appInFolder,
  });
  const withUndefined = await declared({
    labels: { team: "web", environment: undefined, commit: undefined },
    idleTimeoutSeconds: undefined,
    policyId: undefined,
    keepAlive: undefined,
    cache: { path: "/c", name: undefined, contextId: undefined, adopt: undefined, forceDestroy: undefined },
    files: { "/app": source, "/config": undefined },
    setup: [{ command: "npm ci", workingDirectory: undefined, environment: undefined, timeoutSeconds: undefined }],
    app: { ...appInFolder, healthPath: undefined, environment: undefined, startTimeoutSeconds: undefined },
  });
  expect(withUndefined).toEqual(given);
  expect(given["preview-setup-1"]).toMatchObject({ workingDirectory: "/app" });
  expect(await declared({ labels: pulumi.output({ environment: undefined }) })).toEqual(await declared({}));
});

describe("bad arguments are refused before anything is created", () => {
  const problemsOf = async (args: unknown, options?: ProgramOptions) => {
    const { registrations, result } = await runProgram(() => {
      try {
        return new PreviewEnvironment("preview", args as PreviewEnvironmentArgs) && "none";
      } catch (error) {
        return (error as Error).message;
      }
    }, options);
    expect(registrations).toEqual([]);
    return result;
  };

  test("all of them in one message, one in a line", async () => {
    const message = await problemsOf({
      imagId: "x",
      labels: { "pulumi-x": "1", team: 5, commit: pulumi.output("known later") },
      idleTimeoutSeconds: 0.5,
      policyId: "",
      keepAlive: "yes",
      cache: { path: "cache", contextId: "SdkCtx-1", name: " x", adopt: "no", forceDestroy: null },
      files: { app: new pulumi.asset.StringAsset("1"), "/a/../b": "text" },
      setup: [
        "",
        { comand: "npm ci" },
        { command: "x", workingDirectory: "app", environment: { "1A": "1", B: 2 }, timeoutSeconds: 86_401 },
      ],
      app: {
        command: " ",
        port: 8080,
        healthPath: "health",
        workingDirectory: "app",
        environment: { PORT: "1", HOME: "/", "A-B": pulumi.output("1") },
        startTimeoutSeconds: 0,
      },
    });
    const [first, ...lines] = message.split("\n");
    expect(first).toBe('PreviewEnvironment "preview": wrong arguments:');
    expect(lines.pop()).toBe("Correct them. Nothing of it was created. [AGB981]");
    expect(lines.map((line) => line.trim())).toEqual([
      "imagId: unknown argument; did you mean imageId?",
      'labels["pulumi-x"]: keys that begin with "pulumi-" are reserved for the provider; choose another key',
      "labels.team: must be a string, not a number",
      "idleTimeoutSeconds: must be a whole number of seconds, 1 or more",
      "policyId: must not be blank",
      "keepAlive: must be true or false, not a string",
      "cache.path: must be an absolute path, such as /home/user/data",
      "cache.name: must not begin or end with a blank",
      "cache.adopt: must be true or false, not a string",
      "cache.forceDestroy: must be true or false, not null",
      "cache.contextId: names a context of others, so name, adopt and forceDestroy have no meaning beside it",
      "files.app: must be an absolute path, such as /home/user/app",
      'files["/a/../b"]: must be the path of a file or folder without . or .., without doubled slashes and without one at the end',
      'files["/a/../b"]: must be a Pulumi asset or archive, such as a FileArchive of a folder',
      "setup[0]: must not be blank",
      "setup[1].comand: unknown argument; did you mean command?",
      "setup[2].workingDirectory: must be an absolute path",
      'setup[2].environment["1A"]: the key must consist of letters, digits and underscores, and not begin with a digit',
      "setup[2].environment.B: must be a string, not a number",
      "setup[2].timeoutSeconds: must be a whole number of seconds, 1 to 86400",
      "app.command: must not be blank",
      "app.port: must be a whole number from 30100 to 30199: AGB links to no other port",
      "app.healthPath: must be a path such as /health, without blanks",
      "app.workingDirectory: must be an absolute path",
      'app.environment["A-B"]: the key must consist of letters, digits and underscores, and not begin with a digit',
      "app.environment.PORT: is set to app.port; remove it",
      "app.environment.HOME: would move the folder with the app's log; set it in app.command instead",
      "app.startTimeoutSeconds: must be a whole number of seconds, 1 to 3600",
    ]);
  });

  const asset = new pulumi.asset.StringAsset("1");
  const remote = new pulumi.asset.RemoteAsset("https://files.test/a");
  const manyLabels = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`label-${index}`, "x"]));

  test.each<[string, unknown, string]>([
    ["nothing", undefined, "the arguments must be an object"],
    ["an output of arguments", pulumi.output(minimal), "the arguments must be a plain value"],
    ["no app", { imageId: "x" }, "app: is required"],
    ["null for an image", { imageId: null, app }, "imageId: must be a string, not null"],
    ["null for an app", { imageId: "x", app: null }, "app: must be an object"],
    [
      "a port that only Pulumi knows",
      { ...minimal, app: { ...app, port: pulumi.output(30100) } },
      "app.port: must be a plain",
    ],
    [
      "a promise of a path",
      { ...minimal, app: { ...app, healthPath: Promise.resolve("/") } },
      "app.healthPath: must be a pl",
    ],
    [
      "a command that is too long",
      { ...minimal, app: { ...app, command: "x".repeat(1_048_577) } },
      "app.command: has 1048577 bytes, but at most 1048576 are possible",
    ],
    [
      "a variable that is too long",
      { ...minimal, app: { ...app, environment: { A: "x".repeat(120_000) } } },
      "app.environment.A: with its name, has 120002 bytes",
    ],
    ["the first port below", { imageId: "x", app: { ...app, port: 30099 } }, "app.port: must be a whole"],
    ["the first port above", { imageId: "x", app: { ...app, port: 30200 } }, "app.port: must be a whole"],
    [
      "a path of another host",
      { ...minimal, app: { ...app, healthPath: "//evil.test/" } },
      "app.healthPath: must be a path",
    ],
    ["a NUL in a command", { ...minimal, app: { ...app, command: "a\0" } }, "app.command: must not contain a NUL"],
    [
      "a start that takes too long",
      { ...minimal, app: { ...app, startTimeoutSeconds: 3601 } },
      "app.startTimeoutSeconds: ",
    ],
    [
      "variables in a list",
      { ...minimal, app: { ...app, environment: ["A=1"] } },
      "app.environment: must be an object",
    ],
    ["no list of commands", { ...minimal, setup: "npm ci" }, "setup: must be a list of commands"],
    ["no command in a list", { ...minimal, setup: [null] }, "setup[0]: must be a string, not null"],
    ["null for labels", { ...minimal, labels: null }, "labels: must be an object"],
    ["labels that are none", { ...minimal, labels: "x" }, "labels: must be an object"],
    ["too many labels", { ...minimal, labels: manyLabels }, "labels: 21 labels in total"],
    ["a cache without a path", { ...minimal, cache: {} }, "cache.path: is required"],
    ["a cache through ..", { ...minimal, cache: { path: "/a/../b" } }, "cache.path: must not go through . or .."],
    ["a blank context", { ...minimal, cache: { path: "/c", contextId: "" } }, "cache.contextId: must not be blank"],
    ["null for a context", { ...minimal, cache: { path: "/c", contextId: null } }, "cache.contextId: must be a string"],
    [
      "one archive for all",
      { ...minimal, files: new pulumi.asset.FileArchive("./app") },
      "files: must be an object with a",
    ],
    ["a remote asset", { ...minimal, files: { "/a": remote } }, 'files["/a"]: is a remote asset'],
    [
      "a file below a file",
      { ...minimal, files: { "/a": asset, "/a/b": asset } },
      'files["/a/b"]: is below "/a", which is a',
    ],
    ["an unknown name", { ...minimal, cache: { path: "/c", size: 1 } }, "the names are path, name, contextId"],
  ])("%s", async (_, args, problem) => {
    expect(await problemsOf(args)).toContain(problem);
  });

  test("a label that comes from the configuration", async () => {
    const problem = "labels.request: the value has 300 characters; the limit is 256";
    expect(await problemsOf(minimal, { config: { "preview:request": "1".repeat(300) } })).toContain(problem);
  });

  test("no value is shown, because any of them may be secret", async () => {
    const message = await problemsOf({
      ...minimal,
      imageId: ["s3cret"],
      labels: { team: { s3cret: "s3cret" } },
      setup: [5551234],
      app: { command: 5551234, port: "s3cret", healthPath: "s3cret", environment: { A: ["s3cret"] } },
    });
    expect(message).toContain("[AGB981]");
    expect(message).not.toMatch(/5551234|s3cret/);
  });

  test.each([30100, 30199])("port %d is fine", async (port) => {
    await run({ ...minimal, app: { ...app, port } });
  });
});

describe("arguments that are known only later", () => {
  test("are left to the resources that take them", async () => {
    const later = <Value>(value: Value) => pulumi.output(value);
    const { registrations } = await run({
      imageId: later("x"),
      labels: later({ team: "web" }),
      idleTimeoutSeconds: later(60),
      policyId: Promise.resolve("long"),
      keepAlive: later(true),
      cache: { path: later("/c"), name: later("x"), adopt: later(true), forceDestroy: later(false) },
      files: { "/a": later(new pulumi.asset.StringAsset("1")) },
      setup: [later("x"), { command: later("y"), workingDirectory: later("/a"), timeoutSeconds: later(5) }],
      app: { ...app, command: later("x"), workingDirectory: later("/a"), environment: later({ A: later("1") }) },
    });
    expect(registrations.map(({ name }) => name)).toContain("preview-app");
  });

  // An error in an output ends the program, so the program is a process of its own.
  test.each([
    ["a variable that the script needs", { environment: { HOME: "/" } }, "app.environment.HOME: would move"],
    ["a blank command", { command: " " }, "app.command: must not be blank"],
  ])("fail the run if the script of the app cannot work with them: %s", async (_, values, problem) => {
    const script = `
      process.once("unhandledRejection", ({ message }) => {
        console.log(message);
        process.exit();
      });
      const pulumi = require("@pulumi/pulumi");
      const { PreviewEnvironment } = require("pulumi-agb");
      pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
      const values = Object.entries(${JSON.stringify(values)}).map(([name, value]) => [name, pulumi.output(value)]);
      const app = { command: "x", port: 30100, ...Object.fromEntries(values) };
      new PreviewEnvironment("preview", { imageId: "x", app });
    `;
    const folder = join(repositoryRoot, "examples", "preview-environment");
    const printed = await runNode(["-e", script], folder).then(
      () => "the program succeeded",
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(printed).toContain(`PreviewEnvironment "preview": wrong arguments:\n  ${problem}`);
  });
});
