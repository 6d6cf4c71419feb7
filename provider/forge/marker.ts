/**
 * Puts a marker at the start of Markdown, as an HTML comment that readers do not see.
 *
 * @throws RangeError when the marker could end the HTML comment
 */
export function withMarker(marker: string, markdown: string): string {
  return `${markerLine(marker)}\n${markdown}`;
}

/** Tells whether a text starts with a marker. A text with the marker further below only quotes it. */
export function hasMarker(text: string | null | undefined, marker: string): boolean {
  return text?.trimStart().startsWith(markerLine(marker)) ?? false;
}

function markerLine(marker: string): string {
  if (!/^[\x20-\x7e]+$/.test(marker) || /[<>]/.test(marker)) {
    throw new RangeError(`a marker is one line of plain characters without < and >, not ${JSON.stringify(marker)}`);
  }
  return `<!-- ${marker.replaceAll("--", "-%2D")} -->`;
}
