import { join } from "node:path";
import { repositoryRoot, runNode } from "../support/node-process";

/** The packages that are loaded once a program has imported the given one and made the given statement. */
async function packagesLoadedBy(statement: string): Promise<Set<string>> {
  const script = `
    ${statement};
    console.log(JSON.stringify(Object.keys(require.cache)));
  `;
  const files = JSON.parse(
    await runNode(["-e", script], join(repositoryRoot, "examples", "labelled-sessions")),
  ) as string[];
  return new Set(files.flatMap((file) => /.*[/\\]node_modules[/\\]((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(file)?.[1] ?? []));
}

test("a program that imports the package loads neither the HTTP client nor the schemas", async () => {
  const packages = await packagesLoadedBy('require("pulumi-agb").AgbSession.name');
  expect(packages).toContain("@pulumi/pulumi");
  expect(packages).not.toContain("undici");
  expect(packages).not.toContain("zod");
});

test("the provider's process does not load Pulumi's own runtime a second time", async () => {
  const packages = await packagesLoadedBy('require("pulumi-agb/dynamic").session.create.name');
  expect(packages).toContain("undici");
  expect(packages).toContain("zod");
  expect(packages).not.toContain("@pulumi/pulumi");
});
