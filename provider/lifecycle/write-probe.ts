/**
 * A piece of a script that prints why a file cannot be written, or nothing. A full disk may have room for a few bytes, so it
 * writes 64 KiB. `cat` names the reason, where many shells only say that there was an error. The file stays.
 *
 * @param file a path, quoted for the shell
 */
export function tryToWrite(file: string): string {
  return `{ printf %065536d 0 | cat > ${file}; } 2>&1`;
}
