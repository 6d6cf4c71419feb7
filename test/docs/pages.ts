// The Markdown pages of this repository.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { repositoryRoot } from "../support/node-process";

const skippedFolders = new Set(["node_modules", "dist", "coverage", "cache", ".git", ".quick-start"]);

/** Returns the paths of all Markdown files, from the root of the repository, with `/`, sorted. */
export function findPages(): string[] {
  return findIn(repositoryRoot)
    .map((path) => relative(repositoryRoot, path).split(sep).join("/"))
    .sort();
}

/**
 * Returns the pages that people follow step by step. Their code blocks are checked.
 * A decision record describes the past, and a changelog old versions, so theirs are not.
 */
export function findGuides(): string[] {
  return findPages().filter((page) =>
    /^(README|CONTRIBUTING|SECURITY|AGENTS)\.md$|^docs\/[^/]+\.md$|^(examples|templates)\/[^/]+\/README\.md$/.test(
      page,
    ),
  );
}

/** Returns the content of a page. The path starts at the root of the repository. */
export function readPage(page: string): string {
  return readFileSync(join(repositoryRoot, page), "utf8");
}

function findIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      return skippedFolders.has(entry.name) ? [] : findIn(path);
    }
    return entry.name.endsWith(".md") ? [path] : [];
  });
}
