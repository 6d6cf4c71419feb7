import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { repositoryRoot } from "./node-process";

/** A fenced code block of a documentation page. */
export interface PageBlock {
  /** `sh`, `ts`, `text` and so on. */
  readonly language: string;
  readonly text: string;
}

/**
 * Reads the blocks of a page that a test runs, in their order. The comment `<!-- test: test/engine/x.test.ts -->` is right
 * above each of them.
 *
 * @param page path in the repository
 * @param testFile path of the test, usually `__filename`
 */
export async function readTestedBlocks(page: string, testFile: string): Promise<PageBlock[]> {
  const markdown = await readFile(join(repositoryRoot, page), "utf8");
  const comment = `<!-- test: ${relative(repositoryRoot, testFile).replaceAll("\\", "/")} -->`;
  return [...markdown.matchAll(/^(<!-- .* -->)\n```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, annotation]) => annotation === comment)
    .map(([, , language = "", text = ""]) => ({ language, text }));
}
