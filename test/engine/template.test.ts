// The template, as `pulumi new` makes a project of it. No registry is asked: where Pulumi installs dependencies, the `npm`
// that it finds puts in the packed package and this checkout's modules.

import "../support/await-pulumi-cli";
import { copyFile, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { type PackedPackage, packPackage } from "../support/packed-package";
import { pulumiCli } from "../support/pulumi-cli";
import { createPulumiProject, readTextsBelow, stackName } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(600_000);

const template = join(__dirname, "..", "..", "templates", "agb-typescript");
const answers = ["--yes", "--offline", "--name", "shop-sandboxes", "--description", "Sandboxes of the shop"];

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 600_000);

afterAll(() => packed?.close());

test("files of a new project name it, compile, and work: up, up unchanged, destroy", async () => {
  const emulator = await startTestEmulator();
  let texts = new Map<string, string>();
  const project = closeAfterTest(
    await createPulumiProject({
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url },
      async create({ directory, succeed }) {
        await succeed("new", template, "--generate-only", ...answers);
        texts = await readTextsBelow(directory);
        await packed.install(directory);
        await succeed("stack", "init", stackName);
      },
    }),
  );
  // Pulumi prints this when the project is there. Until the package is published, the install that it proposes fails.
  expect(project.transcript()).toContain(`npm install ../pulumi-agb/${packed.fileName}`);
  const names = [".gitignore", "Pulumi.yaml", "README.md", "index.ts", "package.json", "tsconfig.json"];
  expect([...texts.keys()].sort()).toEqual(names.map((name) => join(project.directory, name)).sort());
  expect([...texts.values()].join("\n")).not.toMatch(/\$\{(PROJECT|DESCRIPTION)\}|^template:/m);
  expect(JSON.parse(texts.get(join(project.directory, "package.json")) ?? "{}").name).toBe("shop-sandboxes");
  const settings = texts.get(join(project.directory, "Pulumi.yaml"));
  expect(settings).toMatch(/^name: shop-sandboxes\ndescription: Sandboxes of the shop\n/);
  expect(settings).toMatch(/^ {2}refresh: always$/m);

  const compiled = await runBounded(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", "."], {
    directory: project.directory,
    environment: process.env,
    timeoutMs: 120_000,
  });
  expect(compiled).toEqual({ exitCode: 0, stdout: "", stderr: "" });

  expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
  const [session] = emulator.sessions();
  expect(await project.outputs()).toEqual({
    sessionIds: { sandbox: session?.sessionId },
    labels: { sandbox: { project: "shop-sandboxes", environment: stackName } },
  });
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});

test("a project made with its stack installs, takes the environment's key, and fails as the README says without packages", async () => {
  const emulator = await startTestEmulator();
  const npm = closeAfterTest(await standInForNpm());
  const project = closeAfterTest(
    await createPulumiProject({
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url, PATH: npm.path },
      create: async ({ succeed }) => {
        await succeed("new", template, "--stack", stackName, ...answers);
      },
    }),
  );
  expect(project.transcript()).toContain("Your new project is ready to go!");
  expect(await npm.calls()).toEqual([[project.directory, "install"]]);
  const config = JSON.parse((await project.succeed("config", "--json")).stdout);
  expect(config).toEqual({
    "pulumi:tags": expect.anything(),
    "shop-sandboxes:imageId": { value: "agb-code-space-1", secret: false },
  });

  await project.configure({ "shop-sandboxes:imageId": "agb-browser-use-1" });
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
  expect(emulator.sessions()).toEqual([expect.objectContaining({ imageId: "agb-browser-use-1" })]);

  await project.remove("node_modules");
  const { exitCode, stdout } = await project.run("destroy", "--yes", "--skip-preview");
  expect(exitCode).not.toBe(0);
  const [, printed = "nothing"] = /Error: (Cannot find module '.+')/.exec(stdout) ?? [];
  const readme = await readFile(join(__dirname, "..", "..", "README.md"), "utf8");
  expect(readme).toContain(`**\`${printed}\`**`);
  expect(emulator.sessions()).toHaveLength(1);

  await project.succeed("install");
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});

/** An `npm` that links to the modules which the template needs, and a PATH on which it is found first. */
async function standInForNpm() {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-npm-")));
  const log = join(directory, "calls");
  await copyFile(join(template, "package.json"), join(directory, "package.json"));
  await packed.install(directory);
  const script = `#!${process.execPath}
    const fs = require("node:fs");
    fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify([process.cwd(), process.argv[2]]) + "\\n");
    fs.symlinkSync(${JSON.stringify(join(directory, "node_modules"))}, "node_modules", "junction");
  `;
  await writeFile(join(directory, "npm"), script, { mode: 0o755 });
  const { binDirectory } = await pulumiCli();
  return {
    path: [directory, binDirectory, process.env["PATH"] ?? ""].join(delimiter),
    calls: async (): Promise<unknown[]> =>
      (await readFile(log, "utf8"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
