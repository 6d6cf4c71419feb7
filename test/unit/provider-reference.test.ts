import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { openProvider } from "../../provider/kinds/provider";
import { providerReference } from "../../provider/resources/reference";
import { makeTemporaryFolder, repositoryRoot, runNode } from "../support/node-process";

const reference = providerReference("session");

/** Evaluates the reference as Pulumi's dynamic-provider process does: with require-from-string, in a script of Pulumi's. */
const evaluation = `
  const requireFromString = require(${JSON.stringify(
    createRequire(require.resolve("@pulumi/pulumi/package.json")).resolve("require-from-string"),
  )});
  const session = requireFromString(${JSON.stringify(reference)}).handler();
  console.log(session.origin ?? Object.keys(session).join());
`;

async function write(path: string, content: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** A program's folder as pnpm lays it out, with Pulumi's script in its store. */
async function makeProgram(): Promise<{ folder: string; script: string; store: string }> {
  const folder = await makeTemporaryFolder();
  const store = join(folder, "node_modules", ".pnpm");
  const script = join(store, "@pulumi+pulumi@3", "node_modules", "@pulumi", "pulumi", "cmd", "index.js");
  await write(script, evaluation);
  return { folder, script, store };
}

async function installPackage(modules: string, dynamic: string): Promise<void> {
  const folder = join(modules, "node_modules", "pulumi-agb");
  await write(join(folder, "package.json"), JSON.stringify({ exports: { "./dynamic": "./dynamic.js" } }));
  await write(join(folder, "dynamic.js"), dynamic);
}

function packageFrom(origin: string): string {
  return `exports.session = { origin: ${JSON.stringify(origin)} };`;
}

test("it is one line of at most 200 characters without a path of this installation", () => {
  expect(reference.length).toBeLessThanOrEqual(200);
  expect(reference).not.toContain("\n");
  expect(reference).not.toContain(repositoryRoot);
});

test.each([[repositoryRoot], [join(repositoryRoot, "examples", "labelled-sessions")]])(
  "it finds this package from %s",
  async (workingDirectory) => {
    const script = await write(join(await makeTemporaryFolder(), "index.js"), evaluation);
    const methods = (await runNode([script], workingDirectory)).split(",");
    expect(methods).toEqual(
      expect.arrayContaining(["configure", "check", "diff", "create", "read", "update", "delete"]),
    );
  },
);

test("it finds the package that the program depends on, from a folder below too", async () => {
  const { folder, script } = await makeProgram();
  await installPackage(folder, packageFrom("program"));
  await mkdir(join(folder, "infrastructure"));
  expect(await runNode([script], folder)).toBe("program");
  expect(await runNode([script], join(folder, "infrastructure"))).toBe("program");
});

test("it finds a package that pnpm hides because it is only a dependency of a dependency", async () => {
  const { folder, script, store } = await makeProgram();
  await installPackage(store, packageFrom("store"));
  expect(await runNode([script], folder)).toBe("store");
});

test("it prefers the program's own package to a hidden one", async () => {
  const { folder, script, store } = await makeProgram();
  await installPackage(folder, packageFrom("program"));
  await installPackage(store, packageFrom("store"));
  expect(await runNode([script], folder)).toBe("program");
});

test("it names the package that is missing", async () => {
  const { folder, script } = await makeProgram();
  await expect(runNode([script], folder)).rejects.toThrow("Cannot find module 'pulumi-agb/dynamic'");
});

test.each([
  ["an error of its own", "throw new Error('broken inside')", "broken inside"],
  ["a dependency that is missing", "require('not-installed')", "Cannot find module 'not-installed'"],
])("it looks no further when the package is found but fails with %s", async (_, dynamic, message) => {
  const { folder, script, store } = await makeProgram();
  await installPackage(folder, dynamic);
  await installPackage(store, packageFrom("store"));
  await expect(runNode([script], folder)).rejects.toThrow(message);
});

test("the package exports every kind under the name that states refer to", async () => {
  const script = 'console.log(JSON.stringify(Object.keys(require("pulumi-agb/dynamic"))))';
  const exported = JSON.parse(await runNode(["-e", script], repositoryRoot)) as string[];
  const { kinds } = openProvider({ environment: {}, say: () => {} });
  expect(exported.sort()).toEqual(Object.keys(kinds).sort());
});
