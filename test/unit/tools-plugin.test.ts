// The parts of `npm run package:plugin` that need no build.

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageCodes } from "../../provider/messages/message-codes";
import { archiveName, checksumLines, checksumsName, packBundle, packExecutable } from "../../tools/plugin/archives";
import { chooseDownloadUrl } from "../../tools/plugin/download-url";
import { collectLicenses } from "../../tools/plugin/licenses";
import { pulumiPlatform } from "../../tools/plugin/platform";
import { requireWholeNode } from "../../tools/plugin/single-executable";
import { checkThatItStarts } from "../../tools/plugin/start-check";
import { expectGolden } from "../support/golden-messages";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";

const bundle = { code: "console.log(process.argv.slice(2).join())\n", licenses: "package 1.0.0, MIT\n" };

let root: string;

beforeEach(async () => {
  root = await makeTemporaryFolder();
});

/** Unpacks an archive with the system's `tar`. @returns what `tar` lists: permissions and names */
function unpack(archive: Buffer, folder: string): string[] {
  mkdirSync(folder);
  writeFileSync(`${folder}.tar.gz`, archive);
  execFileSync("tar", ["-xzf", `${folder}.tar.gz`, "-C", folder]);
  const lines = execFileSync("tar", ["-tvzf", `${folder}.tar.gz`], { encoding: "utf8" })
    .trimEnd()
    .split("\n");
  return lines.map((line) => `${line.split(" ")[0]} ${line.split(" ").at(-1)}`);
}

test.each([
  ["linux", "x64", "linux-amd64"],
  ["linux", "arm64", "linux-arm64"],
  ["darwin", "x64", "darwin-amd64"],
  ["darwin", "arm64", "darwin-arm64"],
  ["win32", "x64", "windows-amd64"],
  ["win32", "arm64", "windows-arm64"],
])("Pulumi's name of %s on %s is %s", (system, architecture, name) => {
  expect(pulumiPlatform(system, architecture)).toBe(name);
  expect(archiveName("0.1.0", name)).toBe(`pulumi-resource-agb-v0.1.0-${name}.tar.gz`);
});

test.each([
  ["freebsd", "x64"],
  ["linux", "riscv64"],
])("nothing is built for %s on %s", (system, architecture) => {
  expect(() => pulumiPlatform(system, architecture)).toThrow(
    `No executable was built: Pulumi has no plugins for ${system} on ${architecture}.`,
  );
});

describe("the address for downloads", () => {
  test.each([
    "github://api.github.com/owner/pulumi-agb",
    "github://api.github.com/owner",
    "gitlab://gitlab.com/12345",
    "https://downloads.example.com/agb",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Pulumi replaces it
    "http://127.0.0.1:8080/${VERSION}",
  ])("%s is used as it stands, whatever the repository is", (setting) => {
    expect(chooseDownloadUrl(setting, "https://github.com/owner/name")).toBe(setting);
  });

  test.each<[Parameters<typeof chooseDownloadUrl>[1], string | undefined]>([
    [{ url: "git+https://github.com/owner/name.git" }, "github://api.github.com/owner/name"],
    [{ url: "https://github.com/owner/na.me" }, "github://api.github.com/owner/na.me"],
    ["https://github.com/owner/name/", "github://api.github.com/owner/name"],
    [{ url: "git+https://forge.example/owner/name.git" }, undefined],
    [{ url: "https://github.com.example/owner/name" }, undefined],
    [{}, undefined],
    [undefined, undefined],
  ])("without a setting, repository %j gives %s", (repository, expected) => {
    expect(chooseDownloadUrl(undefined, repository)).toBe(expected);
    expect(chooseDownloadUrl("", repository)).toBe(expected);
  });

  test.each([
    ["downloads.example.com", "is not an address"],
    ["https:///agb", "names no host"],
    ["ftp://host/agb", "begins with ftp:"],
    ["git://github.com/owner/name", "begins with git:"],
    ["github:owner/name", "names no host"],
    ["github://api.github.com", "names no repository"],
    ["github://api.github.com/owner/name/releases", "names no repository"],
    ["gitlab://gitlab.com/", "names no project"],
    ["gitlab://gitlab.com/owner/name", "names no project"],
    ["https://user:hush4711@host/agb", "contains a user name or a password"],
    ["https://hush4711@host/agb", "contains a user name or a password"],
  ])("%s is refused: it %s", (setting, problem) => {
    const choose = () => chooseDownloadUrl(setting);
    expect(choose).toThrow(`The plugin was not built: AGB_PLUGIN_DOWNLOAD_URL ${problem}`);
    expect(choose).not.toThrow("hush4711");
  });
});

describe("archives", () => {
  test("the bundle comes with what starts it on every system, and with licenses", async () => {
    const folder = join(root, "bundle");
    expect(unpack(await packBundle(bundle), folder)).toEqual([
      "-rwxr-xr-x pulumi-resource-agb",
      "-rwxr-xr-x pulumi-resource-agb.cmd",
      "-rw-r--r-- pulumi-resource-agb.cjs",
      "-rw-r--r-- LICENSE",
      "-rw-r--r-- THIRD-PARTY-LICENSES",
    ]);
    expect(readFileSync(join(folder, "pulumi-resource-agb.cjs"), "utf8")).toBe(bundle.code);
    const lines = readFileSync(join(folder, "pulumi-resource-agb.cmd"), "utf8").split("\r\n");
    expect(lines.at(-2)).toBe('node "%~dp0pulumi-resource-agb.cjs" %*');
    expect(lines.join("")).not.toContain("\n");
  });

  test.each([
    ["linux-amd64", "pulumi-resource-agb"],
    ["darwin-arm64", "pulumi-resource-agb"],
    ["windows-amd64", "pulumi-resource-agb.exe"],
  ])("the executable for %s is called %s", async (platform, name) => {
    const folder = join(root, "executable");
    const files = unpack(await packExecutable(Buffer.from("program"), platform, bundle), folder);
    expect(files[0]).toBe(`-rwxr-xr-x ${name}`);
    expect(readFileSync(join(folder, name), "utf8")).toBe("program");
    const licenses = readFileSync(join(folder, "THIRD-PARTY-LICENSES"), "utf8");
    expect(licenses).toContain(`Node.js ${process.version}`);
    expect(licenses).toContain(bundle.licenses);
  });

  test("the same files give the same bytes, which name no system", async () => {
    const [first, second] = [await packBundle(bundle), await packBundle(bundle)];
    expect(first.equals(second)).toBe(true);
    // Time and system in the header of gzip.
    expect([...first.subarray(4, 8), first[9]]).toEqual([0, 0, 0, 0, 255]);
  });

  test("sha256sum accepts the checksums, and refuses another archive", async () => {
    const archives = new Map([
      ["b.tar.gz", Buffer.from("b")],
      ["a.tar.gz", Buffer.from("a")],
    ]);
    for (const [name, content] of archives) {
      writeFileSync(join(root, name), content);
    }
    const sums = checksumsName("0.1.0");
    writeFileSync(join(root, sums), checksumLines(archives));
    const check = () => spawnSync("sha256sum", ["--check", "--strict", sums], { cwd: root, encoding: "utf8" });
    expect(check()).toMatchObject({ status: 0, stdout: "a.tar.gz: OK\nb.tar.gz: OK\n" });
    writeFileSync(join(root, "a.tar.gz"), "c");
    expect(check()).toMatchObject({ status: 1, stdout: "a.tar.gz: FAILED\nb.tar.gz: OK\n" });
  });
});

test("licenses of all packages in a bundle are collected, also of packages in packages", async () => {
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("node_modules/@scope/a/package.json", '{ "name": "@scope/a", "version": "1.0.0", "license": "MIT" }');
  write("node_modules/@scope/a/LICENSE.md", "words of a");
  write("node_modules/b/package.json", '{ "name": "b", "version": "2.0.0" }');
  write("node_modules/b/LICENCE", "words of b");
  write("node_modules/b/node_modules/c/package.json", '{ "name": "c", "version": "3.0.0", "license": "ISC" }');
  write("node_modules/d/package.json", '{ "name": "d", "version": "4.0.0" }');
  const inputs = ["provider/x.ts", "node_modules/@scope/a/x.js", "node_modules/b/x.js", "node_modules/b/lib/y.js"];
  const collected = await collectLicenses(root, [...inputs, "node_modules\\b\\node_modules\\c\\x.js"]);
  expect(collected.match(/^.* \d\.\d\.\d, .*$|^words.*$/gm)).toEqual([
    "@scope/a 1.0.0, MIT",
    "words of a",
    "b 2.0.0, see below",
    "words of b",
    "c 3.0.0, ISC",
  ]);
  await expect(collectLicenses(root, ["node_modules/d/x.js"])).rejects.toThrow(
    "The plugin was not built: nothing says under which license d 4.0.0 may be distributed.",
  );
});

test("a Node that needs libraries of its system is not copied", () => {
  expect(() => requireWholeNode(process.config.variables)).not.toThrow();
  const variables = { node_shared: false, node_shared_openssl: true, node_shared_zlib: "true", v8_shared: true };
  expect(() => requireWholeNode(variables)).toThrow("(node_shared_openssl, node_shared_zlib)");
  expect(() => requireWholeNode({ node_shared: true })).toThrow("(node_shared)");
});

describe("the launcher", () => {
  const launchers = join(repositoryRoot, "tools", "plugin", "launcher");

  function install(): string {
    const folder = join(root, "a folder's plugin");
    cpSync(launchers, folder, { recursive: true });
    writeFileSync(join(folder, "pulumi-resource-agb.cjs"), bundle.code);
    return join(folder, "pulumi-resource-agb");
  }

  const start = (path: string, PATH = process.env["PATH"], parameters: readonly string[] = []) =>
    spawnSync(path, parameters, { encoding: "utf8", env: { PATH } });

  test("passes its parameters on, also through links", () => {
    const path = install();
    mkdirSync(join(root, "bin"));
    symlinkSync("../a folder's plugin/pulumi-resource-agb", join(root, "bin", "relative"));
    symlinkSync(join(root, "bin", "relative"), join(root, "bin", "absolute"));
    for (const started of [path, join(root, "bin", "relative"), join(root, "bin", "absolute")]) {
      expect(start(started, undefined, ["-v=9", "a b", "127.0.0.1:1"])).toMatchObject({
        stdout: "-v=9,a b,127.0.0.1:1\n",
        stderr: "",
        status: 0,
      });
    }
  });

  test("says what is missing without Node, in the same words on Windows", () => {
    const withoutNode = start(install(), root);
    expect(withoutNode).toMatchObject({ stdout: "", status: 1 });
    const windows = readFileSync(join(launchers, "pulumi-resource-agb.cmd"), "utf8");
    expect(windows).toContain(`  echo ${withoutNode.stderr.trim()} >&2`);

    expectGolden("plugin-start", [
      ["no Node", withoutNode.stderr.trim()],
      ["an old Node", startWithVersion("18.20.4").stderr.trim()],
    ]);
  });

  test.each(["18.20.4", "20.9.0", "20.18.0"])("Node %s is too old", (version) => {
    expect(startWithVersion(version)).toMatchObject({ status: 1, stderr: expect.stringContaining(version) });
  });

  test.each(["20.18.1", "20.19.0", "21.0.0", "24.3.2"])("Node %s is new enough", (version) => {
    expect(startWithVersion(version)).toMatchObject({ status: 0, stderr: "" });
  });

  test("asks for the Node that package.json asks for", () => {
    const { engines } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));
    expect(startWithVersion("18.0.0").stderr).toContain(`it needs Node.js ${engines.node.replace(">=", "")} or newer`);
    expect(messageCodes).toHaveProperty("AGB122");
  });

  /** Runs the check of the program in a Node that claims to have another version. */
  function startWithVersion(version: string) {
    const module = join(repositoryRoot, "provider", "plugin", "refuse-old-node.ts");
    const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
    const code = `Object.defineProperty(process, "versions", { value: ${versions} }); require(${JSON.stringify(module)});`;
    const parameters = ["--import", "tsx", "--eval", code];
    return spawnSync(process.execPath, parameters, { encoding: "utf8", cwd: repositoryRoot, timeout: 60_000 });
  }
});

describe("the check after a build", () => {
  function program(script: string): string {
    const path = join(root, "program");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  test("accepts a program that prints a port, and ends it", async () => {
    await checkThatItStarts(program("echo 4711; cat > /dev/null"));
  });

  test.each([
    ["ends before it prints a port", "echo broken >&2; exit 1", "broken"],
    ["prints something else", "echo hello; cat > /dev/null", "hello"],
    ["prints more than a port", "echo 4711; echo hello; cat > /dev/null", "hello"],
  ])("refuses a program that %s", async (_, script, printed) => {
    await expect(checkThatItStarts(program(script))).rejects.toThrow(new RegExp(`does not start: .*${printed}`));
  });

  test("refuses a program that is not there", async () => {
    await expect(checkThatItStarts(join(root, "missing"))).rejects.toThrow("ENOENT");
  });
});
