// The documentation as a static site: `npm run docs:dev` shows it, `npm run docs:build` writes it to docs/.vitepress/dist.
//
// At a release, GITHUB_SERVER_URL and GITHUB_REPOSITORY name the repository for links to its files, GITHUB_SHA the commit,
// and DOCS_BASE the path of the site on its host. Without them, the site is for the root of a host and has no such links.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { githubSlug } from "./github-slug.js";
import { excludedFiles, pageOf, readSidebar, rewrites } from "./pages.js";
import { siteLinks } from "./site-links.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const { name, version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const icon = readFileSync(join(root, "provider", "emulator", "console", "icon.svg"), "base64");

const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_SHA, DOCS_BASE = "" } = process.env;
const repositoryUrl = GITHUB_SERVER_URL && GITHUB_REPOSITORY && `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`;

export default defineConfig({
  title: name,
  description,
  lang: "en",
  head: [
    ["link", { rel: "icon", href: `data:image/svg+xml;base64,${icon}` }],
    // The theme's own grey for the name of a code block's language is too pale to read.
    ["style", {}, "html:root { --vp-code-lang-color: var(--vp-c-text-2); }"],
  ],
  // GitHub gives the path without the slash at its end.
  base: `/${DOCS_BASE.replaceAll(/^\/|\/$/g, "")}/`.replace("//", "/"),
  srcDir: "..",
  srcExclude: excludedFiles,
  rewrites,
  cleanUrls: true,
  markdown: {
    // An address in a quoted message is no link.
    linkify: false,
    // The default theme's colours for light pages are too pale on the grey of code blocks.
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    anchor: { slugify: githubSlug },
    config: (markdown) => {
      siteLinks(markdown, { root, pageOf, repositoryUrl: repositoryUrl || undefined, revision: GITHUB_SHA || "main" });
      // GitHub draws these diagrams. The site would show their source, so the text beside a diagram must say the same.
      markdown.core.ruler.push("no_diagrams", (state) => {
        state.tokens = state.tokens.filter(({ type, info }) => type !== "fence" || info !== "mermaid");
      });
    },
  },
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Getting started", link: "/getting-started" },
      { text: "Reference", link: "/reference" },
      { text: "Troubleshooting", link: "/troubleshooting" },
      { text: `Version ${version}`, link: "/changelog" },
    ],
    sidebar: readSidebar(root),
    outline: [2, 3],
    ...(repositoryUrl && { socialLinks: [{ icon: "github", link: repositoryUrl }] }),
  },
});
