import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { SourceMapPayload } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { transform } from "esbuild";
import { type OutputChunk, type OutputOptions, type Plugin, type PreRenderedChunk, rollup } from "rollup";
import { refuseWarnings } from "./refuse-warnings";
import { blankDocumentation } from "./without-documentation";

/** Entries of the package, by path in `dist` and in `provider/`. */
const entries = {
  index: "index.ts",
  dynamic: "dynamic.ts",
  "emulator/index": "emulator/index.ts",
  "cli/main": "cli/main.ts",
};

/**
 * Bundles the code of the package as CommonJS: a file for each entry, and files for what several entries share.
 *
 * @param root the folder of the repository
 * @returns contents by path below `dist`
 */
export async function bundleCode(root: string): Promise<Map<string, string>> {
  const chunks = await bundleChunks(root);
  return new Map(await Promise.all(chunks.map(async (chunk) => [chunk.fileName, (await shrink(chunk)).code] as const)));
}

/** Bundles the code like `bundleCode` and returns the source map of each file, by path below `dist`. */
export async function bundleSourceMaps(root: string): Promise<Map<string, SourceMapPayload>> {
  const chunks = await bundleChunks(root, { sourcemap: "hidden" });
  return new Map(await Promise.all(chunks.map(async (chunk) => [chunk.fileName, (await shrink(chunk)).map] as const)));
}

/** Bundles the code without making it small. `moduleIds` of a file are the sources that it holds. */
export async function bundleChunks(root: string, options: OutputOptions = {}): Promise<OutputChunk[]> {
  const sources = join(root, "provider");
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const packages = Object.keys({ ...dependencies, ...peerDependencies });
  const bundle = await rollup({
    input: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(sources, path)])),
    external: (id) => id.startsWith("node:") || packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [readTypeScript(sources), keepFolders(sources)],
    onLog: refuseWarnings,
  });
  try {
    const { output } = await bundle.generate({
      ...options,
      dir: join(root, "dist"),
      format: "cjs",
      exports: "named",
      // As TypeScript compiles imports: the result of `require` is the module.
      interop: "esModule",
      generatedCode: { preset: "es2015", symbols: false },
      // Each file loads only what it uses itself.
      hoistTransitiveImports: false,
      // Without hashes, so that the files in a stack trace have the same names in every version.
      chunkFileNames: (chunk) => nameChunk(chunk, sources),
    });
    return output.filter((file) => file.type === "chunk");
  } finally {
    await bundle.close();
  }
}

/** What only one folder of `provider/` holds goes to the same folder in `dist`. */
function nameChunk({ name, moduleIds }: PreRenderedChunk, sources: string): string {
  const folders = new Set(moduleIds.map((id) => relative(sources, id).split(sep)[0]));
  const [folder = ""] = folders;
  return folders.size === 1 && !folder.endsWith(".ts") ? `${folder}/${folder}.js` : `shared/${name}.js`;
}

function readTypeScript(sources: string): Plugin {
  const isDescribed = (id: string) => id.startsWith(join(sources, "kinds", sep)) || id === join(sources, "config.ts");
  return {
    name: "typescript",
    resolveId(id, importer) {
      if (!id.startsWith(".") || importer === undefined) {
        return null;
      }
      // TypeScript demands the extension in an `import()`.
      const path = join(dirname(importer), id.replace(/\.js$/, ""));
      return [`${path}.ts`, join(path, "index.ts")].find((candidate) => existsSync(candidate)) ?? null;
    },
    async load(id) {
      const source = await readFile(id, "utf8");
      const { code, map } = await transform(isDescribed(id) ? blankDocumentation(source) : source, {
        loader: "ts",
        sourcefile: id,
        sourcemap: true,
        target: "es2022",
        tsconfigRaw: { compilerOptions: { target: "ES2022" } },
      });
      return { code, map };
    },
  };
}

/**
 * Refuses a source that asks for its own folder if the build moves it to another one. Such a source belongs into the folder
 * that its code has in `dist`.
 */
function keepFolders(sources: string): Plugin {
  return {
    name: "keep-folders",
    async renderChunk(_code, { fileName, moduleIds }) {
      for (const id of moduleIds) {
        const path = relative(sources, id);
        if (/\b__dirname\b|\b__filename\b|\bimport\.meta\b/.test(await readFile(id, "utf8"))) {
          if (toSlashes(dirname(path)) !== dirname(fileName)) {
            this.error(`provider/${toSlashes(path)} uses its own folder, but its code goes to dist/${fileName}.`);
          }
        }
      }
      return null;
    },
  };
}

/**
 * Makes code small. Errors keep their names, and stack traces the names of methods. Most lines stay short. Terser does not
 * break a string or some expressions, so a few lines have more than 500 characters.
 */
async function shrink({ code, map }: OutputChunk): Promise<{ code: string; map: SourceMapPayload }> {
  const { minify } = await import("terser");
  const result = await minify(code, {
    toplevel: true,
    keep_classnames: /Error$|^Agb/,
    // A function stays a function, so that it has its own line in a stack trace.
    compress: { ecma: 2022, passes: 3, inline: 1, reduce_funcs: false },
    // Node prints the whole line of an error that nothing catches.
    format: { ecma: 2022, max_line_len: 500 },
    ...(map === null ? {} : { sourceMap: { content: map as never, asObject: true } }),
  });
  return { code: result.code ?? "", map: result.map as SourceMapPayload };
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}
