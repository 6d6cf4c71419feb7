/**
 * Parses JSON. A number that JavaScript would print differently, such as one with 20 digits or `1.0`, becomes a string
 * of its digits.
 *
 * @returns `undefined` if the string is not JSON
 */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    const exact = quoteInexactNumbers(text);
    return exact === text ? value : JSON.parse(exact);
  } catch {
    return undefined;
  }
}

/** @param json valid JSON, in which digits and minus signs outside of strings belong to numbers */
function quoteInexactNumbers(json: string): string {
  const stringOrNumber = /["\d-]/g;
  const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
  const parts: string[] = [];
  let copied = 0;
  for (let found = stringOrNumber.exec(json); found !== null; found = stringOrNumber.exec(json)) {
    const start = found.index;
    if (found[0] === '"') {
      stringOrNumber.lastIndex = endOfString(json, start);
      continue;
    }
    number.lastIndex = start;
    const token = number.exec(json)?.[0] ?? found[0];
    stringOrNumber.lastIndex = start + token.length;
    if (String(Number(token)) !== token) {
      parts.push(json.slice(copied, start), `"${token}"`);
      copied = start + token.length;
    }
  }
  return [...parts, json.slice(copied)].join("");
}

/** Returns where the string that begins at `start` ends: after the first quote with an even number of backslashes before it. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === "\\") {
      backslashes++;
    }
    if (backslashes % 2 === 0) {
      return quote + 1;
    }
  }
}
