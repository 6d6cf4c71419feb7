import { describeDrift, describeNoDrift, driftMarker, driftTitle } from "../../provider/drift/drift-report";

const stack = { project: "shop", stack: "prod" };
const check = { at: new Date("2026-11-22T20:30:59Z"), jobUrl: "https://forge.test/runs/1" };

/** The text that a reader of the Markdown sees as code, by the rules of CommonMark for fences. */
function codeIn(markdown: string): string {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => /^`{3,}text$/.test(line));
  const fence = /^`+/.exec(lines[start] ?? "")?.[0] ?? "";
  const length = lines
    .slice(start + 1)
    .findIndex((line) => /^ {0,3}`+\s*$/.test(line) && line.trim().length >= fence.length);
  return lines.slice(start + 1, start + 1 + length).join("\n");
}

test("the report names the stack, the repair, the time and the job", () => {
  const markdown = describeDrift(stack, "~ team: web", check);
  expect(markdown).toContain("`shop/prod`");
  expect(markdown).toContain("`pulumi up --refresh --stack prod`");
  expect(markdown).toContain("2026-11-22 20:30 UTC by [this job](https://forge.test/runs/1).");
  expect(codeIn(markdown)).toBe("~ team: web");
  expect(describeDrift(stack, "x", { ...check, jobUrl: undefined })).toContain("20:30 UTC.");
  expect(describeNoDrift(stack, check)).toMatch(/^No drift: .*`shop\/prod`/);
  expect([driftTitle(stack), driftMarker(stack)]).toEqual(["Drift in shop/prod", "agb-drift shop/prod"]);
});

test("no text can end its code block", () => {
  for (const text of [
    "```\n@everyone\n```",
    "a\r```\rb",
    "````text\n~~~\n`````",
    "</details> <!-- x -->",
    "`".repeat(9),
  ]) {
    expect(codeIn(describeDrift(stack, text, check))).toBe(text.replaceAll("\r", "\n"));
  }
});

test("control characters are left out", () => {
  expect(codeIn(describeDrift(stack, "\u001b[31mred\u001b[0m\u0000\tx", check))).toBe("[31mred[0m\tx");
});

test("the longest text fits into an issue and is cut between lines and between characters", () => {
  const lines = Array.from({ length: 9_000 }, (_, index) => `line ${index}`).join("\n");
  const markdown = describeDrift(stack, lines, check);
  expect(lines.startsWith(`${codeIn(markdown)}\n`)).toBe(true);
  expect(markdown).toContain("The rest did not fit");

  for (const text of ["`".repeat(70_000), "x".repeat(70_000), `x${"\u{1F600}".repeat(40_000)}`]) {
    const long = describeDrift(stack, text, check);
    expect(long.length).toBeLessThan(65_536);
    expect(encodeURIComponent(long)).not.toBe("");
  }
});
