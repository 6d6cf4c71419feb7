// Type-checks the TypeScript and JavaScript of the guides in one program, with the options of the project template.

import { dirname, join } from "node:path";
import ts from "typescript";
import { repositoryRoot } from "../support/node-process";
import { annotationOf, type CodeBlock, placeOf } from "./code-blocks";

/** A part of a checked file, and where it comes from. */
interface Part {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

/** A file that the compiler checks. */
interface CheckedFile {
  readonly name: string;
  /** What the blocks that it continues bring. Their problems are reported where they stand. */
  readonly before: readonly Part[];
  /** The code of the comment `given`, and the block. */
  readonly own: readonly Part[];
}

/** Files have this folder's siblings as neighbours, so they find `node_modules`. Nothing is written to it. */
const virtualFolder = join(repositoryRoot, "test", "docs", "blocks");

/** Returns what the compiler says about the `ts` and `js` blocks, each with page and line. */
export function typeProblems(blocks: readonly CodeBlock[]): string[] {
  const code = blocks.filter((block) => ["ts", "js"].includes(block.language) && !isCheckedElsewhere(block));
  const orphans = code.filter((block) => isContinuation(block) && previousOf(block, code) === undefined);
  const files = code.map((block) => checkedFile(block, code));
  return [
    ...orphans.map((block) => `${placeOf(block)}: There is no block before it on the page that it could continue.`),
    ...diagnose(files),
  ];
}

/** Whether a block uses the SDK that Pulumi generates for the plugin. The test that generates it also checks the types. */
function isCheckedElsewhere(block: CodeBlock): boolean {
  return annotationOf(block, "test") !== undefined && block.code.includes('from "@pulumi/agb"');
}

function checkedFile(block: CodeBlock, blocks: readonly CodeBlock[]): CheckedFile {
  const fileName = annotationOf(block, "file") ?? `line-${block.line}.${block.language}`;
  const name = join(virtualFolder, block.page.replaceAll(/\W/g, "-"), fileName);
  return { name, before: partsBefore(block, blocks), own: ownParts(block) };
}

function partsBefore(block: CodeBlock, blocks: readonly CodeBlock[]): Part[] {
  const previous = isContinuation(block) ? previousOf(block, blocks) : undefined;
  return previous === undefined ? [] : [...partsBefore(previous, blocks), ...ownParts(previous)];
}

function ownParts(block: CodeBlock): Part[] {
  const given = block.annotations.filter(({ name }) => name === "given");
  return [...given.map(({ line, value }) => ({ page: block.page, line, code: value })), block];
}

function isContinuation(block: CodeBlock): boolean {
  return annotationOf(block, "continues") !== undefined;
}

function previousOf(block: CodeBlock, blocks: readonly CodeBlock[]): CodeBlock | undefined {
  return blocks
    .filter(({ page, line, language }) => page === block.page && language === block.language && line < block.line)
    .at(-1);
}

function contentOf({ name, before, own }: CheckedFile): string {
  const code = [...before, ...own].map((part) => part.code).join("\n");
  // Without an import or export, a fragment would see the names of other fragments.
  return name.endsWith(".js") ? code : `${code}\nexport {};`;
}

function diagnose(files: readonly CheckedFile[]): string[] {
  const contents = new Map(files.map((file) => [file.name, contentOf(file)]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, directoryExists } = host;
  host.fileExists = (name) => contents.has(name) || fileExists.call(host, name);
  host.readFile = (name) => contents.get(name) ?? readFile.call(host, name);
  host.directoryExists = (name) =>
    [...contents.keys()].some((file) => file.startsWith(`${name}/`)) || (directoryExists?.call(host, name) ?? true);
  const getSourceFile = host.getSourceFile;
  host.getSourceFile = (name, target, ...rest) => {
    const content = contents.get(name);
    return content === undefined
      ? getSourceFile.call(host, name, target, ...rest)
      : ts.createSourceFile(name, content, target);
  };

  const program = ts.createProgram([...contents.keys()], options, host);
  return files.flatMap((file) => {
    const source = program.getSourceFile(file.name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.flatMap(({ start = 0, messageText }) => {
      const line = source?.getLineAndCharacterOfPosition(start).line ?? 0;
      const text = ts.flattenDiagnosticMessageText(messageText, " ");
      return describe(file, line, text);
    });
  });
}

/** Names the page's line of a problem. */
function describe({ before, own }: CheckedFile, line: number, text: string): string[] {
  let first = lineCount(before);
  for (const { page, line: start, code } of own) {
    const length = code.split("\n").length;
    if (line >= first && line < first + length) {
      const place = placeOf({ page, line: start + line - first });
      return [`${place}: ${text} ${advice}`];
    }
    first += length;
  }
  return [];
}

const advice =
  "Correct the block. If it is a fragment, put <!-- given: CODE --> or <!-- continues: previous --> before it.";

function lineCount(parts: readonly Part[]): number {
  return parts.reduce((sum, { code }) => sum + code.split("\n").length, 0);
}

/** The options of the project template: what a new project compiles with. */
function compilerOptions(): ts.CompilerOptions {
  const path = join(repositoryRoot, "templates", "agb-typescript", "tsconfig.json");
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, dirname(path));
  return {
    ...options,
    allowJs: true,
    checkJs: true,
    types: ["node", "jest"],
    paths: {
      // The source, so that a build of yesterday changes nothing.
      "pulumi-agb": [join(repositoryRoot, "provider", "index.ts")],
      "pulumi-agb/*": [join(repositoryRoot, "provider", "*"), join(repositoryRoot, "provider", "*", "index.ts")],
    },
  };
}
