import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import typescript from "typescript";

// Pulumi compiles a project that has no TypeScript of its own with the version that it includes.
const vendorDirectory = join(dirname(require.resolve("@pulumi/pulumi/package.json")), "vendor");
const vendored = readdirSync(vendorDirectory).find((name) => name.startsWith("typescript@")) ?? "";
const compiler: typeof typescript = require(join(vendorDirectory, vendored, "typescript.js"));

const distDirectory = join(__dirname, "..", "..", "dist");

const declarationFiles = ["index.d.ts", "dynamic.d.ts", "emulator/index.d.ts"].map((name) => join(distDirectory, name));

test("the oldest TypeScript that compiles Pulumi programs can read the package's types", () => {
  const program = compiler.createProgram(declarationFiles, {
    moduleResolution: compiler.ModuleResolutionKind.NodeJs,
    types: [],
    noEmit: true,
  });
  const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(distDirectory));

  expect(ours.map(({ fileName }) => fileName)).toEqual(expect.arrayContaining(declarationFiles));
  expect(
    ours
      .flatMap((file) => program.getSyntacticDiagnostics(file))
      .map(({ file, messageText }) => [file.fileName, messageText]),
  ).toEqual([]);
});

/** What the oldest TypeScript says of a program, by line. */
function errorsIn(program: string): string[] {
  const options = {
    moduleResolution: compiler.ModuleResolutionKind.NodeJs,
    module: compiler.ModuleKind.CommonJS,
    target: compiler.ScriptTarget.ES2019,
    strict: true,
    // Pulumi's own declarations are newer in places.
    skipLibCheck: true,
    types: [],
    noEmit: true,
  };
  const fileName = resolve(__dirname, "program-of-a-user.ts");
  const host = compiler.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, target) =>
    name === fileName ? compiler.createSourceFile(name, program, target) : getSourceFile.call(host, name, target);
  host.fileExists = (name) => name === fileName || fileExists.call(host, name);
  host.readFile = (name) => (name === fileName ? program : readFile.call(host, name));
  const compiled = compiler.createProgram([fileName], options, host);
  const file = compiled.getSourceFile(fileName);
  return [...compiled.getSyntacticDiagnostics(file), ...compiled.getSemanticDiagnostics(file)].map(
    ({ start = 0, messageText }) =>
      `${program.slice(0, start).split("\n").length}: ${compiler.flattenDiagnosticMessageText(messageText, "\n")}`,
  );
}

const imports = `
  import * as pulumi from "@pulumi/pulumi";
  import { AgbContext, AgbSession, AgbContextArgs, AgbContextSync, SyncPolicy } from ${JSON.stringify(distDirectory)};
`;

test("it compiles a program with contexts, mounts and a whole policy, also where values are outputs", () => {
  const program = `${imports}
    const args: AgbContextArgs = { name: "build-cache", adopt: true, forceDestroy: pulumi.output(false), timeouts: { delete: 60 } };
    const cache = new AgbContext("cache", args, { protect: true });
    const found: AgbContext = AgbContext.get("found", cache.contextId);
    const policy: SyncPolicy = {
      uploadPolicy: { autoUpload: true, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "Archive" },
      downloadPolicy: { autoDownload: true, downloadStrategy: "DownloadAsync" },
      deletePolicy: { syncLocalFile: true },
      extractPolicy: { extract: true, deleteSrcFile: true, extractCurrentFolder: false },
      recyclePolicy: { lifecycle: "Lifecycle_30Days", paths: ["/logs"] },
      bwList: { whiteLists: [{ path: "/src", excludePaths: ["/src/tmp"] }] },
      mappingPolicy: { path: "/home/other" },
    };
    const mount: AgbContextSync = { contextId: cache.contextId, path: "/home/user/cache", policy };
    const web = new AgbSession("web", {
      imageId: "agb-code-space-1",
      contextSyncs: [
        mount,
        {
          contextId: found.id,
          path: pulumi.interpolate\`/home/\${found.name}\`,
          policy: {
            uploadPolicy: pulumi.output({ autoUpload: false }),
            recyclePolicy: { paths: [pulumi.output("/logs")] },
            bwList: { whiteLists: pulumi.output([{ path: "/src" }]) },
          },
        },
      ],
      releaseWithoutUpload: false,
    });
    export const paths: pulumi.Output<string[]> = web.contextSyncs.apply((mounts) => (mounts || []).map(({ path }) => path));
    export const names: pulumi.Output<string> = pulumi.concat(cache.name, found.name);
  `;
  expect(errorsIn(program)).toEqual([]);
});

test("it compiles a program with look-ups, whose results have the types that they hold", () => {
  const program = `
    import * as pulumi from "@pulumi/pulumi";
    import * as agb from ${JSON.stringify(distDirectory)};
    const provider = new agb.AgbProvider("account", { apiKey: "key" });
    const web = new agb.AgbSession("web", { imageId: "i", keepAlive: true }, { provider });
    const found = agb.AgbSession.get("found", web.sessionId);
    export const links: pulumi.Output<string>[] = [web.resourceUrl, web.link(30100, "wss"), found.link(pulumi.output(30100)), found.resourceUrl];
    const sessions = agb.getAgbSessionsOutput({ labels: { team: pulumi.output("web") } }, { provider, dependsOn: [web] });
    export const ids: pulumi.Output<string[]> = sessions.sessionIds.apply((known) => known.slice());
    export const first: pulumi.Output<string> = sessions.sessions[0].labels.apply((labels) => labels.team);
    export const status: pulumi.Output<string> = agb.getAgbSessionOutput({ sessionId: web.sessionId }, { parent: web }).status;
    export const context: pulumi.Output<string> = agb.getAgbContextOutput({ name: "cache" }).contextId;
    export const url: pulumi.Output<string> = agb.getAgbSessionUrlOutput({ sessionId: web.id }).url;
    export const link: pulumi.Output<string> = agb.getAgbSessionLinkOutput({ sessionId: web.id, port: 30100, protocol: "https" }).url;
    export async function plain(): Promise<[string, string | undefined, pulumi.Output<string>, pulumi.Output<string>]> {
      const { sessionIds: [sessionId] } = await agb.getAgbSessions({ labels: { team: "web" } }, { provider });
      const session = await agb.getAgbSession({ sessionId });
      const { name } = await agb.getAgbContext({ name: "cache" });
      const address = await agb.getAgbSessionUrl({ sessionId });
      return [name, session.appInstanceId, address.url, (await agb.getAgbSessionLink({ sessionId, port: 30100 })).url];
    }
  `;
  expect(errorsIn(program)).toEqual([]);
});

test("it compiles a program with commands and files, also where values are outputs", () => {
  const program = `
    import * as pulumi from "@pulumi/pulumi";
    import * as agb from ${JSON.stringify(distDirectory)};
    const web = new agb.AgbSession("web", { imageId: "i" });
    const args: agb.AgbFileArgs = {
      sessionId: web.sessionId,
      source: new pulumi.asset.FileArchive("./app"),
      path: pulumi.interpolate\`/home/\${"user"}/app\`,
      permissions: "0600",
      timeouts: { create: 60 },
    };
    const app = new agb.AgbFile("app", args, { protect: true });
    new agb.AgbFile("one", { sessionId: "s", source: pulumi.output(new pulumi.asset.StringAsset("text")), path: "/a" });
    new agb.AgbFile("two", { sessionId: "s", source: new pulumi.asset.AssetArchive({ a: new pulumi.asset.FileAsset("a") }), path: "/a" });
    const command: agb.AgbCommandArgs = {
      sessionId: web.id,
      create: "npm ci",
      update: pulumi.output("npm test"),
      delete: "rm -rf dist",
      environment: { TOKEN: pulumi.secret("token") },
      stdin: "yes",
      triggers: [app.contentHash, 1, { any: "value" }],
      workingDirectory: app.path,
      timeoutSeconds: 1200,
      logging: "stdoutAndStderr",
      sensitive: true,
      addPreviousOutputInEnv: false,
    };
    const build = new agb.AgbCommand("build", command, { dependsOn: [app] });
    export const strings: pulumi.Output<string>[] = [build.stdout, build.stderr, app.contentHash, app.path, app.permissions];
    export const code: pulumi.Output<number | undefined> = build.exitCode;
  `;
  expect(errorsIn(program)).toEqual([]);
});

test("it compiles a program with a preview environment", () => {
  const program = `
    import * as pulumi from "@pulumi/pulumi";
    import * as agb from ${JSON.stringify(distDirectory)};
    const args: agb.PreviewEnvironmentArgs = {
      imageId: "i",
      labels: { team: pulumi.output("web") },
      keepAlive: true,
      cache: { path: "/home/user/cache" },
      files: { "/home/user/app": new pulumi.asset.FileArchive("./app") },
      setup: ["npm ci", { command: pulumi.output("npm test"), timeoutSeconds: 600 }],
      app: { command: "npm start", port: 30100, environment: { TOKEN: pulumi.secret("token") } },
    };
    const preview = new agb.PreviewEnvironment("preview", args, { protect: true });
    export const found: [agb.AgbSession, pulumi.Output<string>, pulumi.Output<Record<string, string>>] =
      [preview.session, preview.sessionId, preview.labels];
  `;
  expect(errorsIn(program)).toEqual([]);
});

test("it refuses arguments of commands and files that do not exist or have the wrong type", () => {
  const program = [
    `import { AgbCommand, AgbFile, PreviewEnvironment } from ${JSON.stringify(distDirectory)};`,
    'new AgbCommand("a", { sessionId: "s", create: "true", logging: "all" });',
    'new AgbCommand("a", { sessionId: "s" });',
    'new AgbFile("a", { sessionId: "s", path: 5, source: null as any });',
    'new AgbFile("a", { sessionId: "s", path: "/a", source: null as any, contentHash: "" });',
    'new PreviewEnvironment("a", { imageId: "i", app: { command: "x", prt: 30100 } });',
  ].join("\n");
  expect(errorsIn(program)).toEqual([
    expect.stringMatching(/^2: Type '"all"' is not assignable/),
    expect.stringMatching(/^3: .*'create' is missing/s),
    expect.stringMatching(/^4: Type 'number' is not assignable/),
    expect.stringMatching(/^5: .*'contentHash' does not exist/s),
    expect.stringMatching(/^6: .*'prt' does not exist/s),
  ]);
});

test("it refuses a lifecycle, an upload mode and a property of a mount that do not exist", () => {
  const mount = (more: string) =>
    `new AgbSession("web", { imageId: "i", contextSyncs: [{ contextId: "c", path: "/d", ${more} }] });`;
  const program = [
    imports.trim(),
    mount('policy: { recyclePolicy: { lifecycle: "Lifecycle_7Days" } }'),
    mount('policy: { uploadPolicy: { uploadMode: "Zip" } }'),
    mount("polcy: {}"),
    'new AgbContext("cache", {});',
  ].join("\n");
  expect(errorsIn(program)).toEqual([
    expect.stringMatching(/^3: Type 'string' is not assignable.*Lifecycle_5Days/),
    expect.stringMatching(/^4: Type 'string' is not assignable.*Archive/),
    expect.stringMatching(/^5: .*'polcy' does not exist/s),
    expect.stringMatching(/^6: .*'name' is missing/s),
  ]);
});

test.each([
  ["node16", typescript.ModuleKind.Node16, typescript.ModuleResolutionKind.Node16, typescript.ScriptTarget.ES2022],
  ["bundler", typescript.ModuleKind.ESNext, typescript.ModuleResolutionKind.Bundler, typescript.ScriptTarget.ES2022],
  [
    "classic node",
    typescript.ModuleKind.CommonJS,
    typescript.ModuleResolutionKind.Node10,
    typescript.ScriptTarget.ES2020,
  ],
])(
  "a strict program that also checks declarations can use all entries, found by the rules of %s",
  (_, module, moduleResolution, target) => {
    const fileName = join(__dirname, "program-of-a-user.ts");
    const text = `
    import { AgbSession } from "pulumi-agb";
    import { session } from "pulumi-agb/dynamic";
    import { startEmulator, ManualClock } from "pulumi-agb/emulator";
    export const entries = [AgbSession, session.create, startEmulator({ clock: new ManualClock() })] as const;
  `;
    const options: typescript.CompilerOptions = {
      module,
      moduleResolution,
      target,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ["node"],
      noEmit: true,
    };
    const host = typescript.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.getSourceFile = (name, target) =>
      name === fileName ? typescript.createSourceFile(name, text, target) : getSourceFile.call(host, name, target);
    host.fileExists = (name) => name === fileName || fileExists.call(host, name);
    host.readFile = (name) => (name === fileName ? text : readFile.call(host, name));
    const program = typescript.createProgram([fileName], options, host);
    const ours = program
      .getSourceFiles()
      .filter((file) => file.fileName === fileName || file.fileName.startsWith(distDirectory));

    expect(ours.map((file) => file.fileName)).toEqual(expect.arrayContaining(declarationFiles));
    // Only ours: what the declarations of other packages contain is not our business.
    expect(
      ours
        .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
        .map(
          ({ file, messageText }) => `${file?.fileName}: ${typescript.flattenDiagnosticMessageText(messageText, " ")}`,
        ),
    ).toEqual([]);
  },
);
