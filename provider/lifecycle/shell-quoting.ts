/** Quotes a string for `sh`: it stays one word, and nothing in it is expanded. */
export function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
