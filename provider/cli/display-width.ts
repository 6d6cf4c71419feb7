const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** East Asian characters that take two columns of a terminal, emoji, and half-width kana with a voicing mark. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{20000}-\u{3fffd}]|^\p{Emoji_Presentation}|\ufe0f|^.[\uff9e\uff9f]/u;

/** How many columns of a terminal a string takes. The string has no control characters. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
  }
  return width;
}

/** Cuts a string so that it takes at most so many columns. The last one then shows `…`. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) {
    return text;
  }
  let kept = "";
  let width = 1;
  for (const { segment } of graphemes.segment(text)) {
    width += widthOf(segment);
    if (width > columns) {
      break;
    }
    kept += segment;
  }
  return `${kept}…`;
}

function widthOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : /^\p{M}+$/u.test(grapheme) ? 0 : 1;
}
