// Holds the code blocks of the guides to what they show. Each message says where the block is and what to do.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../support/node-process";
import { annotationOf, type CodeBlock, dedent, findCodeBlocks, findGuideBlocks, placeOf } from "./code-blocks";
import { dataProblems } from "./data-blocks";

const blocks = findGuideBlocks();

/** Languages that other tests of this folder check, and `mermaid`, a picture. */
const checkedLanguages = ["ts", "js", "sh", "json", "yaml", "mermaid"];
const annotationNames = ["source", "test", "given", "continues", "file"];

function readRepositoryFile(path: string): string | undefined {
  const file = join(repositoryRoot, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function annotationProblems(block: CodeBlock): string[] {
  return block.annotations
    .filter(({ name }) => !annotationNames.includes(name))
    .map(({ name }) => `${placeOf(block)}: Unknown comment "${name}:". Known are ${annotationNames.join(", ")}.`);
}

function languageProblems(block: CodeBlock): string[] {
  const hasOrigin = annotationOf(block, "source") !== undefined || annotationOf(block, "test") !== undefined;
  if (hasOrigin || checkedLanguages.includes(block.language)) {
    return [];
  }
  return [
    block.language === "text"
      ? `${placeOf(block)}: Nothing checks this output. Put <!-- source: FILE --> or <!-- test: TEST --> before the block.`
      : `${placeOf(block)}: Nothing checks the language "${block.language}". Use ${checkedLanguages.join(", ")} or text.`,
  ];
}

/** Whether the block stands word for word in a file, at any indentation. */
function standsIn(block: CodeBlock, file: string): boolean {
  const wanted = block.code.split("\n");
  const lines = file.split("\n");
  return lines.some((_, start) => dedent(lines.slice(start, start + wanted.length)) === block.code);
}

function sourceProblems(block: CodeBlock): string[] {
  const path = annotationOf(block, "source");
  if (path === undefined) {
    return [];
  }
  const file = readRepositoryFile(path);
  if (file === undefined) {
    return [`${placeOf(block)}: There is no file ${path}. Correct the comment before the block.`];
  }
  return standsIn(block, file) ? [] : [`${placeOf(block)}: This is not in ${path}. Copy the lines from there again.`];
}

function testProblems(block: CodeBlock): string[] {
  const path = annotationOf(block, "test");
  if (path === undefined) {
    return [];
  }
  const file = readRepositoryFile(path);
  if (file === undefined) {
    return [`${placeOf(block)}: There is no test ${path}. Correct the comment before the block.`];
  }
  const reads = /\.test\.ts$/.test(path) && file.includes(`findBlocksOfTest("${path}")`);
  return reads
    ? []
    : [
        `${placeOf(block)}: ${path} does not read this block. Let it call findBlocksOfTest("${path}") and run the code.`,
      ];
}

test("the guides have code blocks, and each kind is checked", () => {
  const languages = new Set(blocks.map(({ language }) => language));
  expect([...languages]).toEqual(expect.arrayContaining(["ts", "sh", "json", "yaml"]));
});

test("comments before a block have a known name", () => {
  expect(blocks.flatMap(annotationProblems)).toEqual([]);
});

test("every block is in a language that is checked, or comes from a file or a test", () => {
  expect(blocks.flatMap(languageProblems)).toEqual([]);
});

test("a block with a source stands word for word in that file", () => {
  expect(blocks.flatMap(sourceProblems)).toEqual([]);
});

test("a block with a test is read by that test", () => {
  expect(blocks.flatMap(testProblems)).toEqual([]);
});

test("json and yaml blocks parse, and files of Pulumi, npm, GitHub and GitLab have only keys that exist", () => {
  expect(blocks.flatMap(dataProblems)).toEqual([]);
});

describe("finding blocks", () => {
  const read = (...lines: string[]) => findCodeBlocks("page.md", lines.join("\n"));

  test("reads fenced blocks at the top, in lists and in quotes, without their indentation", () => {
    expect(read("```ts", "a {", "  b", "```")).toMatchObject([{ language: "ts", code: "a {\n  b", line: 2 }]);
    expect(read("- item", "", "  ```sh", "  ls", "  ```")).toMatchObject([{ language: "sh", code: "ls", line: 4 }]);
    expect(read("> ```sh", "> ls", "> ```")).toMatchObject([{ language: "sh", code: "ls", line: 2 }]);
  });

  test("reads an indented block as shell commands, but not the second line of a list item", () => {
    expect(read("text", "", "    ls", "", "    pwd", "", "text")).toMatchObject([
      { language: "sh", code: "ls\n\npwd" },
    ]);
    expect(read("- item", "", "    more of it")).toEqual([]);
  });

  test("reads the comments directly before a block, and no others", () => {
    expect(read("<!-- source: a.ts -->", "", "```ts", "x", "```")[0]?.annotations).toEqual([
      { name: "source", value: "a.ts", line: 1 },
    ]);
    expect(read("<!-- given:", "let a = 1;", "-->", "```ts", "x", "```")[0]?.annotations).toEqual([
      { name: "given", value: "let a = 1;", line: 2 },
    ]);
    expect(read("<!-- source: a.ts -->", "text", "```ts", "x", "```")[0]?.annotations).toEqual([]);
  });
});

describe("a block that is wrong", () => {
  const block: CodeBlock = { page: "docs/a.md", line: 7, language: "text", code: "x", annotations: [] };
  const annotated = (name: string, value: string, code = "x") => ({
    ...block,
    code,
    annotations: [{ name, value, line: 5 }],
  });

  test("is reported with its place and what to do", () => {
    expect(annotationProblems(annotated("sorce", "a"))).toEqual([expect.stringContaining("docs/a.md:7: Unknown")]);
    expect(languageProblems(block)).toEqual([expect.stringContaining("docs/a.md:7: Nothing checks this output")]);
    expect(sourceProblems(annotated("source", "no/such.ts"))).toEqual([expect.stringContaining("no file no/such.ts")]);
    expect(sourceProblems(annotated("source", "Pulumi.yaml", "no such line"))).toEqual([
      expect.stringContaining("This is not in Pulumi.yaml"),
    ]);
    expect(testProblems(annotated("test", "jest.config.js"))).toEqual([expect.stringContaining("does not read this")]);
    expect(dataProblems({ ...block, language: "yaml", code: "name: x\noption: {}" })).toEqual([
      expect.stringContaining("docs/a.md:7"),
    ]);
    expect(dataProblems({ ...block, language: "json", code: "{" })).toEqual([expect.stringContaining("docs/a.md:7")]);
  });

  test("passes when it is right", () => {
    expect(sourceProblems(annotated("source", "Pulumi.yaml", "refresh: always"))).toEqual([]);
    expect(dataProblems({ ...block, language: "yaml", code: "name: x\noptions: { refresh: always }" })).toEqual([]);
  });
});
