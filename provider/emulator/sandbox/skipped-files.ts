import { ContentTooLarge } from "../contexts/file-contents";
import { systemErrorReason } from "../system-errors";

const namedAtMost = 10;

/** Some files could not be copied; all others were. The message names them. */
export class SkippedFilesError extends Error {
  override readonly name = "SkippedFilesError";
}

/** The files that a synchronization could not copy. */
export class SkippedFiles {
  readonly #reasons = new Map<string, string>();
  #copiedCount = 0;

  /** @param verb for the message: what was not done */
  constructor(private readonly verb: "uploaded" | "downloaded") {}

  /** @param path in the session, of a file or of a folder whose files are unknown */
  add(path: string, error: unknown): void {
    const reason = error instanceof ContentTooLarge ? error.message : systemErrorReason(error);
    this.#reasons.set(path, reason);
  }

  noteCopied(): void {
    this.#copiedCount += 1;
  }

  /** Whether a file was skipped, or is in a folder that was. */
  covers(path: string): boolean {
    return [...this.#reasons.keys()].some((skipped) => path === skipped || path.startsWith(`${skipped}/`));
  }

  /** @throws SkippedFilesError when there are any */
  throwIfAny(): void {
    if (this.#reasons.size === 0) {
      return;
    }
    const named = [...this.#reasons].slice(0, namedAtMost).map(([path, reason]) => `${path} (${reason})`);
    const more = this.#reasons.size > namedAtMost ? ` and ${this.#reasons.size - namedAtMost} more` : "";
    throw new SkippedFilesError(
      `Not ${this.verb}: ${named.join(", ")}${more}. Files ${this.verb}: ${this.#copiedCount}.`,
    );
  }
}
