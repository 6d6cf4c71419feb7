const longestCell = 200;

/**
 * A value from elsewhere as inline code in Markdown, for a table or a line. Nothing in it acts as Markdown, HTML, a
 * mention or a link. Characters that could end the code or the table cell are replaced by similar ones. Long
 * values are cut off.
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

/** The head of a table: its column titles. */
export function tableHead(titles: readonly string[]): string {
  return `${tableRow(titles)}\n${tableRow(titles.map(() => "---"))}`;
}

/**
 * A block of text that forges show unchanged and offer to copy. Nothing in it can end the block. Control characters are
 * left out, except line breaks and tabs.
 *
 * @param language for the colours, such as `sh`
 */
export function codeBlock(text: string, language: string): string {
  const shown = text.replaceAll(/\r\n?/g, "\n").replaceAll(/[^\P{C}\n\t]/gu, "");
  const longestRun = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longestRun + 1);
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** A link to a web address; the words alone when the address is not one. @param words plain words */
export function link(words: string, address: string | undefined): string {
  if (address === undefined || !/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    return words;
  }
  const target = new URL(address).href.replaceAll(/[()<>[\]\\`|*_~]/g, encodeURIComponentFully);
  return `[${words}](${target})`;
}

/** Cuts off rows beyond a limit of characters, and says how many. */
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
