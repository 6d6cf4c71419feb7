/** What a session of an image is for. It decides which tools the session has. */
export type ImageKind = "code" | "browser" | "computer";

/** The kind of an image, from its id. Custom images count as code images, because nothing else is known about them. */
export function imageKind(imageId: string): ImageKind {
  if (imageId.startsWith("agb-browser-")) {
    return "browser";
  }
  return imageId.startsWith("agb-computer-") ? "computer" : "code";
}

/** Whether a create accepts the image. An entry that ends in `*` stands for all ids that begin like it. */
export function isKnownImage(imageId: string, images: readonly string[]): boolean {
  return images.some((known) => (known.endsWith("*") ? imageId.startsWith(known.slice(0, -1)) : imageId === known));
}
