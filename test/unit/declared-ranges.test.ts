// The versions that examples, templates and instructions request. npm installs the newest version that a range allows.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { satisfies } from "semver";

const repository = join(__dirname, "..", "..");
const manifest = readManifest(repository);
const copied = ["examples", "templates"].flatMap((folder) =>
  readdirSync(join(repository, folder)).map((name) => join(folder, name)),
);

/** They have no package.json. They use the plugin. */
const pluginExamples = ["go", "python", "yaml"].map((name) => join("examples", name));

test.each(copied.filter((folder) => !pluginExamples.includes(folder)))(
  "%s allows this version of the package and the tested version of Pulumi",
  (folder) => {
    const { dependencies } = readManifest(join(repository, folder));
    expectRangeToAllow(dependencies["pulumi-agb"], manifest.version);
    expectRangeToAllow(dependencies["@pulumi/pulumi"], manifest.devDependencies["@pulumi/pulumi"]);
  },
);

test("instructions name the packed file as `npm pack` does", () => {
  const folders = ["docs", ...copied];
  const texts = ["README.md", ...folders.flatMap((folder) => listFiles(folder, /\.(md|yaml)$/))];
  const named = texts.flatMap(
    (file) => readFileSync(join(repository, file), "utf8").match(/pulumi-agb-\d[\w.-]*\.tgz/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(5);
  expect(new Set(named)).toEqual(new Set([`pulumi-agb-${manifest.version}.tgz`]));
});

test.each(pluginExamples)("%s installs this version of the plugin", (folder) => {
  const readme = readFileSync(join(repository, folder, "README.md"), "utf8");
  expect(readme).toContain(`pulumi plugin install resource agb ${manifest.version} --file`);
});

/** A copied project should also get later fixes, so an exact version is not enough. */
function expectRangeToAllow(range = "", version = ""): void {
  expect(range).toMatch(/^\^/);
  expect(satisfies(version, range)).toBe(true);
}

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function listFiles(folder: string, pattern: RegExp): string[] {
  return readdirSync(join(repository, folder))
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name));
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
