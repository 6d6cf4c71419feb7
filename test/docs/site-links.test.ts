import { join } from "node:path";
import { type MarkdownIt, siteLinks } from "../../docs/.vitepress/site-links";
import { repositoryRoot } from "../support/node-process";

interface Token {
  readonly type: string;
  readonly children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

/** A token of markdown-it with a link's address. */
function token(type: string, href?: string): Token & { href: string | undefined } {
  return {
    type,
    href,
    children: null,
    attrGet() {
      return this.href ?? null;
    },
    attrSet(_, value) {
      this.href = value;
    },
  };
}

/** Applies the rule to a link in docs/index.md. Returns the tokens' types, and the address if there still is one. */
function rewrite(href: string, repositoryUrl?: string): { types: string[]; href: string | undefined } {
  const children = [token("link_open", href), token("text"), token("link_close")];
  const inline = { ...token("inline"), children };
  const markdown: MarkdownIt = {
    core: {
      ruler: {
        push: (_, rule) => rule({ tokens: [inline], env: { path: join(repositoryRoot, "docs", "index.md") } }),
      },
    },
  };
  const pageOf = (file: string) => (file === "docs/emulator.md" ? "emulator.md" : undefined);
  siteLinks(markdown, { root: repositoryRoot, pageOf, repositoryUrl, revision: "abc" });
  return { types: children.map(({ type }) => type), href: children[0]?.href };
}

const linked = ["link_open", "text", "link_close"];

test("a relative link to a page of the site becomes an address in the site", () => {
  expect(rewrite("emulator.md#security")).toEqual({ types: linked, href: "/emulator.md#security" });
  expect(rewrite("./emulator.md")).toEqual({ types: linked, href: "/emulator.md" });
});

test("a link to another file points to the repository", () => {
  const url = "https://forge.example/acme/agb";

  expect(rewrite("../package.json", url).href).toBe(`${url}/blob/abc/package.json`);
  expect(rewrite("../examples/labelled-sessions/", url).href).toBe(`${url}/tree/abc/examples/labelled-sessions`);
  expect(rewrite("../README.md#try-it", url).href).toBe(`${url}/blob/abc/README.md#try-it`);
});

test("if the repository is not known, only the text of such a link remains", () => {
  expect(rewrite("../package.json").types).toEqual(["text"]);
});

test("other links stay as they are", () => {
  for (const href of ["https://agb.cloud/", "#here", "mailto:a@b.example"]) {
    expect(rewrite(href)).toEqual({ types: linked, href });
  }
});

test("a link to a file that does not exist, or outside the repository, stops the build", () => {
  expect(() => rewrite("no-such.md")).toThrow("docs/index.md: The link no-such.md leads to no file");
  expect(() => rewrite("../../")).toThrow("leads to no file");
});
