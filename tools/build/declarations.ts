import { join } from "node:path";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { refuseWarnings } from "./refuse-warnings";

/** Entries of the package that programs can import, by path in `dist` and in `provider/`. */
const entries = {
  index: "index.ts",
  dynamic: "dynamic.ts",
  "emulator/index": "emulator/index.ts",
};

/**
 * Bundles the type declarations: one file for each entry, with the declarations that it needs and their comments.
 *
 * @param root the folder of the repository
 * @returns contents by path below `dist`
 */
export async function bundleDeclarations(root: string): Promise<Map<string, string>> {
  const bundle = await rollup({
    input: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, "provider", path)])),
    external: (id) => !id.startsWith(".") && !id.startsWith("/"),
    plugins: [dts({ tsconfig: join(root, "tsconfig.json"), compilerOptions: { types: ["node"] } })],
    onLog: refuseWarnings,
  });
  try {
    const { output } = await bundle.generate({
      format: "es",
      entryFileNames: "[name].d.ts",
      chunkFileNames: "shared/[name].d.ts",
    });
    return new Map(output.flatMap((file) => (file.type === "chunk" ? [[file.fileName, indentByTabs(file.code)]] : [])));
  } finally {
    await bundle.close();
  }
}

/** A tab for four spaces: a tenth of the declarations is indentation. */
function indentByTabs(code: string): string {
  return code.replaceAll(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}
