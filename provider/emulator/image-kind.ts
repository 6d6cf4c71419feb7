/** What a session of an image is for; decides which tools it has. */
export type ImageKind = "code" | "browser" | "computer";

/** The kind that an image's id tells. Custom images count as code images, as nothing else is known about them. */
export function imageKind(imageId: string): ImageKind {
  if (imageId.startsWith("agb-browser-")) {
    return "browser";
  }
  return imageId.startsWith("agb-computer-") ? "computer" : "code";
}

/** Whether a create accepts the image: each entry is an id, or the beginning of ids when it ends in `*`. */
export function isKnownImage(imageId: string, images: readonly string[]): boolean {
  return images.some((known) => (known.endsWith("*") ? imageId.startsWith(known.slice(0, -1)) : imageId === known));
}
