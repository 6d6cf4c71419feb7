// Finds the code blocks of a Markdown page. Comments directly before a block say where it comes from:
//
//   <!-- source: examples/x/index.ts -->   the block stands word for word in that file, at any indentation
//   <!-- test: test/engine/x.test.ts -->   that test reads the block with `findBlocksOfTest` and runs it
//   <!-- given: import * as pulumi … -->   TypeScript that comes before a fragment; it can have several lines
//   <!-- continues: previous -->           the fragment continues the previous block in the same language
//   <!-- file: main.ts -->                 the block's file name, so that other blocks of the page can import it
//
// Without one of them, `ts` and `js` blocks are type-checked, commands in `sh` blocks are checked against their programs,
// and `json` and `yaml` blocks parse. `text` blocks need a source or a test. Indented blocks count as `sh`.

import { findGuides, readPage } from "./pages";

/** What a comment before a block says about it, such as `<!-- source: examples/x/index.ts -->`. */
export interface Annotation {
  readonly name: string;
  readonly value: string;
  /** The line of the page on which `value` starts, counted from 1. */
  readonly line: number;
}

/** A code block of a page. */
export interface CodeBlock {
  /** Path of the page, from the root of the repository. */
  readonly page: string;
  /** The line of the page on which the code starts, counted from 1. */
  readonly line: number;
  /** What the fence names; `sh` for an indented block. */
  readonly language: string;
  /** The code without the indentation that all its lines share. */
  readonly code: string;
  readonly annotations: readonly Annotation[];
}

/** Returns the code blocks of all guides. */
export function findGuideBlocks(): CodeBlock[] {
  return findGuides().flatMap((page) => findCodeBlocks(page, readPage(page)));
}

/**
 * Returns the blocks that a test reads and runs: those with `<!-- test: TEST -->` before them.
 *
 * @param test path of the test file, from the root of the repository
 */
export function findBlocksOfTest(test: string): CodeBlock[] {
  return findGuideBlocks().filter((block) => annotationOf(block, "test") === test);
}

/** Returns the value of a block's annotation, or undefined if it has none with that name. */
export function annotationOf(block: CodeBlock, name: string): string | undefined {
  return block.annotations.find((annotation) => annotation.name === name)?.value;
}

/** Where a block is, for a message: `docs/index.md:12`. */
export function placeOf({ page, line }: Pick<CodeBlock, "page" | "line">): string {
  return `${page}:${line}`;
}

/** Finds fenced and indented code blocks, also those in lists and quotes. */
export function findCodeBlocks(page: string, content: string): CodeBlock[] {
  const lines = content.split("\n").map((line) => line.replace(/^(> ?)+/, ""));
  const blocks: CodeBlock[] = [];
  let annotations: Annotation[] = [];
  let inList = false;

  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const fence = /^\s*(?:[-*] |\d+\. )?\s*(`{3,}|~{3,})\s*(\S*)/.exec(line);
    const comment = /^\s*<!--/.test(line);
    if (fence) {
      const end = findIndex(lines, index + 1, (each) => each.trim().startsWith(fence[1] ?? ""));
      const code = dedent(lines.slice(index + 1, end));
      blocks.push({ page, line: index + 2, language: fence[2] ?? "", code, annotations });
      annotations = [];
      index = end;
    } else if (comment) {
      const end = findIndex(lines, index, (each) => each.includes("-->"));
      annotations = [...annotations, ...readAnnotation(lines.slice(index, end + 1), index + 1)];
      index = end;
    } else if (isIndented(line) && !inList && isBlank(lines[index - 1])) {
      const end = findIndex(lines, index, (each) => !isIndented(each) && !isBlank(each));
      const code = dedent(lines.slice(index, end)).trimEnd();
      blocks.push({ page, line: index + 1, language: "sh", code, annotations });
      annotations = [];
      index = end - 1;
    } else if (!isBlank(line)) {
      annotations = [];
      inList = /^\s*([-*]|\d+\.) /.test(line) || (inList && /^\s/.test(line));
    }
  }
  return blocks;
}

/** Removes the indentation that all lines share. Blank lines do not count. */
export function dedent(lines: readonly string[]): string {
  const widths = lines.filter((line) => !isBlank(line)).map((line) => /^ */.exec(line)?.[0].length ?? 0);
  const width = Math.min(...widths);
  return lines.map((line) => line.slice(width).trimEnd()).join("\n");
}

function readAnnotation(lines: readonly string[], firstLine: number): Annotation[] {
  const text = lines.join("\n");
  const [, head = "", name = "", value = ""] = /^(\s*<!--\s*([a-z]+):\s*)(.*?)\s*-->/s.exec(text) ?? [];
  return name === "" ? [] : [{ name, value, line: firstLine + head.split("\n").length - 1 }];
}

function findIndex(lines: readonly string[], from: number, matches: (line: string) => boolean): number {
  const found = lines.findIndex((line, index) => index >= from && matches(line));
  return found === -1 ? lines.length : found;
}

function isIndented(line: string): boolean {
  return /^ {4,}\S/.test(line);
}

function isBlank(line: string | undefined): boolean {
  return (line ?? "").trim() === "";
}
