import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findVersionProblem } from "../../tools/pulumi-cli/cli-version";
import { findPulumi, PulumiNotFoundError } from "../../tools/pulumi-cli/find-pulumi";
import { findGoVersionProblem, goInstaller } from "../../tools/pulumi-cli/go-build";
import { dynamicProviderScriptName, engineName, languageHostName } from "../../tools/pulumi-cli/installed-copy";
import type { Installer } from "../../tools/pulumi-cli/installer";
import { projectDirectory, readPinnedVersion } from "../../tools/pulumi-cli/pinned-version";
import { formatElapsed } from "../../tools/pulumi-cli/progress";
import { runCommand } from "../../tools/pulumi-cli/run-command";

let root: string;
let pathDirectory: string;
let copyDirectory: string;
let lines: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "find-pulumi-"));
  pathDirectory = join(root, "on-path");
  copyDirectory = join(root, "cache", "pulumi-agb", "pulumi-3.245.0");
  lines = [];
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function writeProgram(directory: string, name: string, script: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function writeCli(directory: string, version: string): void {
  writeProgram(directory, engineName, `echo ${version}`);
  writeProgram(directory, languageHostName, "exit 0");
}

function find(installers: readonly Installer[] = [], signal?: AbortSignal) {
  return findPulumi({
    environment: { PATH: `${pathDirectory}:/bin:/usr/bin`, XDG_CACHE_HOME: join(root, "cache") },
    version: "3.245.0",
    report: (line) => lines.push(line),
    installers,
    ...(signal === undefined ? {} : { signal }),
  });
}

function createInstaller(origin: Installer["origin"], install: Installer["install"]): Installer {
  return { origin, title: `installer ${origin}`, install: jest.fn(install) };
}

const working = (origin: Installer["origin"]) =>
  createInstaller(origin, async ({ workDirectory, version }) => {
    writeCli(join(workDirectory, "bin"), `v${version}`);
    return join(workDirectory, "bin");
  });

const failing = (origin: Installer["origin"], reason: string) =>
  createInstaller(origin, async () => {
    throw new Error(reason);
  });

describe("the order", () => {
  test("pulumi on PATH comes first", async () => {
    writeCli(pathDirectory, "v3.300.1");
    writeCli(copyDirectory, "v3.245.0");

    expect(await find([working("vendor")])).toEqual({
      command: join(pathDirectory, engineName),
      binDirectory: pathDirectory,
      version: "3.300.1",
      origin: "path",
    });
    expect(lines).toEqual([`Pulumi CLI 3.300.1: ${join(pathDirectory, engineName)}`]);
  });

  test.each([
    ["an old version", "echo v3.215.9", "version 3.215.9 is too old; use 3.216.0 or newer"],
    ["a new major version", "echo v4.0.0", "version 4.0.0 is too new; use a version below 4"],
    ["no version", "echo", "it prints no version"],
    ["an exit code", "echo broken >&2; exit 3", "`pulumi version` failed: broken"],
    ["an end by signal", "kill -9 $$", "`pulumi version` failed: ended by SIGKILL"],
  ])("pulumi on PATH with %s is skipped for the copy", async (_, script, reason) => {
    writeProgram(pathDirectory, engineName, script);
    writeCli(copyDirectory, "v3.245.0");

    expect(await find()).toMatchObject({ command: join(copyDirectory, engineName), origin: "cache" });
    expect(lines[0]).toBe(`Skipped ${join(pathDirectory, engineName)}: ${reason}`);
  });

  test("a copy without the dynamic provider script is completed", async () => {
    writeCli(copyDirectory, "v3.245.0");

    expect(await find()).toMatchObject({ binDirectory: copyDirectory, origin: "cache" });
    expect(readFileSync(join(copyDirectory, dynamicProviderScriptName), "utf8")).toContain(
      "@pulumi/pulumi/cmd/dynamic-provider",
    );
    expect(readdirSync(copyDirectory)).toHaveLength(3);
  });

  test("no installer is tried after the first one that works, and its copy is found from then on", async () => {
    const installers = [failing("vendor", "no answer"), working("go")];

    expect(await find(installers)).toMatchObject({ binDirectory: copyDirectory, origin: "go" });
    expect(lines).toEqual([
      "Trying to install the Pulumi CLI: installer vendor.",
      "The installation failed: no answer",
      "Trying to install the Pulumi CLI: installer go.",
      `Pulumi CLI 3.245.0: ${join(copyDirectory, engineName)}`,
    ]);
    expect(readdirSync(join(root, "cache", "pulumi-agb"))).toEqual(["pulumi-3.245.0"]);

    expect(await find(installers)).toMatchObject({ binDirectory: copyDirectory, origin: "cache" });
    expect(installers[1]?.install).toHaveBeenCalledTimes(1);
  });

  test("an incomplete copy is installed again", async () => {
    writeProgram(copyDirectory, engineName, "echo v3.245.0");

    expect(await find([working("vendor")])).toMatchObject({ binDirectory: copyDirectory, origin: "vendor" });
  });

  test("concurrent searches install once", async () => {
    const installer = working("go");

    const found = await Promise.all([find([installer]), find([installer])]);

    expect(found.map(({ origin }) => origin).sort()).toEqual(["cache", "go"]);
    expect(installer.install).toHaveBeenCalledTimes(1);
    expect(lines).toContain("Another process is installing the Pulumi CLI. Waiting for it.");
  });

  test("the lock and the work folder of a killed process are removed", async () => {
    const lock = join(root, "cache", "pulumi-agb", "pulumi-3.245.0.lock");
    const abandoned = join(root, "cache", "pulumi-agb", "installing-abcdef");
    for (const path of [lock, abandoned]) {
      mkdirSync(path, { recursive: true });
      utimesSync(path, new Date(0), new Date(0));
    }

    expect(await find([working("go")])).toMatchObject({ origin: "go" });
    expect(existsSync(lock)).toBe(false);
    expect(existsSync(abandoned)).toBe(false);
  });
});

describe("when nothing works", () => {
  test("the error lists what was tried, why it failed and what to do", async () => {
    writeProgram(pathDirectory, engineName, "echo v2.0.0");
    const error = await find([failing("vendor", "no answer within 5 s"), failing("go", "two\nlines")]).catch((e) => e);

    expect(error).toBeInstanceOf(PulumiNotFoundError);
    expect(error.message).toBe(
      `No working Pulumi CLI was found, and none could be installed. Tried in this order:
  1. pulumi on PATH: ${join(pathDirectory, engineName)} cannot be used: version 2.0.0 is too old; use 3.216.0 or newer
  2. a copy installed earlier, in ${copyDirectory}: not found
  3. installer vendor: no answer within 5 s
  4. installer go: two
     lines
Do one of these:
  - Install the Pulumi CLI, 3.216.0 or newer and below 4, and put \`pulumi\` on PATH: https://www.pulumi.com/docs/install
  - Install Go 1.25 or newer (https://go.dev/doc/install) and run this again to build the Pulumi CLI.`,
    );
  });

  test("a folder that cannot be written to is reported", async () => {
    writeFileSync(join(root, "cache"), "a file where the folder should be");

    await expect(find([working("go")])).rejects.toThrow(/3\. installing into .*: ENOTDIR/);
  });

  test("an installer that leaves out a program is reported", async () => {
    const incomplete = createInstaller("vendor", async ({ workDirectory }) => {
      writeProgram(join(workDirectory, "bin"), engineName, "echo v3.245.0");
      return join(workDirectory, "bin");
    });

    await expect(find([incomplete])).rejects.toThrow(`installer vendor: missing: ${languageHostName}`);
  });

  test("nothing else is tried after the search was aborted", async () => {
    const stopped = new Error("stopped");
    const controller = new AbortController();
    const aborting = createInstaller("vendor", async () => {
      controller.abort(stopped);
      throw new Error("killed");
    });
    const next = working("go");

    await expect(find([aborting, next], controller.signal)).rejects.toBe(stopped);
    expect(next.install).not.toHaveBeenCalled();
  });
});

describe("the build from Go modules", () => {
  const request = (path: string) => ({
    version: "3.245.0",
    workDirectory: root,
    environment: { PATH: `${path}:/bin:/usr/bin` },
    report: (line: string) => lines.push(line),
  });

  test("needs go", async () => {
    await expect(goInstaller.install({ ...request(root), environment: { PATH: root } })).rejects.toThrow(
      "`go` is not on PATH; 1.25 or newer is needed",
    );
  });

  test("builds both programs, the engine with its version", async () => {
    writeProgram(
      pathDirectory,
      "go",
      `test "$1" = version && echo "go version go1.26.1 linux/amd64" && exit
while [ "$1" != -ldflags ]; do shift; done
echo "example.com/some/package" >&2
printf '#!/bin/sh\\n# %s\\n' "$2" > "$4"`,
    );

    const programs = await goInstaller.install(request(pathDirectory));

    expect(readFileSync(join(programs, engineName), "utf8")).toContain("version.Version=v3.245.0");
    expect(readdirSync(programs).sort()).toEqual([engineName, languageHostName]);
    expect(lines).toContain("Built engine in 0 s (1 packages compiled).");
  });

  test("a failure shows Go's output", async () => {
    writeProgram(
      pathDirectory,
      "go",
      'test "$1" = version && echo "go version go1.25.0 x/y" && exit; echo "no such module" >&2; exit 1',
    );

    await expect(goInstaller.install(request(pathDirectory))).rejects.toThrow(
      "building engine failed:\nno such module",
    );
  });

  test.each([
    ["go version go1.25.11 linux/amd64", undefined],
    ["go version go2.0 linux/amd64", undefined],
    ["go version devel +abc linux/amd64", undefined],
    ["go version go1.24.3 linux/amd64", "go 1.24 is too old; use 1.25 or newer"],
    ["nonsense", "`go version` printed no known version: nonsense"],
  ])("%s", (output, problem) => {
    expect(findGoVersionProblem(output)).toBe(problem);
  });

  test("the engine's module requires the version that package.json pins", () => {
    const goModule = readFileSync(join(projectDirectory, "tools", "pulumi-cli", "engine", "go.mod"), "utf8");

    expect(goModule).toContain(`github.com/pulumi/pulumi/pkg/v3 v${readPinnedVersion()}`);
    expect(goModule).toContain(`github.com/pulumi/pulumi/sdk/v3 v${readPinnedVersion()}`);
  });
});

describe("versions", () => {
  test.each(["3.216.0", "v3.245.0", "v3.300.0-alpha.1"])("%s can be used", (version) => {
    expect(findVersionProblem(version)).toBeUndefined();
  });

  test.each(["3.215.9", "2.99.0", "4.0.0", "v10.1.0", "dev", ""])("%s cannot", (version) => {
    expect(findVersionProblem(version)).toEqual(expect.any(String));
  });

  test("the pinned version must be exact", () => {
    const path = join(root, "package.json");
    writeFileSync(path, JSON.stringify({ devDependencies: { "@pulumi/pulumi": "^3.245.0" } }));

    expect(() => readPinnedVersion(path)).toThrow(
      `${path} must pin the devDependency @pulumi/pulumi to an exact version, but has ^3.245.0`,
    );
    writeFileSync(path, "{}");
    expect(() => readPinnedVersion(path)).toThrow("but has none");
  });
});

describe("running a command", () => {
  const run = (script: string, timeoutMs: number, signal?: AbortSignal) =>
    runCommand("/bin/sh", ["-c", script], {
      environment: { PATH: "/bin:/usr/bin" },
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });

  // Standard output ends only when every process that can write to it has ended, including the background sleep.
  test("the time limit kills it and its children", async () => {
    expect(await run("echo begun; sleep 60 & sleep 60", 100)).toEqual({
      exitCode: undefined,
      stdout: "begun\n",
      failure: "not finished after 0.1 s",
    });
  });

  test("so does the abort signal", async () => {
    await expect(run("sleep 60 & sleep 60", 60_000, AbortSignal.timeout(50))).rejects.toThrow("aborted due to timeout");
  });

  test("a missing command is an error", async () => {
    await expect(runCommand(join(root, "nothing"), [], { environment: {}, timeoutMs: 1000 })).rejects.toThrow("ENOENT");
  });
});

test("elapsed time", () => {
  expect([formatElapsed(59_999), formatElapsed(185_000)]).toEqual(["59 s", "3 min 5 s"]);
});
