import * as fc from "fast-check";
import { printable } from "../../provider/api/outside-text";
import { formatAge } from "../../provider/cli/age";
import { cutToWidth, displayWidth } from "../../provider/cli/display-width";
import { formatTable } from "../../provider/cli/table";

const cells = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => printable(text));

describe("the width of a string on a terminal", () => {
  test.each([
    ["", 0],
    ["web", 3],
    ["日本語", 6],
    ["ｶﾞ", 2],
    ["Ａ", 2],
    ["é", 1],
    ["e\u0301", 1],
    ["👍", 2],
    ["👩‍👩‍👧", 2],
    ["🇩🇪", 2],
    ["한국", 4],
    ["←→…", 3],
  ])("%s", (text, columns) => {
    expect(displayWidth(text)).toBe(columns);
  });

  test("is the sum of the widths of its characters", () => {
    fc.assert(
      fc.property(cells, cells, (one, other) => {
        expect(displayWidth(`${one} ${other}`)).toBe(displayWidth(one) + 1 + displayWidth(other));
      }),
    );
  });

  test("is never exceeded by a string that was cut to it, and what fits stays as it is", () => {
    fc.assert(
      fc.property(cells, fc.integer({ min: 1, max: 30 }), (text, columns) => {
        const cut = cutToWidth(text, columns);
        expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
        expect(cut === text || cut.endsWith("…")).toBe(true);
        expect(displayWidth(text) <= columns ? cut : text).toBe(text);
      }),
    );
  });
});

describe("a table", () => {
  test("has aligned columns without borders, and shows empty cells as -", () => {
    const rows = [
      ["session-1", "RUNNING", "", "team=web"],
      ["session-22", "", "日本語", ""],
      ["s", "DELETING", "x", "a=b"],
    ];
    expect(formatTable(["SESSION ID", "STATUS", "RESOURCE", "LABELS"], rows)).toEqual([
      "SESSION ID   STATUS     RESOURCE   LABELS",
      "session-1    RUNNING    -          team=web",
      "session-22   -          日本語     -",
      "s            DELETING   x          a=b",
    ]);
  });

  test("without rows has no lines", () => {
    expect(formatTable(["A"], [])).toEqual([]);
  });

  test("keeps every column at its place, whatever the cells hold", () => {
    const table = fc.array(fc.tuple(cells, cells, cells), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(table, (rows) => {
        const lines = formatTable(["A", "B", "C"], rows);
        const before = lines.map((line, index) => {
          const last = index === 0 ? "C" : rows[index - 1]?.[2] || "-";
          return displayWidth(line) - displayWidth(last);
        });
        expect(new Set(before).size).toBe(1);
        expect(lines).toHaveLength(rows.length + 1);
      }),
    );
  });

  test("cuts its last column to the width of a terminal, and no other column", () => {
    const rows = [["session-1", "a-long-label=with-a-long-value,b=c"]];
    expect(formatTable(["SESSION ID", "LABELS"], rows, { width: 30 })).toEqual([
      "SESSION ID   LABELS",
      "session-1    a-long-label=wit…",
    ]);
    expect(formatTable(["SESSION ID", "LABELS"], rows, { width: 5 })[1]).toBe("session-1    a-long-la…");
  });

  test("pads a styled cell by what is seen of it", () => {
    const style = (cell: string, row: number) => (row === -1 ? cell : `<${cell}>`);
    expect(formatTable(["A", "B"], [["x", "y"]], { style })).toEqual(["A   B", "<x>   <y>"]);
  });
});

test.each([
  [0, "0s"],
  [59_999, "59s"],
  [60_000, "1m"],
  [3_599_000, "59m"],
  [3_600_000, "1h"],
  [86_400_000 * 2.5, "2d"],
  [-5_000, "0s"],
])("an age of %d ms is %s", (ms, text) => {
  expect(formatAge(new Date(1_000_000_000_000), 1_000_000_000_000 + ms)).toBe(text);
});
