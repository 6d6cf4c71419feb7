// Which files are pages of the site, and in which order the sidebar lists them.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** An entry of the sidebar. */
interface SidebarEntry {
  readonly text: string;
  readonly link: string;
}

/** A titled part of the sidebar. */
interface SidebarGroup {
  readonly text: string;
  readonly items: SidebarEntry[];
  readonly collapsed?: boolean;
}

/** Files at the root of the repository that are pages too, with their names in the site. */
const rootPages: Readonly<Record<string, string>> = {
  "CONTRIBUTING.md": "contributing.md",
  "SECURITY.md": "security.md",
  "CODE_OF_CONDUCT.md": "code-of-conduct.md",
  "CHANGELOG.md": "changelog.md",
};

/** The guides by need, with the words of the sidebar where the page's title would be too long. */
const groups: Readonly<Record<string, readonly (readonly [page: string, text?: string])[]>> = {
  Start: [
    ["docs/index.md", "Overview"],
    ["docs/getting-started.md", "Getting started"],
  ],
  Use: [
    ["docs/reference.md", "Reference"],
    ["docs/behaviour.md", "Behaviour"],
    ["docs/commands-and-files.md", "Commands and files"],
    ["docs/guarantees.md", "Guarantees"],
    ["docs/troubleshooting.md", "Troubleshooting"],
    ["docs/ci-previews.md", "Preview environments"],
    ["docs/terminal.md", "In the terminal"],
    ["docs/emulator.md", "Emulator"],
    ["docs/native-plugin.md", "Native plugin"],
    ["docs/migrating.md", "Migrating"],
  ],
  Project: [
    ["CONTRIBUTING.md", "Contributing"],
    ["SECURITY.md", "Security"],
    ["CODE_OF_CONDUCT.md", "Code of conduct"],
    ["CHANGELOG.md", "Changelog"],
  ],
};

const decisionsFolder = "docs/adr";

/** Patterns of Markdown files that are no pages of the site. */
export const excludedFiles = ["!(docs)/**/*.md", `!(${Object.keys(rootPages).join("|").replaceAll(".md", "")}).md`];

/** Where VitePress puts the pages. */
export const rewrites = { "docs/:page*": ":page*", ...rootPages };

/** Returns a file's page in the site, such as `contributing.md` for `CONTRIBUTING.md`; undefined if it is none. */
export function pageOf(file: string): string | undefined {
  const [, page] = /^docs\/(.*\.md)$/.exec(file) ?? [];
  return page ?? rootPages[file];
}

/** Returns the sidebar: the guides that exist, by need, then all decision records. */
export function readSidebar(root: string): SidebarGroup[] {
  const guides = Object.entries(groups).map(([text, pages]) => ({
    text,
    items: pages
      .filter(([file]) => existsSync(join(root, file)))
      .map(([file, title]) => ({ text: title ?? readTitle(join(root, file)), link: linkTo(file) })),
  }));
  const records = readdirSync(join(root, decisionsFolder))
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `${decisionsFolder}/${name}`);
  const decisions = records.map((file) => ({ text: readTitle(join(root, file)), link: linkTo(file) }));
  return [...guides, { text: "Decisions", collapsed: true, items: decisions }];
}

function linkTo(file: string): string {
  return `/${(pageOf(file) ?? file).replace(/(index)?\.md$/, "")}`;
}

function readTitle(path: string): string {
  return /^# (.*)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? path;
}
