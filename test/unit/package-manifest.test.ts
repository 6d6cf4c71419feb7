// How npm treats this repository: `npm install` in a fresh clone, and in a project that installs the packed file.

import { execFileSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { bundleChunks } from "../../tools/build/code";

const repository = join(__dirname, "..", "..");
const manifest: {
  scripts: Record<string, string>;
  bin: Record<string, string>;
  files: string[];
  dependencies: Record<string, string>;
} = readJson("package.json");
const { packages }: { packages: Record<string, LockedPackage> } = readJson("package-lock.json");

interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

test("nothing in the package runs when it is installed, so npm asks nobody to allow it", () => {
  const scripts = Object.keys(manifest.scripts);
  for (const runOnInstall of ["preinstall", "install", "postinstall", "prepare"]) {
    expect(scripts).not.toContain(runOnInstall);
  }
});

test("npm install in a clone still builds, and packing always builds", () => {
  expect(manifest.scripts["preprepare"]).toContain("build");
  expect(manifest.scripts["prepack"]).toMatch(/build -- --force$/);
});

// npm links commands before it builds, and leaves out a command whose file is not there yet.
test("the command is a file of the repository and of the package", () => {
  const command = manifest.bin["pulumi-agb"] ?? "";
  accessSync(join(repository, command), constants.X_OK);
  expect(command).not.toMatch(/^dist\//);
  expect(manifest.files).toContain(command.split("/")[0]);
});

// Pulumi would make every user of the package download the plugin.
test("the package does not say that it has a plugin", () => {
  expect(manifest).not.toHaveProperty("pulumi");
});

// Without one of them, `npm install` adds it to the file and `npm ci` of npm 11 refuses the file.
test("the lock file has every optional package of every platform", () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => findLocked(path, name) === undefined),
  );
  expect(missing).toEqual([]);
});

// npm 10 removes these fields at every `npm install`. npm 11 does not add them again. `npx npm@10 install` fixes the file.
test("the lock file has no fields that npm 10 and npm 11 disagree about", () => {
  expect(Object.keys(packages).filter((path) => packages[path]?.libc !== undefined)).toEqual([]);
});

// `.npmrc` sets this.
test("the lock file names no registry, so npm asks the one that each user has set", () => {
  expect(Object.values(packages).flatMap(({ resolved, link }) => (link ? [] : (resolved ?? [])))).toEqual([]);
});

describe("the packed package", () => {
  let files: readonly { readonly path: string; readonly size: number }[];

  beforeAll(() => {
    const report = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: repository,
      encoding: "utf8",
      timeout: 60_000,
      // npm is a script on Windows.
      shell: process.platform === "win32",
    });
    files = JSON.parse(report)[0].files;
  }, 90_000);

  test("has at most 600 kB", () => {
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeLessThanOrEqual(600_000);
  });

  test("has the built files of this version, without source maps, records and sources", () => {
    expect(files.filter(({ path }) => /\.map$|tsbuildinfo|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        "dist/index.js",
        "dist/index.d.ts",
        "dist/dynamic.js",
        "dist/emulator/index.js",
        "dist/emulator/console/index.html",
        "dist/cli/main.js",
        "bin/pulumi-agb.cjs",
        "LICENSE",
      ]),
    );
    expect(files.length).toBeLessThan(40);
  });

  test("has nothing of the native plugin: no file, no code, no dependency", async () => {
    expect(Object.keys(manifest.dependencies)).toEqual(["commander", "undici", "zod"]);
    expect(files.map(({ path }) => path).filter((path) => /plugin|schema\.json|resource-agb/.test(path))).toEqual([]);
    const sources = (await bundleChunks(repository)).flatMap(({ moduleIds }) => moduleIds);
    const below = sources.map((path) => relative(join(repository, "provider"), path).replaceAll(sep, "/"));
    expect(below).toContain("hosts/dynamic/index.ts");
    expect(below.filter((path) => /^(?:hosts\/)?plugin\/|^\.\./.test(path))).toEqual([]);
  });
});

/** Looks a package up as Node does: in the `node_modules` of the package that asks, then further up. */
function findLocked(path: string, name: string): LockedPackage | undefined {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    const found = packages[folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`];
    if (found !== undefined || folder === "") {
      return found;
    }
  }
}

function readJson(name: string) {
  return JSON.parse(readFileSync(join(repository, name), "utf8"));
}
