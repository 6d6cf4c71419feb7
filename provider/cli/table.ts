import { cutToWidth, displayWidth } from "./display-width";

const gap = "   ";
/** A narrower last column would show nothing of use, so it is not cut further. */
const narrowestColumn = 10;

/** How to show a table. */
export interface TableLayout {
  /** Columns of the terminal. The last column of the table is cut to fit. Default: no limit. */
  readonly width?: number;
  /** Styles a padded cell. It adds no columns. Row -1 is the head. Default: no styles. */
  readonly style?: (cell: string, row: number, column: number) => string;
}

/**
 * Formats a table without borders. Each cell is one line. Empty cells show `-`, so that programs can count the columns.
 *
 * @returns its lines; none when there are no rows
 */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { width = Number.POSITIVE_INFINITY, style = (cell) => cell }: TableLayout = {},
): string[] {
  if (rows.length === 0) {
    return [];
  }
  const last = head.length - 1;
  const all = [head, ...rows.map((row) => row.map((cell) => cell || "-"))];
  const widths = head.map((_, column) =>
    all.reduce((widest, row) => Math.max(widest, displayWidth(row[column] ?? "")), 0),
  );
  const before = widths.slice(0, last).reduce((sum, columns) => sum + columns + gap.length, 0);
  const lastWidth = Math.max(narrowestColumn, width - before);
  return all.map((row, index) =>
    row
      .map((cell, column) => {
        const padding = column === last ? "" : " ".repeat((widths[column] ?? 0) - displayWidth(cell));
        const shown = column === last ? cutToWidth(cell, lastWidth) : cell;
        return `${style(shown, index - 1, column)}${padding}`;
      })
      .join(gap),
  );
}
