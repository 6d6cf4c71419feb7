import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { anchor } from "../../tools/docs/markdown";
import { generatedPages } from "../../tools/docs/pages";

describe.each(generatedPages.map((page) => [basename(page.path), page] as const))("docs/%s", (_name, page) => {
  const content = page.content();

  test("is up to date; if not, run `npm run docs:write`", () => {
    expect(readFileSync(page.path, "utf8")).toBe(content);
  });

  test("has no line over 120 columns", () => {
    expect(content.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  test("has an anchor of its own for each heading, the same on GitHub and in the built site", () => {
    const headings = content
      .replaceAll(/^```[\s\S]*?^```/gm, "")
      .split("\n")
      .flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? []);
    const anchors = headings.map(anchor);
    expect(anchors.filter((name, index) => anchors.indexOf(name) !== index)).toEqual([]);
    expect(anchors.length).toBeGreaterThan(5);
  });

  test("has each anchor that its own links name", () => {
    const headings = [...content.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => text);
    const links = [...content.matchAll(/\]\(#([^)]+)\)/g)].map(([, name = ""]) => name);
    const known = headings.filter((text) => /^[A-Za-z`]/.test(text)).flatMap(safeAnchor);
    expect(links.filter((name) => !known.includes(name))).toEqual([]);
  });
});

test("a heading whose anchor would differ between GitHub and the built site is refused", () => {
  expect(() => anchor("agb:apiKey")).toThrow("differ");
  expect(() => anchor("AgbSession.get")).toThrow("differ");
  expect(anchor("AgbSession: `imageId`")).toBe("agbsession-imageid");
});

function safeAnchor(heading: string): string[] {
  try {
    return [anchor(heading)];
  } catch {
    // A comment in a block of code, which is no heading.
    return [];
  }
}
