// Builds the documentation's site as a release does, checks every link and anchor of its HTML, and looks at it in a browser.

import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { pageOf } from "../../docs/.vitepress/pages";
import { describeWithChromium, launchChromium } from "../support/chromium";
import { repositoryRoot } from "../support/node-process";
import { buildSite, fileFor, findHtmlFiles, release, serveSite } from "./built-site";
import { hostProblems } from "./hosts";
import { findHeadingIds } from "./links";
import { findPages, readPage } from "./pages";

// A build takes 20 seconds on a busy machine.
jest.setTimeout(300_000);

/** A script for the browser that returns the text whose contrast is too low. */
const findLowContrast = readFileSync(join(__dirname, "low-contrast.mjs"), "utf8");

let folder: string;
let output: string;
/** The content of each HTML file. */
const html = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pulumi-agb-site-"));
  output = await buildSite(folder);
  for (const file of findHtmlFiles(folder)) {
    html.set(file, await readFile(join(folder, file), "utf8"));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function idsIn(file: string): Set<string> {
  return new Set([...(html.get(file) ?? "").matchAll(/\sid="([^"]*)"/g)].map(([, id = ""]) => id));
}

/** What is wrong with an address in a page of the site. */
function addressProblems(page: string, address: string): string[] {
  if (/^[a-z]+:/i.test(address)) {
    return address.startsWith(`${release.repositoryUrl}/`) || address === release.repositoryUrl
      ? []
      : hostProblems(address);
  }
  const [path = "", anchor] = address.split("#");
  if (path !== "" && !path.startsWith(release.base)) {
    return ["is outside the base path."];
  }
  const file = path === "" ? join(folder, page) : fileFor(folder, decodeURI(path.slice(release.base.length)));
  if (file === undefined) {
    return ["leads to no page."];
  }
  const target = file.slice(folder.length + 1);
  return anchor === undefined || anchor === "" || idsIn(target).has(decodeURIComponent(anchor))
    ? []
    : [`${target} has no such id.`];
}

test("the build prints no warning", () => {
  const steps =
    /^(vitepress v[\d.]+|[-✓] (building client \+ server bundles|rendering pages)\.\.\.|build complete in .*)$/;
  const lines = output.split("\n").map((line) => line.trim());
  expect(lines.filter((line) => line !== "" && !steps.test(line))).toEqual([]);
});

test("every link, picture, script and anchor of the site exists, below the base path of a project's site", () => {
  const addresses = [...html].flatMap(([page, content]) =>
    [...content.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, address = ""]) => ({
      page,
      address: address.replaceAll("&amp;", "&"),
    })),
  );

  expect(addresses.length).toBeGreaterThan(500);
  expect(
    addresses.flatMap(({ page, address }) =>
      addressProblems(page, address).map((problem) => `${page}: ${address} ${problem}`),
    ),
  ).toEqual([]);
});

test("a page is one of the site if it is in docs, and headings have the same ids there as on GitHub", () => {
  const pages = findPages().flatMap((file) => {
    const page = pageOf(file);
    return page === undefined ? [] : [{ file, name: page.replace(/\.md$/, ".html") }];
  });

  expect(pages.map(({ name }) => name).sort()).toEqual([...html.keys()].filter((name) => name !== "404.html"));
  for (const { file, name } of pages) {
    const ids = [...(html.get(name) ?? "").matchAll(/<h[1-6][^>]* id="([^"]*)"/g)].map(([, id]) => id);
    expect([file, ids]).toEqual([file, findHeadingIds(file, readPage(file))]);
  }
});

test("the sidebar of every page lists all decision records and all guides", async () => {
  const records = (await readdir(join(repositoryRoot, "docs", "adr"))).map((name) => `adr/${name}`);
  const guides = (await readdir(join(repositoryRoot, "docs"))).filter((name) => name.endsWith(".md"));
  const sidebar = /<aside class="VPSidebar[\s\S]*?<\/aside>/.exec(html.get("emulator.html") ?? "")?.[0] ?? "";

  expect(records.length).toBeGreaterThan(15);
  for (const page of [...records, ...guides, "contributing.md", "changelog.md"]) {
    expect(sidebar).toContain(`href="${release.base}${page.replace(/(index)?\.md$/, "")}"`);
  }
});

test("no page shows the source of a diagram", () => {
  expect([...html].filter(([, content]) => content.includes("language-mermaid")).map(([page]) => page)).toEqual([]);
});

test("the site says which version it documents", async () => {
  const { version } = JSON.parse(await readFile(join(repositoryRoot, "package.json"), "utf8"));
  expect(html.get("index.html")).toContain(`Version ${version}`);
});

describeWithChromium("the site in a browser", (chromiumPath) => {
  let site: Awaited<ReturnType<typeof serveSite>>;
  let browser: Browser;
  let page: Page;
  let problems: string[];

  beforeAll(async () => {
    site = await serveSite(folder);
    browser = await launchChromium(chromiumPath);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  afterEach(async () => {
    // Closing the page ends requests for pages that it loads ahead.
    const found = [...problems];
    await page.context().close();
    expect(found).toEqual([]);
  });

  async function open(path: string, width: number, colorScheme: "light" | "dark"): Promise<void> {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 900 },
      reducedMotion: "reduce",
    });
    page = await context.newPage();
    problems = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        problems.push(message.text());
      }
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(site.url)) {
        problems.push(`request to ${request.url()}`);
      }
    });
    page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
    page.on("response", (response) => {
      if (response.status() >= 400) {
        problems.push(`${response.status()}: ${response.url()}`);
      }
    });
    await page.goto(`${site.url}${path}`, { waitUntil: "networkidle" });
  }

  test("the check of contrast finds grey text on white and not black text", async () => {
    page = await (await browser.newContext()).newPage();
    problems = [];
    await page.setContent('<p style="color: rgb(150 150 150)">grey</p><p>black</p>');

    expect(await page.evaluate(findLowContrast)).toEqual([expect.stringMatching(/^2\.\d+ p\.: grey$/)]);
  });

  describe.each([
    ["phone", 390],
    ["desktop", 1440],
  ])("on a %s", (_, width) => {
    test.each([
      ["", "light"],
      ["", "dark"],
      ["reference", "light"],
      ["reference", "dark"],
    ] as const)("the page /%s in %s colours fits, shows its heading and is readable", async (path, colorScheme) => {
      await open(path, width, colorScheme);

      expect(await page.getByRole("heading", { level: 1 }).isVisible()).toBe(true);
      expect(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")).toBeLessThanOrEqual(0);
      expect(await page.evaluate(`document.documentElement.classList.contains("dark")`)).toBe(colorScheme === "dark");
      expect(await page.evaluate(findLowContrast)).toEqual([]);
    });

    test("the search finds imageId and opens the reference", async () => {
      await open("", width, "light");

      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("searchbox").fill("imageId");
      await page
        .getByRole("option")
        .filter({ hasText: /reference/i })
        .first()
        .click();
      await page.waitForURL(/\/reference(#.*)?$/);

      expect(await page.getByRole("heading", { level: 1 }).isVisible()).toBe(true);
    });
  });
});
