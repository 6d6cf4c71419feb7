import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type typescript from "typescript";

// Pulumi compiles a project that has no TypeScript of its own with the version that it includes.
const vendorDirectory = join(dirname(require.resolve("@pulumi/pulumi/package.json")), "vendor");
const vendored = readdirSync(vendorDirectory).find((name) => name.startsWith("typescript@")) ?? "";
const compiler: typeof typescript = require(join(vendorDirectory, vendored, "typescript.js"));

const distDirectory = join(__dirname, "..", "..", "dist");

test("the oldest TypeScript that compiles Pulumi programs can read the package's types", () => {
  const program = compiler.createProgram([join(distDirectory, "index.d.ts")], {
    moduleResolution: compiler.ModuleResolutionKind.NodeJs,
    types: [],
    noEmit: true,
  });
  const ours = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(distDirectory));

  expect(ours.length).toBeGreaterThan(3);
  expect(
    ours
      .flatMap((file) => program.getSyntacticDiagnostics(file))
      .map(({ file, messageText }) => [file.fileName, messageText]),
  ).toEqual([]);
});
