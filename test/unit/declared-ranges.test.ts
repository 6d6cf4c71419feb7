// What examples, the template and the instructions ask of npm. A copied range gets the newest version that it allows.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const repository = join(__dirname, "..", "..");
const manifest = readManifest(repository);
const copied = ["examples", "templates"].flatMap((folder) =>
  readdirSync(join(repository, folder)).map((name) => join(folder, name)),
);

test.each(copied)("%s asks for this version of the package, and for Pulumi as it is tested", (folder) => {
  const { dependencies } = readManifest(join(repository, folder));
  expect(caretAccepts(dependencies["pulumi-agb"], manifest.version)).toBe(true);
  expect(caretAccepts(dependencies["@pulumi/pulumi"], manifest.devDependencies["@pulumi/pulumi"])).toBe(true);
});

test("all instructions name the packed file as `npm pack` does", () => {
  const texts = ["README.md", "docs/ci-previews.md", ...copied.flatMap((folder) => listFiles(folder, /\.(md|yaml)$/))];
  const named = texts.flatMap(
    (file) => readFileSync(join(repository, file), "utf8").match(/pulumi-agb-\d[\w.-]*\.tgz/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(5);
  expect(new Set(named)).toEqual(new Set([`pulumi-agb-${manifest.version}.tgz`]));
});

test.each([
  { range: "^0.1.0", version: "0.1.3", accepts: true },
  { range: "^0.1.1", version: "0.1.0", accepts: false },
  { range: "^0.1.0", version: "0.2.0", accepts: false },
  { range: "^1.2.0", version: "1.10.0", accepts: true },
  { range: "^1.2.0", version: "2.2.0", accepts: false },
  { range: "0.1.0", version: "0.1.0", accepts: false },
  { range: undefined, version: "0.1.0", accepts: false },
])("the caret range $range accepts $version: $accepts", ({ range, version, accepts }) => {
  expect(caretAccepts(range, version)).toBe(accepts);
});

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

/** Whether a range such as `^0.1.0` lets npm install a version: the first part that is not 0 stays, the rest may grow. */
function caretAccepts(range: string | undefined, version = ""): boolean {
  const lowest = /^\^(\d+)\.(\d+)\.(\d+)$/
    .exec(range ?? "")
    ?.slice(1)
    .map(Number);
  const given = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  if (lowest === undefined || given === undefined) {
    return false;
  }
  const kept = lowest.findIndex((part) => part !== 0);
  const grown = lowest.findIndex((part, index) => part !== given[index]);
  return grown === -1 || (grown > kept && (given[grown] ?? 0) > (lowest[grown] ?? 0));
}
