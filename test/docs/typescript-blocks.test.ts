import { type Annotation, type CodeBlock, findGuideBlocks } from "./code-blocks";
import { typeProblems } from "./typescript-blocks";

// The compiler reads Pulumi's types, which takes long on a busy machine.
jest.setTimeout(120_000);

test("every TypeScript and JavaScript block of the guides compiles as a program against the package", () => {
  expect(typeProblems(findGuideBlocks())).toEqual([]);
});

test("a block that is wrong is reported with its page and line, and what comes before it is taken into account", () => {
  const block = (line: number, code: string, ...annotations: Annotation[]): CodeBlock => ({
    page: "docs/a.md",
    line,
    language: "ts",
    code,
    annotations,
  });
  const given = (line: number, value: string): Annotation => ({ name: "given", value, line });
  const continues: Annotation = { name: "continues", value: "previous", line: 1 };
  const session = 'import { AgbSession } from "pulumi-agb";\nconst web = new AgbSession("web", { imageId: "x" });';

  const problems = typeProblems([
    block(10, session),
    block(20, "web.sessionId;\nweb.noSuchOutput;", continues),
    block(30, "web.sessionId;"),
    block(40, "let count: number = name;", given(38, 'const name = "x";')),
    block(50, 'new AgbSession("web", { imageID: "x" });', given(49, 'import { AgbSession } from "pulumi-agb";')),
    { ...block(60, "const { AgbSesion } = require('pulumi-agb');"), language: "js" },
    block(70, 'import { main } from "./main";\nmain();'),
    block(80, "export function main() {}", { name: "file", value: "main.ts", line: 79 }),
  ]);

  expect(problems).toEqual([
    expect.stringMatching(/^docs\/a\.md:21: Property 'noSuchOutput' does not exist/),
    expect.stringMatching(/^docs\/a\.md:30: Cannot find name 'web'/),
    expect.stringMatching(/^docs\/a\.md:40: Type .* is not assignable to type 'number'/),
    expect.stringMatching(/^docs\/a\.md:50: .*imageID/),
    expect.stringMatching(/^docs\/a\.md:60: .*AgbSesion/),
  ]);
});
