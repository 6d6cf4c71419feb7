/** How a run of characters looks. */
export interface Style {
  /** One of the 16 colors of terminals. Default: the terminal's own. */
  readonly color?: number;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly underline?: boolean;
}

/** Characters of one line that look alike. */
export interface Run {
  readonly text: string;
  /** The column of the first character, from 0. */
  readonly column: number;
  readonly style: Style;
}

interface Cell {
  readonly character: string;
  readonly style: Style;
}

const esc = "\\u001b";
const tokenPattern = new RegExp(
  [
    // A control sequence, such as ESC [ 31 m: its parameters and its command.
    `${esc}\\[([0-9;?]*)([A-Za-z])`,
    // A question to the terminal or a new title for it: until BEL or ESC \.
    `${esc}\\][^\\u0007${esc}]*(?:\\u0007|${esc}\\\\)`,
    // The choice of a character set, and other short ones.
    `${esc}[()].|${esc}[^[\\]()]`,
    `[^${esc}]`,
  ].join("|"),
  "gu",
);
const unfinishedPattern = new RegExp(`${esc}(?:[()]|\\[[0-9;?]*|\\][^\\u0007${esc}]*${esc}?)?$`);

/**
 * A terminal without a picture. It keeps every line that was ever written, and knows the escape sequences that Pulumi uses:
 * colors, moves of the cursor, erasing. Others are ignored. Lines that are too long are cut off.
 */
export class Screen {
  private readonly lines: Cell[][] = [[]];
  private row = 0;
  private column = 0;
  private style: Style = {};
  private unfinished = "";

  /** @param columns the width of the terminal in characters */
  constructor(private readonly columns: number) {}

  /** Shows what a program has written. */
  write(output: string): void {
    const all = this.unfinished + output;
    this.unfinished = unfinishedPattern.exec(all)?.[0] ?? "";
    const complete = all.slice(0, all.length - this.unfinished.length);
    for (const [token, parameters, command] of complete.matchAll(tokenPattern)) {
      if (command !== undefined) {
        this.obey(command, parameters ?? "");
      } else if (token === "\n") {
        this.moveTo(this.row + 1, this.column);
      } else if (token === "\r") {
        this.column = 0;
      } else if (token === "\b") {
        this.column = Math.max(0, this.column - 1);
      } else if (token >= " ") {
        this.put(token);
      }
    }
  }

  /** Returns every line, each as its runs. Spaces at the end of a line are left out. */
  read(): Run[][] {
    return this.lines.map(joinRuns);
  }

  private put(character: string): void {
    if (this.column < this.columns) {
      const line = this.line();
      while (line.length < this.column) {
        line.push({ character: " ", style: {} });
      }
      line[this.column] = { character, style: this.style };
      this.column += 1;
    }
  }

  private obey(command: string, parameters: string): void {
    const count = Number.parseInt(parameters, 10) || 1;
    if (command === "m") {
      this.style = applyColors(this.style, parameters);
    } else if (command === "A" || command === "B") {
      this.moveTo(Math.max(0, this.row + (command === "A" ? -count : count)), this.column);
    } else if (command === "C" || command === "D") {
      this.column = Math.max(0, this.column + (command === "C" ? count : -count));
    } else if (command === "G") {
      this.column = count - 1;
    } else if (command === "K") {
      this.eraseLine(parameters);
    } else if (command === "J") {
      this.eraseLine(parameters);
      this.lines.splice(this.row + 1);
    }
  }

  private eraseLine(parameters: string): void {
    this.line().splice(parameters === "2" ? 0 : this.column);
  }

  private moveTo(row: number, column: number): void {
    while (this.lines.length <= row) {
      this.lines.push([]);
    }
    this.row = row;
    this.column = column;
  }

  private line(): Cell[] {
    return this.lines[this.row] as Cell[];
  }
}

function joinRuns(cells: readonly Cell[]): Run[] {
  const runs: { text: string; column: number; style: Style }[] = [];
  cells.forEach(({ character, style }, column) => {
    const last = runs.at(-1);
    if (last !== undefined && looksLike(last.style, style)) {
      last.text += character;
    } else {
      runs.push({ text: character, column, style });
    }
  });
  const last = runs.at(-1);
  if (last !== undefined && !last.style.underline) {
    last.text = last.text.trimEnd();
  }
  return runs.filter(({ text }) => text !== "");
}

function looksLike(one: Style, other: Style): boolean {
  return (
    one.color === other.color && one.bold === other.bold && one.dim === other.dim && one.underline === other.underline
  );
}

/** Returns the style after a sequence of codes, such as `1;38;5;2` for bold green. */
function applyColors(style: Style, parameters: string): Style {
  const codes = parameters.split(";").map(Number);
  let { color, ...rest }: Style = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] as number;
    if (code === 0) {
      color = undefined;
      rest = {};
    } else if (code === 1) {
      rest = { ...rest, bold: true };
    } else if (code === 2) {
      rest = { ...rest, dim: true };
    } else if (code === 4) {
      rest = { ...rest, underline: true };
    } else if (code === 38 && codes[index + 1] === 5) {
      color = codes[index + 2];
      index += 2;
    } else if (code === 39) {
      color = undefined;
    } else if (code >= 30 && code <= 37) {
      color = code - 30;
    } else if (code >= 90 && code <= 97) {
      color = code - 82;
    }
  }
  return color === undefined ? rest : { ...rest, color };
}
