// When `dist` is built again. Here the build copies its sources.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import promises from "node:fs/promises";
import { join } from "node:path";
import { sessionProperties } from "../../provider/kinds/session";
import { packageTarget } from "../../tools/build/build-package";
import { bundleChunks } from "../../tools/build/code";
import { bringUpToDate, type Target } from "../../tools/build/up-to-date";
import { blankDocumentation } from "../../tools/build/without-documentation";
import { makeTemporaryFolder, repositoryRoot, runNode } from "../support/node-process";

let root: string;
let target: Target;

beforeEach(async () => {
  root = await makeTemporaryFolder();
  target = {
    inputs: [join(root, "sources"), join(root, "settings.json"), join(root, "missing"), join(root, "build.ts")],
    buildCode: [join(root, "build.ts")],
    outputDirectory: join(root, "built"),
    recordPath: join(root, "cache", "record.json"),
  };
  write("sources/a.ts", "a1");
  write("sources/folder/b.ts", "b1");
  write("settings.json", "{}");
});

function write(path: string, content: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
}

function sources(): Map<string, string> {
  const names = readdirSync(join(root, "sources"), { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name.endsWith(".ts"));
  return new Map(files.map((name) => [name, readFileSync(join(root, "sources", name), "utf8")]));
}

const build = (isForced = false) => bringUpToDate(target, { isForced }, async () => sources());

function built(): string[] {
  return readdirSync(target.outputDirectory, { recursive: true, encoding: "utf8" }).sort();
}

test("what has not changed is not built again, unless it is forced", async () => {
  expect([await build(), await build(), await build(true), await build()]).toEqual([true, false, true, false]);
  expect(built()).toEqual(["a.ts", "folder", "folder/b.ts"]);
});

test.each<[string, () => void]>([
  ["a source changed, with the same length", () => write("sources/folder/b.ts", "b2")],
  ["a source was added", () => write("sources/folder/deep/c.ts", "")],
  ["a source was removed", () => rmSync(join(root, "sources/a.ts"))],
  ["a source was renamed", () => renameSync(join(root, "sources/a.ts"), join(root, "sources/c.ts"))],
  ["a file was added that the build does not read", () => write("sources/page.css", "")],
  ["a setting outside the folder changed", () => write("settings.json", "[]")],
  ["a missing input was added", () => write("missing", "")],
])("the next build runs after %s", async (_, change) => {
  await build();
  change();
  expect(await build()).toBe(true);
  expect(new Map(built().flatMap((name) => (name.endsWith(".ts") ? [[name, readBuilt(name)]] : [])))).toEqual(
    sources(),
  );
  expect(await build()).toBe(false);
});

const readBuilt = (name: string) => readFileSync(join(target.outputDirectory, name), "utf8");

test.each<[string, () => void]>([
  ["changed", () => write("built/a.ts", "edited")],
  ["removed", () => rmSync(join(root, "built/a.ts"))],
  ["left from another build", () => write("built/old/a.ts", "old")],
])("a built file that was %s is built again, although no source has changed", async (_, change) => {
  await build();
  change();
  expect(await build()).toBe(true);
  expect(built()).toEqual(["a.ts", "folder", "folder/b.ts"]);
  expect(readBuilt("a.ts")).toBe("a1");
});

/** Waits until a change gets another change time than the sources have: the clock of a file system moves in steps. */
function waitForNextChangeTime(): void {
  const changeTime = (path: string) => statSync(join(root, path), { bigint: true }).ctimeNs;
  do {
    write("probe", "");
  } while (changeTime("probe") === changeTime("settings.json"));
}

/** Builds, and lets something happen after the sources were read, in the first build or in all. Returns the number of builds. */
async function buildDuring(happening: () => void, when: "first" | "always" = "first"): Promise<number> {
  let count = 0;
  await bringUpToDate(target, {}, async () => {
    const files = sources();
    count += 1;
    if (count === 1 || when === "always") {
      happening();
    }
    return files;
  });
  return count;
}

test.each<[string, () => void]>([
  ["changes", () => write("sources/a.ts", "a2")],
  ["is added", () => write("sources/c.ts", "c1")],
  ["is removed", () => rmSync(join(root, "sources/a.ts"))],
])("if a source %s during a build, the build runs again", async (_, happening) => {
  expect(await buildDuring(happening)).toBe(2);
  expect(built().filter((name) => name.endsWith(".ts"))).toEqual([...sources().keys()].sort());
  expect(readFileSync(join(target.outputDirectory, "folder/b.ts"), "utf8")).toBe("b1");
  expect(await build()).toBe(false);
});

test("a build that read a change which is undone before it ends runs again", async () => {
  waitForNextChangeTime();
  let count = 0;
  await bringUpToDate(target, {}, async () => {
    count += 1;
    if (count > 1) {
      return sources();
    }
    write("sources/a.ts", "a2");
    write("sources/c.ts", "c1");
    const files = sources();
    write("sources/a.ts", "a1");
    rmSync(join(root, "sources/c.ts"));
    return files;
  });
  expect(count).toBe(2);
  expect(readBuilt("a.ts")).toBe("a1");
  expect(built()).toEqual(["a.ts", "folder", "folder/b.ts"]);
});

test("a build runs again if a file was there only while it ran", async () => {
  waitForNextChangeTime();
  const addAndRemove = () => {
    write("sources/c.ts", "c1");
    rmSync(join(root, "sources/c.ts"));
  };
  expect(await buildDuring(addAndRemove)).toBe(2);
});

test("if the sources change during each build, the build fails and leaves the last one in place", async () => {
  await build();
  write("sources/a.ts", "a2");
  let count = 0;
  const change = () => {
    count += 1;
    write("sources/a.ts", `change ${count}`);
  };
  await expect(buildDuring(change, "always")).rejects.toThrow(
    "Nothing was built: the sources changed during each of 3 builds. Run the build again when nothing changes them.",
  );
  expect(count).toBe(3);
  expect(readBuilt("a.ts")).toBe("a1");
  expect(await build()).toBe(true);
});

test("if the code of the build changes during a build, the build fails and asks for a new process", async () => {
  await expect(buildDuring(() => write("build.ts", "new"))).rejects.toThrow(
    /code of the build changed.*Run the build again/,
  );
  expect(existsSync(target.outputDirectory)).toBe(false);
  expect(existsSync(target.recordPath)).toBe(false);
});

test("links that lead to no file do not stop a build and are no inputs, links to files are", async () => {
  symlinkSync("user@host.123:456", join(root, "sources/.#a.ts"));
  mkdirSync(join(root, "elsewhere"));
  symlinkSync(join(root, "elsewhere"), join(root, "sources/linked-folder"));
  symlinkSync("itself", join(root, "sources/itself"));
  write("elsewhere/file", "1");
  symlinkSync(join(root, "elsewhere/file"), join(root, "sources/linked-file"));
  const buildNothing = () => bringUpToDate(target, {}, async () => new Map());
  expect([await buildNothing(), await buildNothing()]).toEqual([true, false]);
  rmSync(join(root, "sources/.#a.ts"));
  rmSync(join(root, "sources/linked-folder"));
  expect(await buildNothing()).toBe(false);
  write("elsewhere/file", "2");
  expect(await buildNothing()).toBe(true);
});

test.each(["nowhere", "sources"])("a link to %s among the built files is removed", async (destination) => {
  await build();
  symlinkSync(join(root, destination), join(target.outputDirectory, "link"));
  expect(await build()).toBe(true);
  expect(built()).toEqual(["a.ts", "folder", "folder/b.ts"]);
  expect([...sources().keys()]).toHaveLength(2);
});

/** Lets something happen before a build puts its next file in place. */
function beforeNextRename(happening: (path: string) => unknown): void {
  const { rename } = promises;
  jest.spyOn(promises, "rename").mockImplementationOnce(async (from, to) => {
    await happening(String(to));
    return rename(from, to);
  });
}

afterEach(() => jest.restoreAllMocks());

test("two builds at the same time do not remove each other's temporary files", async () => {
  const buildOther = () => bringUpToDate(target, { isForced: true }, async () => new Map([["other.ts", "other"]]));
  beforeNextRename(buildOther);
  expect(await build()).toBe(true);
  expect(built()).toEqual(["a.ts", "folder", "folder/b.ts"]);
  expect(readdirSync(join(root, "cache"))).toEqual(["record.json"]);
});

test("a folder that another build removes before the first file is in it is created again", async () => {
  rmSync(join(root, "sources/a.ts"));
  beforeNextRename((path) => rmdirSync(join(path, "..")));
  expect(await build()).toBe(true);
  expect(readBuilt("folder/b.ts")).toBe("b1");
});

test("a built file that another build removes before it is read is built again", async () => {
  await build();
  const readFile = promises.readFile;
  jest.spyOn(promises, "readFile").mockImplementation(async (...args) => {
    if (args[0] === join(target.outputDirectory, "a.ts")) {
      rmSync(join(target.outputDirectory, "a.ts"), { force: true });
    }
    return readFile(...args);
  });
  expect(await build()).toBe(true);
  jest.restoreAllMocks();
  expect(readBuilt("a.ts")).toBe("a1");
});

test("the output folder may be on another file system than the record", async () => {
  const otherFileSystem = Object.assign(new Error("EXDEV: cross-device link not permitted"), { code: "EXDEV" });
  jest.spyOn(promises, "rename").mockRejectedValueOnce(otherFileSystem);
  expect([await build(), await build()]).toEqual([true, false]);
  expect(readBuilt("a.ts")).toBe("a1");
  expect(readdirSync(join(root, "cache"))).toEqual(["record.json"]);
});

test("a failed build leaves the last one in place and does not count as complete", async () => {
  await build();
  write("sources/a.ts", "a2");
  const failed = bringUpToDate(target, {}, () => Promise.reject(new Error("syntax error")));
  await expect(failed).rejects.toThrow("syntax error");
  expect(readBuilt("a.ts")).toBe("a1");
  expect(await build()).toBe(true);
});

test("a build that ends while it writes does not count as complete", async () => {
  await build();
  write("sources/a.ts", "a2");
  // A folder in the place of the second file: the first file is written, then the build fails.
  rmSync(join(target.outputDirectory, "folder"), { recursive: true });
  write("built/folder", "");
  await expect(build()).rejects.toThrow();
  expect(readBuilt("a.ts")).toBe("a2");
  rmSync(join(target.outputDirectory, "folder"));
  write("sources/a.ts", "a1");
  expect(await build()).toBe(true);
  expect(readBuilt("folder/b.ts")).toBe("b1");
});

test("a damaged record does not count", async () => {
  await build();
  write("cache/record.json", '{"inputs":');
  expect(await build()).toBe(true);
});

test("the package is built from all of provider/, the build itself, and what is installed", () => {
  const inputs = ["provider", "tools/build", "package.json", "tsconfig.json", "node_modules/.package-lock.json"];
  expect(packageTarget.inputs).toEqual(inputs.map((path) => join(repositoryRoot, path)));
  const buildCode = ["tools/build", "node_modules/.package-lock.json"];
  expect(packageTarget.buildCode).toEqual(buildCode.map((path) => join(repositoryRoot, path)));
  expect(inputs.filter((path) => !existsSync(join(repositoryRoot, path)))).toEqual([]);
});

test("no source is in two files of the package", async () => {
  const sourcesInFiles = (await bundleChunks(repositoryRoot)).flatMap(({ moduleIds }) => moduleIds);
  expect(sourcesInFiles.length).toBeGreaterThan(100);
  expect(new Set(sourcesInFiles).size).toBe(sourcesInFiles.length);
});

test("the code holds no descriptions of properties, and each line stays where it was", () => {
  const source = readFileSync(join(repositoryRoot, "provider/kinds/session.ts"), "utf8");
  const blanked = blankDocumentation(source);
  expect(blanked).toHaveLength(source.length);
  expect(blanked.split("\n")).toHaveLength(source.split("\n").length);
  for (const { description } of Object.values(sessionProperties)) {
    expect(readFileSync(join(repositoryRoot, "dist/dynamic.js"), "utf8")).not.toContain(description);
  }
});

test("a stack trace of the package names exported functions, and a tool finds the lines in the sources", async () => {
  const script = `
    const { startEmulator } = require("pulumi-agb/emulator");
    startEmulator({ port: -1 }).catch(({ stack }) => console.log(stack));
  `;
  const trace = await runNode(["-e", script], join(repositoryRoot, "examples", "labelled-sessions"));
  expect(trace).toMatch(/at (async )?(exports\.)?startEmulator .*dist.emulator.emulator\.js:\d+:\d+/);

  const positions = execFileSync(process.execPath, ["--import", "tsx", "tools/build/positions.ts"], {
    cwd: repositoryRoot,
    input: trace,
    encoding: "utf8",
    timeout: 60_000,
  });
  expect(positions).toMatch(/at (async )?(exports\.)?startEmulator \(provider\/emulator\/[a-z-]+\.ts:\d+:\d+\)/);
}, 90_000);
