import { join } from "node:path";
import { emulatorPage } from "./emulator/page";
import { referencePage } from "./reference/page";

const docs = join(__dirname, "..", "..", "docs");
const emulatorPath = join(docs, "emulator.md");

/** A page that is generated, whole or in parts. */
export interface GeneratedPage {
  readonly path: string;
  /** What the file should hold. */
  content(): string;
}

/** All generated pages. */
export const generatedPages: readonly GeneratedPage[] = [
  { path: join(docs, "reference.md"), content: referencePage },
  { path: emulatorPath, content: () => emulatorPage(emulatorPath) },
];
