/**
 * The id that GitHub gives a heading, without the number that it adds to a repeated one. The site uses the same, so that a
 * link with an anchor works in both.
 *
 * @param heading the heading's text, without Markdown
 */
export function githubSlug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");
}
