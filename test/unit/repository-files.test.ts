// The files that forges, editors and newcomers read: templates, Dependabot, AGENTS.md, SECURITY.md and the like.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readWorkflow, repositoryDirectory, workflowNames } from "../support/workflow-files";

const read = (...path: string[]) => readFileSync(join(repositoryDirectory, ...path), "utf8");
const exists = (path: string) => existsSync(join(repositoryDirectory, path));
const { scripts, engines }: { scripts: Record<string, string>; engines: { node: string } } = JSON.parse(
  read("package.json"),
);

describe("issue forms", () => {
  interface FormElement {
    readonly type: string;
    readonly id?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }
  const folder = join(".github", "ISSUE_TEMPLATE");
  const names = readdirSync(join(repositoryDirectory, folder)).filter((name) => name !== "config.yml");

  test("there is one for bugs and one for features", () => {
    expect(names.sort()).toEqual(["bug.yml", "feature.yml"]);
  });

  test.each(names)("%s has every field that GitHub requires", (name) => {
    const form: { name: string; description: string; body: FormElement[] } = parse(read(folder, name));
    expect(form).toMatchObject({ name: expect.stringMatching(/\S/), description: expect.stringMatching(/\S/) });
    expect(form.body.some(({ type }) => type !== "markdown")).toBe(true);
    const ids = form.body.flatMap(({ id }) => id ?? []);
    expect(ids).toEqual([...new Set(ids)]);
    for (const { type, attributes } of form.body) {
      expect(["markdown", "input", "textarea", "dropdown", "checkboxes"]).toContain(type);
      expect(attributes[type === "markdown" ? "value" : "label"]).toEqual(expect.stringMatching(/\S/));
    }
  });

  test.each(names)("%s links only to files of this repository", (name) => {
    const links = [...read(folder, name).matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => link);
    for (const link of links) {
      expect(link).toMatch(/^\.\.\/blob\/HEAD\//);
    }
  });

  test("the links beside the forms have a name, an address and a description", () => {
    const { contact_links }: { contact_links: unknown[] } = parse(read(folder, "config.yml"));
    for (const link of contact_links) {
      expect(link).toEqual({
        name: expect.stringMatching(/\S/),
        url: expect.stringMatching(/^https:\/\/\S+$/),
        about: expect.stringMatching(/\S/),
      });
    }
  });
});

test("Dependabot updates npm packages and actions, and knows no other folder than existing ones", () => {
  const { version, updates }: { version: number; updates: Record<string, unknown>[] } = parse(
    read(".github", "dependabot.yml"),
  );
  expect(version).toBe(2);
  expect(updates.map((update) => update["package-ecosystem"])).toEqual(["npm", "github-actions"]);
  for (const update of updates) {
    expect(update).toMatchObject({ directory: "/", schedule: { interval: expect.any(String) } });
  }
});

test(".editorconfig agrees with Biome's formatter", () => {
  const { formatter }: { formatter: { indentStyle: string; indentWidth: number; lineWidth: number } } = JSON.parse(
    read("biome.json"),
  );
  const [, everyFile = ""] = read(".editorconfig").split(/^\[.*\]$/m);
  expect(
    Object.fromEntries(
      everyFile
        .trim()
        .split("\n")
        .map((line) => line.split(" = ")),
    ),
  ).toMatchObject({
    indent_style: formatter.indentStyle,
    indent_size: String(formatter.indentWidth),
    max_line_length: String(formatter.lineWidth),
  });
});

describe.each(["AGENTS.md", "CONTRIBUTING.md"])("%s", (name) => {
  const text = read(name);

  test("names only npm scripts that exist", () => {
    const named = [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)];
    expect(named.length).toBeGreaterThan(3);
    for (const [, script, short] of named) {
      expect(Object.keys(scripts)).toContain(script ?? short);
    }
  });

  test("names only folders and files that exist", () => {
    // Names such as agb-thing and x stand for what a reader will write.
    const named = [
      ...text.matchAll(/(?<![\w./-])((?:provider|test|tools|docs|examples|templates|ci|\.github)\/[\w./-]*)/g),
    ]
      .map(([, path = ""]) => path.replace(/[.]$/, ""))
      .filter((path) => !/thing|\/x[./]/.test(path));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !exists(path))).toEqual([]);
  });
});

test("AGENTS.md fits on one screen", () => {
  expect(read("AGENTS.md").trimEnd().split("\n").length).toBeLessThanOrEqual(40);
});

test("SECURITY.md names every permission of every workflow", () => {
  for (const name of workflowNames()) {
    const [, line = ""] =
      new RegExp(`^- \`${name}\`([\\s\\S]*?)(?=\\n- |\\n\\n)`, "m").exec(describedWorkflows()) ?? [];
    const granted = Object.values(readWorkflow(name).jobs).flatMap(({ permissions = {} }) =>
      Object.entries(permissions).map(([scope, access]) => `\`${scope}: ${access}\``),
    );
    const described = [...new Set([...line.matchAll(/`[a-z-]+: (?:read|write)`/g)].map(([permission]) => permission))];
    expect({ name, described: described.sort() }).toEqual({ name, described: [...new Set(granted)].sort() });
  }
});

test("the changelog names the required version of Node.js", () => {
  expect(read("CHANGELOG.md")).toContain(`Node.js ${engines.node.replace(">=", "")} or newer`);
});

/** The list of SECURITY.md, with one entry for each workflow where two share an entry. */
function describedWorkflows(): string {
  return read("SECURITY.md").replace(
    /^- `([\w-]+\.yml)` and `([\w-]+\.yml)`:([\s\S]*?)(?=\n- )/gm,
    (_, one, other, text) => `- \`${one}\`:${text}\n- \`${other}\`:${text}`,
  );
}
