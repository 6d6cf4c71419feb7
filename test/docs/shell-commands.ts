// Splits a shell script into its simple commands. It knows the part of the language that the guides use.

/** A program with its arguments. Quotes are removed; a substitution such as `$(date)` is kept as it stands. */
export interface ShellCommand {
  readonly words: readonly string[];
  /** The line of the script on which the command starts, counted from 0. */
  readonly line: number;
}

const separators = /^(?:&&|\|\||[;|&()\n]|\{(?=\s)|\}(?=\s|$))/;
const redirection = /^\d*(?:>>|>&|>|<)&?\s*\d?/;
const assignment = /^[A-Za-z_]\w*=/;

/**
 * Returns the commands of a script, also those inside `$(…)`. Assignments before a command, comments, redirections and
 * here documents are left out.
 */
export function splitCommands(script: string, firstLine = 0): ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let start = firstLine;
  let rest = withoutHereDocuments(script);
  const lineOf = () => firstLine + script.split("\n").length - rest.split("\n").length;

  const finish = () => {
    const program = words.findIndex((word) => !assignment.test(word));
    if (program !== -1) {
      commands.push({ words: words.slice(program), line: start });
    }
    words = [];
  };

  while (rest !== "") {
    const space = /^(?:[ \t]|\\\n)+/.exec(rest)?.[0] ?? "";
    rest = rest.slice(space.length);
    const comment = /^#[^\n]*/.exec(rest)?.[0] ?? "";
    rest = rest.slice(comment.length);
    const separator = separators.exec(rest)?.[0];
    const redirect = redirection.exec(rest)?.[0];
    if (separator !== undefined) {
      finish();
      rest = rest.slice(separator.length);
    } else if (redirect !== undefined) {
      rest = rest.slice(redirect.length);
      if (!/\d$/.test(redirect)) {
        rest = rest.slice(readWord(rest.trimStart()).length + rest.length - rest.trimStart().length);
      }
    } else if (rest !== "") {
      const word = readWord(rest);
      if (words.length === 0) {
        start = lineOf();
      }
      for (const inner of substitutions(word)) {
        commands.push(...splitCommands(inner, lineOf()));
      }
      words.push(withoutQuotes(word));
      rest = rest.slice(Math.max(word.length, 1));
    }
  }
  finish();
  return commands;
}

/** Removes the content of here documents but keeps the number of lines. */
function withoutHereDocuments(script: string): string {
  return script.replace(
    /<<-?\s*(['"]?)(\w+)\1([^\n]*)\n([\s\S]*?)\n\s*\2(?=\n|$)/g,
    (_, _quote, _name, after, body) => `${after}${"\n".repeat(body.split("\n").length + 1)}`,
  );
}

/** The first word with its quotes: what stands before a space, a separator or a redirection. */
function readWord(text: string): string {
  let index = 0;
  while (index < text.length && !/[\s;|&()<>]/.test(text[index] ?? "")) {
    index += partLength(text.slice(index));
  }
  return text.slice(0, index);
}

/** The length of a quoted string, a substitution, an escaped character or a plain character. */
function partLength(text: string): number {
  if (text.startsWith("$(")) {
    return closingParenthesis(text) + 1;
  }
  if (text.startsWith("'")) {
    return endOr(text, text.indexOf("'", 1));
  }
  if (text.startsWith('"')) {
    let index = 1;
    while (index < text.length && text[index] !== '"') {
      index += text[index] === "'" ? 1 : partLength(text.slice(index));
    }
    return index + 1;
  }
  return text.startsWith("\\") ? 2 : 1;
}

function closingParenthesis(text: string): number {
  let index = 2;
  while (index < text.length && text[index] !== ")") {
    index += text[index] === "(" ? closingParenthesis(`$${text.slice(index)}`) : partLength(text.slice(index));
  }
  return index;
}

function endOr(text: string, index: number): number {
  return index === -1 ? text.length : index + 1;
}

/** The scripts inside `$(…)` of a word. Those in single quotes are plain text. */
function substitutions(word: string): string[] {
  const found: string[] = [];
  for (let index = 0; index < word.length; ) {
    const length = word[index] === '"' ? 1 : partLength(word.slice(index));
    if (word.startsWith("$(", index)) {
      found.push(word.slice(index + 2, index + length - 1));
    }
    index += length;
  }
  return found;
}

function withoutQuotes(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs,
    (_, single, double, escaped) => single ?? double ?? escaped,
  );
}
