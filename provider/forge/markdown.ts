const longestCell = 200;

/**
 * A value from elsewhere as Markdown that shows it as code, in a table or in a line of text: nothing in it is taken for
 * Markdown, HTML, a mention or a link. Characters that could end the code or the table's cell are replaced by ones
 * that look alike. Long values are cut off.
 */
export function literal(value: string): string {
  const line = value
    .replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .trim()
    .replaceAll("`", "\u02cb")
    .replaceAll("|", "\u2223");
  const characters = [...line];
  const shown = characters.length > longestCell ? [...characters.slice(0, longestCell - 1), "…"] : characters;
  return shown.length === 0 ? "" : `\`${shown.join("")}\``;
}

/** A row of a table; the cells are Markdown. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The first rows of a table: what the columns are. */
export function tableHead(titles: readonly string[]): string {
  return `${tableRow(titles)}\n${tableRow(titles.map(() => "---"))}`;
}

/**
 * A block of text that forges show as it is and offer to copy; nothing in it can end the block. Control
 * characters are left out, but for line ends and tabs.
 *
 * @param language how it is coloured, such as `sh`
 */
export function codeBlock(text: string, language: string): string {
  const shown = text.replaceAll(/\r\n?/g, "\n").replaceAll(/[^\P{C}\n\t]/gu, "");
  const longestRun = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longestRun + 1);
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** A link to an address of the web; the words alone when the address is none. @param words plain words */
export function link(words: string, address: string | undefined): string {
  if (address === undefined || !/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    return words;
  }
  const target = new URL(address).href.replaceAll(/[()<>[\]\\`|*_~]/g, encodeURIComponentFully);
  return `[${words}](${target})`;
}

/** Cuts off rows that would make a text longer than a limit, and says how many. */
export function rowsWithin(rows: readonly string[], limitCharacters: number): string[] {
  const kept: string[] = [];
  let left = limitCharacters;
  for (const row of rows) {
    left -= row.length + 1;
    if (left < 0) {
      return [...kept, "", `… and ${rows.length - kept.length} more.`];
    }
    kept.push(row);
  }
  return kept;
}

function encodeURIComponentFully(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}
