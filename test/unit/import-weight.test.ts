import { join, relative, sep } from "node:path";
import { repositoryRoot, runNode } from "../support/node-process";

/** What is loaded once a program has made the given statement. */
async function loadedBy(statement: string): Promise<{ readonly packages: Set<string>; readonly layers: Set<string> }> {
  const script = `
    ${statement};
    console.log(JSON.stringify(Object.keys(require.cache)));
  `;
  const files = JSON.parse(
    await runNode(["-e", script], join(repositoryRoot, "examples", "labelled-sessions")),
  ) as string[];
  const dist = join(repositoryRoot, "dist");
  return {
    packages: new Set(
      files.flatMap((file) => /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(file)?.[1] ?? []),
    ),
    layers: new Set(
      files.filter((file) => file.startsWith(dist)).map((file) => relative(dist, file).split(sep)[0] ?? ""),
    ),
  };
}

const program = 'require("pulumi-agb").AgbSession.name';
const providerProcess = 'require("pulumi-agb/dynamic").session.create.name';
const commandLayers = ["cli", "drift", "emulator", "forge", "previews", "pulumi", "sweep"];

test("a program that imports the package loads neither the HTTP client nor the schemas", async () => {
  const { packages } = await loadedBy(program);
  expect(packages).toContain("@pulumi/pulumi");
  expect(packages).not.toContain("undici");
  expect(packages).not.toContain("zod");
});

test("the provider's process does not load Pulumi's own runtime a second time", async () => {
  const { packages } = await loadedBy(providerProcess);
  expect(packages).toContain("undici");
  expect(packages).toContain("zod");
  expect(packages).not.toContain("@pulumi/pulumi");
});

test.each([
  ["a program", program, "resources"],
  ["the provider's process", providerProcess, "api"],
])("%s loads nothing of the command line, of CI jobs, of forges or of the emulator", async (_, statement, own) => {
  const { layers } = await loadedBy(statement);
  expect(layers).toContain(own);
  expect([...layers].filter((layer) => commandLayers.includes(layer))).toEqual([]);
});
