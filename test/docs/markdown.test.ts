// Checks links, anchors and line widths in the repository's Markdown.

import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { githubSlug } from "../../docs/.vitepress/github-slug";
import { repositoryRoot } from "../support/node-process";
import { findCodeBlocks } from "./code-blocks";
import { hostProblems } from "./hosts";
import { findAnchors, findHeadingIds, findLinks } from "./links";
import { findPages, readPage } from "./pages";

const pages = findPages();

function linkProblems(page: string, content: string): string[] {
  return findLinks(page, content).flatMap(({ target, line }) =>
    targetProblems(page, target).map((problem) => `${page}:${line}: ${target}: ${problem}`),
  );
}

function targetProblems(page: string, target: string): string[] {
  if (/^[a-z]+:/i.test(target)) {
    return hostProblems(target);
  }
  if (target.startsWith("/")) {
    return ["Use a path that is relative to the page. GitHub and the site understand it both."];
  }
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : posix.normalize(posix.join(posix.dirname(page), decodeURI(path)));
  if (file.startsWith("..") || !existsSync(join(repositoryRoot, file))) {
    return ["There is no such file."];
  }
  if (anchor === undefined || !file.endsWith(".md")) {
    return [];
  }
  return findAnchors(file, readPage(file)).has(anchor) ? [] : [`${file} has no heading or id "${anchor}".`];
}

/** Lines over 120 columns. Rows of generated tables and lines that a link makes long are allowed. */
function wideLines(page: string, content: string): string[] {
  const isGenerated = content.startsWith("<!-- Written by ");
  return content.split("\n").flatMap((line, index) => {
    const withoutTargets = line.replace(/\]\([^)]*\)/g, "").replace(/https?:\S+/g, "");
    const allowed = isGenerated || withoutTargets.length <= 120;
    return allowed ? [] : [`${page}:${index + 1}: ${line.length} columns. Break the line after at most 120.`];
  });
}

test("every link and anchor in Markdown leads to something that exists", () => {
  expect(pages.length).toBeGreaterThan(25);
  expect(pages.flatMap((page) => linkProblems(page, readPage(page)))).toEqual([]);
});

test("a link that leads nowhere is reported with its page and line", () => {
  const content = [
    "# A `b.c` (d)",
    "[no file](no-such.md) [no heading](README.md#no-such) [a host](https://unknown.example/x)",
    "[itself](#a-bc-d) `[code](no.md)`",
    '<img src="docs/no.png"> [absolute](/docs)',
    "```sh",
    "[in a block](no.md)",
    "```",
  ];
  expect(linkProblems("x.md", content.slice(1, 2).join("\n"))).toEqual([
    "x.md:1: no-such.md: There is no such file.",
    'x.md:1: README.md#no-such: README.md has no heading or id "no-such".',
    expect.stringContaining("x.md:1: https://unknown.example/x: "),
  ]);
  expect(linkProblems("x.md", content.slice(3).join("\n"))).toEqual([
    expect.stringContaining("x.md:1: /docs: Use a path that is relative"),
    "x.md:1: docs/no.png: There is no such file.",
  ]);
  expect(findHeadingIds("x.md", content.join("\n"))).toEqual(["a-bc-d"]);
});

// Facts about GitHub, with the headings that tend to go wrong.
test.each([
  ["AGB201: No key is set", "agb201-no-key-is-set"],
  ["What's new? (v1.0)", "whats-new-v10"],
  ["`AgbSession` and files", "agbsession-and-files"],
  ["pulumi-agb sweep", "pulumi-agb-sweep"],
  ["agb:apiKey", "agbapikey"],
  ["Up & down", "up--down"],
  ["snake_case stays", "snake_case-stays"],
])("the heading %j has GitHub's id", (heading, id) => {
  expect(githubSlug(heading.replaceAll("`", ""))).toBe(id);
  expect(findHeadingIds("x.md", `## ${heading}`)).toEqual([id]);
});

test("repeated headings get numbers", () => {
  expect(findHeadingIds("x.md", "# A\n## B\n## B\n## B")).toEqual(["a", "b", "b-1", "b-2"]);
});

test("the README is short, and no line of it is wider than 120 columns", () => {
  const lines = readPage("README.md").trimEnd().split("\n");

  expect(lines.length).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
});

test("no line of the documentation is wider than 120 columns", () => {
  const guides = pages.filter((page) => page.startsWith("docs/"));

  expect(guides.length).toBeGreaterThan(15);
  expect(guides.flatMap((page) => wideLines(page, readPage(page)))).toEqual([]);
});

test("a wide line is reported, but not one that a link or a generator makes wide", () => {
  const long = "word ".repeat(30);
  expect(wideLines("x.md", `short\n${long}`)).toEqual([expect.stringContaining("x.md:2: 150 columns")]);
  expect(wideLines("x.md", `[a](https://host.example/${"x".repeat(150)})`)).toEqual([]);
  expect(wideLines("x.md", `<!-- Written by \`npm run docs:write\`. -->\n${long}`)).toEqual([]);
});

// VitePress would read the first as an attribute and the second as code of its own.
test("no page has text that GitHub and the site show differently", () => {
  const problems = pages
    .filter((page) => page.startsWith("docs/"))
    .flatMap((page) => {
      const content = readPage(page);
      const inBlocks = new Set(
        findCodeBlocks(page, content).flatMap(({ line, code }) => code.split("\n").map((_, index) => line + index)),
      );
      return content
        .split("\n")
        .flatMap((line, index) =>
          !inBlocks.has(index + 1) && /^#.*\{#|\{\{/.test(line.replace(/`[^`]*`/g, "")) ? [`${page}:${index + 1}`] : [],
        );
    });
  expect(problems).toEqual([]);
});
