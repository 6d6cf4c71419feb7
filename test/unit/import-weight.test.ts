import { join, relative, sep } from "node:path";
import { bundleChunks } from "../../tools/build/code";
import { repositoryRoot, runNode } from "../support/node-process";

const dist = join(repositoryRoot, "dist");

/** The layers that each file of `dist` holds, such as `api` and `lifecycle`, by the file's path below `dist`. */
let layersByFile: ReadonlyMap<string, readonly string[]>;

beforeAll(async () => {
  const sources = join(repositoryRoot, "provider");
  const layerOf = (path: string) => relative(sources, path).split(sep)[0] ?? "";
  const chunks = await bundleChunks(repositoryRoot);
  layersByFile = new Map(chunks.map(({ fileName, moduleIds }) => [fileName, moduleIds.map(layerOf)]));
});

/** What is loaded after a program has run the given statements, which may use `await`. */
async function loadedBy(statement: string): Promise<{ readonly packages: Set<string>; readonly layers: Set<string> }> {
  const script = `
    void (async () => {
      ${statement};
      console.log(JSON.stringify(Object.keys(require.cache)));
    })();
  `;
  const files = JSON.parse(
    await runNode(["-e", script], join(repositoryRoot, "examples", "labelled-sessions")),
  ) as string[];
  const ours = files.filter((file) => file.startsWith(dist));
  return {
    packages: new Set(
      files.flatMap((file) => /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(file)?.[1] ?? []),
    ),
    layers: new Set(ours.flatMap((file) => layersIn(relative(dist, file).replaceAll(sep, "/")))),
  };
}

function layersIn(file: string): readonly string[] {
  const layers = layersByFile.get(file);
  if (layers === undefined) {
    throw new Error(`dist/${file} is not part of the build. Run npm run build.`);
  }
  return layers;
}

const program = 'require("pulumi-agb").AgbSession.name';
const providerProcess = 'require("pulumi-agb/dynamic").session.create.name';
const commandLayers = ["cli", "drift", "emulator", "forge", "previews", "pulumi", "sweep"];

test("a program that imports the package loads neither the HTTP client nor the schemas", async () => {
  const { packages } = await loadedBy(program);
  expect(packages).toContain("@pulumi/pulumi");
  expect(packages).not.toContain("undici");
  expect(packages).not.toContain("zod");
});

test("a program that declares resources loads neither, and one that looks something up loads both", async () => {
  const declare = `
    const pulumi = require("@pulumi/pulumi");
    const { AgbContext, AgbProvider, AgbSession, PreviewEnvironment } = require("pulumi-agb");
    pulumi.runtime.setMocks({ newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) });
    const provider = new AgbProvider("account", { apiKey: "key" });
    const web = new AgbSession("web", { imageId: "agb-code-space-1", keepAlive: true }, { provider });
    new AgbContext("data", { name: "data" }, { provider });
    web.link(30100);
    const files = { "/app": new pulumi.asset.StringAsset("1") };
    new PreviewEnvironment("preview", { imageId: "x", files, app: { command: "x", port: 30100 } }, { provider });
  `;
  const before = await loadedBy(declare);
  expect(before.packages).not.toContain("undici");
  expect(before.packages).not.toContain("zod");
  const after = await loadedBy('await require("pulumi-agb").getAgbSessions().catch(() => {})');
  expect(after.packages).toContain("undici");
  expect(after.packages).toContain("zod");
});

test("the provider's process does not load Pulumi's own runtime a second time", async () => {
  const { packages } = await loadedBy(providerProcess);
  expect(packages).toContain("undici");
  expect(packages).toContain("zod");
  expect(packages).not.toContain("@pulumi/pulumi");
});

test.each([
  ["a program", program, "resources"],
  ["the provider's process", providerProcess, "api"],
])("%s loads nothing of the command line, CI jobs, forges or the emulator", async (_, statement, own) => {
  const { layers } = await loadedBy(statement);
  expect(layers).toContain(own);
  expect([...layers].filter((layer) => commandLayers.includes(layer))).toEqual([]);
});

test("a program that starts an emulator loads nothing but the emulator", async () => {
  const { layers, packages } = await loadedBy('require("pulumi-agb/emulator").startEmulator.name');
  expect(layers).toEqual(new Set(["emulator"]));
  expect(packages).toEqual(new Set(["zod"]));
});

// `sideEffects` of package.json tells bundlers which files they may leave out when nothing is imported from them.
test.each([
  ["pulumi-agb", []],
  ["pulumi-agb/emulator", []],
  ["pulumi-agb/dynamic", ["console.error", "SIGTERM", "SIGINT"]],
])("loading %s changes %j of the process, as sideEffects in package.json says", async (entry, changes) => {
  const script = `
    // What other packages do is not ours.
    for (const name of ["@pulumi/pulumi", "zod", "undici"]) require(name);
    const observe = () => ({
      ...Object.fromEntries(["log", "warn", "error"].map((name) => ["console." + name, console[name]])),
      ...Object.fromEntries(process.eventNames().map((name) => [name, process.listenerCount(name)])),
    });
    const before = observe();
    const path = require.resolve(${JSON.stringify(entry)});
    require(path);
    const after = observe();
    const changes = Object.keys(after).filter((name) => before[name] !== after[name]);
    console.log(JSON.stringify({ changes, path }));
    process.exit();
  `;
  const found = JSON.parse(await runNode(["-e", script], join(repositoryRoot, "examples", "labelled-sessions")));
  const { sideEffects } = require("../../package.json") as { readonly sideEffects: readonly string[] };
  expect(found.changes.sort()).toEqual([...changes].sort());
  expect(sideEffects.some((file) => join(repositoryRoot, file) === found.path)).toBe(changes.length > 0);
});
