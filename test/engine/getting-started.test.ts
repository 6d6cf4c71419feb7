// The page docs/getting-started.md and the template, as a reader follows them. No registry is asked: the `npm` on the PATH
// installs the packed package and this checkout's modules.

import "../support/await-pulumi-cli";
import { copyFile, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { annotationOf, type CodeBlock, findBlocksOfTest } from "../docs/code-blocks";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { closeAfterTest } from "../support/close-after-test";
import { repositoryRoot } from "../support/node-process";
import { type PackedPackage, packPackage } from "../support/packed-package";
import { pulumiCli } from "../support/pulumi-cli";
import { createPulumiProject, readTextsBelow, stackName } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";

jest.setTimeout(300_000);

const template = join(repositoryRoot, "templates", "agb-typescript");

let packed: PackedPackage;
let npm: Awaited<ReturnType<typeof standInForNpm>>;

beforeAll(async () => {
  packed = await packPackage();
  npm = await standInForNpm();
}, 120_000);

afterAll(async () => {
  await npm?.close();
  await packed?.close();
});

test("the commands of the page work in their order and print what the page shows", async () => {
  const blocks = findBlocksOfTest("test/engine/getting-started.test.ts");
  const root = closeAfterTest(await createRoot());
  const { exitCode, stdout } = await runBounded("bash", ["-c", scriptOf(blocks)], {
    directory: root.checkout,
    environment: {
      ...withoutSettings(process.env),
      PATH: npm.path,
      PULUMI_HOME: join(root.directory, "home"),
      PULUMI_BACKEND_URL: pathToFileURL(root.directory).href,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // The engine shows the same changes without the preview before each update.
      PULUMI_OPTION_SKIP_PREVIEW: "true",
    },
    timeoutMs: 240_000,
  });
  const outputs = stdout.split(separator).map(masked);
  expect({ exitCode, last: exitCode === 0 ? "" : outputs.at(-1) }).toEqual({ exitCode: 0, last: "" });

  const shown = blocks.filter(({ language }) => language === "text");
  expect(shown.length).toBeGreaterThan(5);
  for (const block of shown) {
    expect(outputs[commandsBefore(blocks, block)]).toContain(masked(block.code));
  }
  const installation = `npm install ../pulumi-agb/${packed.fileName}`;
  expect(blocks[0]?.code).toContain(installation);
  expect(outputs[1]).toContain(installation);
});

test("a project made with its stack installs, takes the environment's key, and fails without packages", async () => {
  const emulator = await startTestEmulator();
  const project = closeAfterTest(
    await createPulumiProject({
      environment: { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url, PATH: npm.path },
      create: async ({ succeed }) => {
        const answers = ["--yes", "--offline", "--name", "shop-sandboxes", "--description", "Sandboxes of the shop"];
        await succeed("new", template, "--stack", stackName, ...answers);
      },
    }),
  );
  expect(project.transcript()).toContain("Your new project is ready to go!");
  expect((await npm.installs()).at(-1)).toBe(project.directory);

  const texts = await readTextsBelow(project.directory);
  const names = [
    ".gitignore",
    "Pulumi.yaml",
    "README.md",
    "index.test.ts",
    "index.ts",
    "package.json",
    "tsconfig.json",
  ];
  expect([...texts.keys()].sort()).toEqual(
    [...names, `Pulumi.${stackName}.yaml`].map((name) => join(project.directory, name)).sort(),
  );
  expect([...texts.values()].join("\n")).not.toMatch(/\$\{(PROJECT|DESCRIPTION)\}|^template:/m);
  expect(JSON.parse(texts.get(join(project.directory, "package.json")) ?? "{}").name).toBe("shop-sandboxes");
  const settings = texts.get(join(project.directory, "Pulumi.yaml"));
  expect(settings).toMatch(/^name: shop-sandboxes\ndescription: Sandboxes of the shop\n/);
  expect(settings).toMatch(/^ {2}refresh: always$/m);
  const config = JSON.parse((await project.succeed("config", "--json")).stdout);
  expect(config).toEqual({
    "pulumi:tags": expect.anything(),
    "shop-sandboxes:imageId": { value: "agb-code-space-1", secret: false },
  });

  await project.configure({ "shop-sandboxes:imageId": "agb-browser-use-1" });
  expect(changesIn((await project.up()).stdout)).toEqual({ created: 3 });
  const [session] = emulator.sessions();
  expect(session?.imageId).toBe("agb-browser-use-1");
  expect(await project.outputs()).toEqual({
    sessionId: session?.sessionId,
    labels: { project: "shop-sandboxes", environment: stackName },
  });
  expect(changesIn((await project.up()).stdout)).toEqual({ unchanged: 3 });

  await project.remove("node_modules");
  const { exitCode, stdout } = await project.run("destroy", "--yes", "--skip-preview");
  expect(exitCode).not.toBe(0);
  const [, printed = "nothing"] = /Error: (Cannot find module '.+')/.exec(stdout) ?? [];
  const page = await readFile(join(repositoryRoot, "docs", "troubleshooting.md"), "utf8");
  expect(page).toContain(printed);
  expect(emulator.sessions()).toHaveLength(1);

  await project.succeed("install");
  await project.destroy();
  expect(emulator.sessions()).toEqual([]);
});

/** Printed before the commands of each block. */
const separator = "@@ next block @@\n";

/** A script that runs the commands of a page and writes the files that it shows. */
function scriptOf(blocks: readonly CodeBlock[]): string {
  const steps = blocks.map((block) => {
    switch (block.language) {
      case "sh": {
        const commands = block.code === "npm run emulator -- --allow-exec" ? emulatorInBackground : block.code;
        return `printf '${separator.trim()}\\n'\n${commands}`;
      }
      case "ts":
        return `cat > ${annotationOf(block, "file")} <<'EOF'\n${block.code}\nEOF`;
      case "text":
        return "";
      default:
        throw new Error(`the page has a block of the unknown kind ${block.language}`);
    }
  });
  // With `-m` the emulator has a process group of its own, which the trap ends. Another port: 8787 may be in use.
  const script = ["set -emu", "exec 2>&1", ...steps].join("\n");
  return script.replaceAll("127.0.0.1:8787", "127.0.0.1:$PORT");
}

const emulatorInBackground = `
npm run emulator -- --allow-exec --port 0 > emulator.log 2>&1 < /dev/null &
trap 'kill -- -$!' EXIT
until PORT=$(grep -oP 'listening on http://127.0.0.1:\\K\\d+' emulator.log); do sleep 0.1; done
cat emulator.log
`;

/** The number of blocks with commands above a block. */
function commandsBefore(blocks: readonly CodeBlock[], block: CodeBlock): number {
  return blocks.slice(0, blocks.indexOf(block)).filter(({ language }) => language === "sh").length;
}

/** Text without what differs from run to run, and without indentation, because a page shows parts of an output. */
function masked(text: string): string {
  return text
    .replace(/session-[a-z0-9]{25}/g, "session-ID")
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replace(/^ +/gm, "");
}

/** A folder with a checkout in it, of which the page uses only the templates. */
async function createRoot() {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-started-")));
  const checkout = join(directory, "pulumi-agb");
  await cp(join(repositoryRoot, "templates"), join(checkout, "templates"), {
    recursive: true,
    filter: (path) => !path.endsWith("node_modules"),
  });
  await mkdir(join(directory, "home"));
  return { directory, checkout, close: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }) };
}

function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AGB|PULUMI)_/i.test(name)));
}

/** An `npm` whose `install` links the modules which the template needs, and a PATH on which it is found first. */
async function standInForNpm() {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "pulumi-agb-npm-")));
  const log = join(directory, "installs");
  await copyFile(join(template, "package.json"), join(directory, "package.json"));
  await packed.install(directory);
  const path = process.env["PATH"] ?? "";
  const script = `#!${process.execPath}
    const fs = require("node:fs");
    const parameters = process.argv.slice(2);
    if (parameters[0] === "install") {
      fs.appendFileSync(${JSON.stringify(log)}, process.cwd() + "\\n");
      fs.symlinkSync(${JSON.stringify(join(directory, "node_modules"))}, "node_modules", "junction");
    } else {
      const env = { ...process.env, PATH: ${JSON.stringify(path)} };
      const { status } = require("node:child_process").spawnSync("npm", parameters, { stdio: "inherit", env });
      process.exitCode = status ?? 1;
    }
  `;
  await writeFile(join(directory, "npm"), script, { mode: 0o755 });
  const { binDirectory } = await pulumiCli();
  return {
    path: [directory, binDirectory, path].join(delimiter),
    installs: async () => (await readFile(log, "utf8")).trim().split("\n"),
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
