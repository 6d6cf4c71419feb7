// Finds the links, headings and anchors of Markdown pages.

import { githubSlug } from "../../docs/.vitepress/github-slug";
import { findCodeBlocks } from "./code-blocks";

/** A link or picture of a page. */
export interface Link {
  readonly target: string;
  /** The line of the page, counted from 1. */
  readonly line: number;
}

/** Returns the targets of all links and pictures of a page, also those in HTML. */
export function findLinks(page: string, content: string): Link[] {
  const patterns = [
    /\]\(<?([^\s)>]+)>?(?:\s+"[^"]*")?\)/g,
    /^\s*\[[^\]]+\]:\s*<?(\S+?)>?$/g,
    /<(https?:[^\s>]+)>/g,
    /\s(?:href|src)="([^"]*)"/g,
  ];
  return plainLines(page, content).flatMap((line, index) =>
    patterns.flatMap((pattern) => [...line.matchAll(pattern)].map(([, target = ""]) => ({ target, line: index + 1 }))),
  );
}

/** Returns the ids that GitHub gives the headings of a page, in order. */
export function findHeadingIds(page: string, content: string): string[] {
  const ids = new Map<string, number>();
  return plainLines(page, content, { keepInlineCode: true })
    .flatMap((line) => /^(?:> ?)*#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1] ?? [])
    .map((heading) => {
      const slug = githubSlug(plainText(heading));
      const earlier = ids.get(slug) ?? 0;
      ids.set(slug, earlier + 1);
      return earlier === 0 ? slug : `${slug}-${earlier}`;
    });
}

/** Returns all ids that a link to a page may name: those of headings, and those in HTML. */
export function findAnchors(page: string, content: string): Set<string> {
  const own = [...content.matchAll(/<[a-z]+[^>]*\s(?:id|name)="([^"]*)"/g)].map(([, id = ""]) => id);
  return new Set([...findHeadingIds(page, content), ...own]);
}

/** The lines of a page, with code blocks, comments and inline code blanked. */
function plainLines(page: string, content: string, { keepInlineCode = false } = {}): string[] {
  const lines = content.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, "")).split("\n");
  for (const { line, code } of findCodeBlocks(page, content)) {
    const length = code === "" ? 0 : code.split("\n").length;
    lines.fill("", line - 1, line - 1 + length);
  }
  return keepInlineCode ? lines : lines.map((line) => line.replace(/(`+).+?\1/g, "``"));
}

/** The text of a heading without its Markdown. */
function plainText(heading: string): string {
  return heading
    .split(/(`[^`]*`)/)
    .map((part) =>
      part.startsWith("`")
        ? part.slice(1, -1)
        : part.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/(\*\*|\*|\b_|_\b)/g, ""),
    )
    .join("");
}
