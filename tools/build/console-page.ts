import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { build } from "esbuild";

/**
 * Bundles the emulator's console page: its scripts and its style sheet become one file each, under the names that the page
 * refers to.
 *
 * @param root the folder of the repository
 * @returns contents by path below `dist`
 */
export async function bundleConsolePage(root: string): Promise<Map<string, string>> {
  const source = join(root, "provider", "emulator", "console");
  const { outputFiles } = await build({
    entryPoints: [join(source, "console.mjs"), join(source, "console.css")],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    lineLimit: 160,
    outdir: source,
    outExtension: { ".js": ".mjs" },
    write: false,
  });
  const files = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  files.set("index.html", withoutIndentation(await readFile(join(source, "index.html"), "utf8")));
  files.set("icon.svg", await readFile(join(source, "icon.svg"), "utf8"));
  return new Map([...files].map(([name, content]) => [`emulator/console/${name}`, content]));
}

/** The page has no element in which white space at the beginning of a line matters. */
function withoutIndentation(html: string): string {
  return html.replaceAll(/^[ \t]+/gm, "");
}
