// Relative links work on GitHub. This makes them work in the site too, where pages have other addresses than files.

import { existsSync, statSync } from "node:fs";
import { posix } from "node:path";

/** A token of markdown-it, as far as links need it. */
interface Token {
  readonly type: string;
  readonly children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** The part of markdown-it that links need. */
export interface MarkdownIt {
  readonly core: {
    readonly ruler: {
      push(name: string, rule: (state: { tokens: Token[]; env: { path: string; realPath?: string } }) => void): void;
    };
  };
}

/** What the links of a site depend on. */
export interface SiteLinks {
  /** The root folder of the repository. */
  readonly root: string;
  /** Returns the page's address below the site, such as `adr/0001.md`, for a file of the repository; undefined if it has none. */
  pageOf(file: string): string | undefined;
  /** The address of the repository, such as `https://HOST/OWNER/NAME`; undefined if it is not known. */
  readonly repositoryUrl: string | undefined;
  /** The branch, tag or commit of the files that links point to. */
  readonly revision: string;
}

/**
 * A rule of markdown-it. A relative link to a page becomes a link within the site. A link to another file of the repository
 * points to the repository. If its address is not known, the link's text remains.
 */
export function siteLinks(markdown: MarkdownIt, options: SiteLinks): void {
  markdown.core.ruler.push("site_links", ({ tokens, env }) => {
    for (const token of tokens) {
      if (token.children !== null) {
        token.children.splice(
          0,
          token.children.length,
          ...rewriteLinks(token.children, env.realPath ?? env.path, options),
        );
      }
    }
  });
}

function rewriteLinks(tokens: readonly Token[], page: string, options: SiteLinks): Token[] {
  let unlinked = false;
  return tokens.filter((token) => {
    if (token.type === "link_open") {
      const address = siteAddress(token.attrGet("href") ?? "", page, options);
      unlinked = address === undefined;
      token.attrSet("href", address ?? "");
      return !unlinked;
    }
    return token.type !== "link_close" || !unlinked;
  });
}

/** Returns where a link of a page leads in the site, or undefined if it leads nowhere there. */
function siteAddress(href: string, page: string, options: SiteLinks): string | undefined {
  if (/^([a-z]+:|#|\/)/i.test(href)) {
    return href;
  }
  const [path = "", anchor] = href.split("#");
  const file = posix.normalize(posix.join(posix.dirname(page), decodeURI(path)));
  const inRepository = posix.relative(options.root, file);
  if (!existsSync(file) || inRepository.startsWith("..")) {
    throw new Error(`${posix.relative(options.root, page)}: The link ${href} leads to no file. Correct it.`);
  }
  const suffix = anchor === undefined ? "" : `#${anchor}`;
  const target = options.pageOf(inRepository);
  if (target !== undefined) {
    return `/${target}${suffix}`;
  }
  if (options.repositoryUrl === undefined) {
    return undefined;
  }
  const kind = statSync(file).isDirectory() ? "tree" : "blob";
  return `${options.repositoryUrl}/${kind}/${options.revision}/${encodeURI(inRepository)}${suffix}`;
}
