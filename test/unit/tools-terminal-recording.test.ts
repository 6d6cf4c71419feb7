// The picture of the README, and the parts that draw it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Recorder } from "../../tools/terminal-recording/film";
import { Screen } from "../../tools/terminal-recording/screen";
import { drawFilm } from "../../tools/terminal-recording/svg";

const picturePath = join(__dirname, "..", "..", "docs", "terminal.svg");

/** Returns what a terminal of 20 columns shows after this output, as lines of plain characters. */
function show(...output: string[]): string[] {
  const screen = new Screen(20);
  for (const part of output) {
    screen.write(part);
  }
  return screen
    .read()
    .map((runs) => runs.reduce((line, { text, column }) => line.padEnd(column) + text, ""))
    .filter((line) => line !== "");
}

describe("the terminal", () => {
  test("shows what was written last where a program moves the cursor up and erases lines", () => {
    expect(show("web creating\r\nbrowser creating\r\n", "\r\x1b[2Aweb created\x1b[K\r\n")).toEqual([
      "web created",
      "browser creating",
    ]);
    expect(show("a\r\nb\r\nc\x1b[2A\r\x1b[Jz")).toEqual(["z"]);
  });

  test("forgets a spinner that is erased with backspaces", () => {
    expect(show("wait |", "\b \b/", "\b \b".repeat(6))).toEqual([]);
  });

  test("reads sequences that arrive in two pieces, and shows no part of those it does not know", () => {
    expect(show("\x1b[3", "1mred\x1b", "[0m\x1b]11;?\x1b", "\\ \x1b[?25lplain\x1b[6n\x1b(B")).toEqual(["red plain"]);
  });

  test("keeps colors and weights, and cuts off lines that are too long", () => {
    const screen = new Screen(8);
    screen.write("\x1b[1m\x1b[38;5;13mab\x1b[0mcd\x1b[92me\x1b[39mf\x1b[4mghijk");
    expect(screen.read()).toEqual([
      [
        { text: "ab", column: 0, style: { bold: true, color: 13 } },
        { text: "cd", column: 2, style: {} },
        { text: "e", column: 4, style: { color: 10 } },
        { text: "f", column: 5, style: {} },
        { text: "gh", column: 6, style: { underline: true } },
      ],
    ]);
  });
});

describe("the film", () => {
  const lines = (...texts: string[]) => texts.map((text) => [{ text, column: 0, style: {} }]);

  test("knows when each line looked how, and scrolls when the window is full", () => {
    const recorder = new Recorder(2);
    recorder.show(lines("one"), 100);
    recorder.show(lines("one", "two"), 100);
    recorder.show(lines("one", "TWO", "three"), 100);
    recorder.wait(1000);
    const { versions, scrolls, durationMs } = recorder.finish();
    expect(versions.map(({ runs, ...when }) => ({ text: runs[0]?.text, ...when }))).toEqual([
      { text: "two", line: 1, startMs: 200, endMs: 300 },
      { text: "one", line: 0, startMs: 100 },
      { text: "TWO", line: 1, startMs: 300 },
      { text: "three", line: 2, startMs: 300 },
    ]);
    expect(scrolls).toEqual([
      { startMs: 0, firstLine: 0 },
      { startMs: 300, firstLine: 1 },
    ]);
    expect(durationMs).toBe(1300);
  });

  test("becomes a picture in which the last state is visible without animation", () => {
    const recorder = new Recorder(2);
    recorder.show(lines("before & <now>"), 100);
    recorder.show(lines("after"), 100);
    const svg = drawFilm(recorder.finish(), { columns: 20, rows: 2, title: "A film" });
    expect(svg).toMatch(/<g class="t\w+ x"><text[^>]*>before &amp; &lt;now&gt;<\/text><\/g>/);
    expect(svg).toMatch(/<g class="t\w+"><text[^>]*>after<\/text><\/g>/);
  });
});

describe("docs/terminal.svg", () => {
  const picture = readFileSync(picturePath, "utf8");

  test("is small, loads nothing and runs no script", () => {
    expect(Buffer.byteLength(picture)).toBeLessThan(60_000);
    expect(picture.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /(?:href|src)\s*=|url\(|@import|@font-face|<script|<foreignObject|\son\w+=/i,
    );
  });

  test("shows the whole story and names no folder of the computer that made it", () => {
    const words = picture.replace(/<style>[\s\S]*<\/style>/, "").replace(/<[^>]+>/g, "");
    for (const shown of ["pulumi preview --diff", "created (", "updated (", "~labels,labelsAll", "session-"]) {
      expect(words).toContain(shown);
    }
    expect(words).not.toMatch(/\/(?:home|root|tmp|var|work|Users|usr)\b|file:\/\//);
  });
});
