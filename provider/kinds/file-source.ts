/** The property `source` of files: Pulumi's assets and archives, as the class describes them. */
import { z } from "zod";
import {
  AgbFileSourceError,
  type FileSource,
  type LocalFiles,
  readLocalFiles,
  type SourceFault,
} from "../lifecycle/local-files";
import type { MessageCode } from "../messages/message-codes";
import type { Problem } from "../messages/problem";
import { mustBe, ruleCode } from "./types";
import { holdsUnknown } from "./unknown";

const what = 'a Pulumi asset or archive, such as new pulumi.asset.FileArchive("./app")';

/** What a program puts into a session. */
export const fileSource = z.looseObject({}, mustBe(what)).superRefine((source, context) => {
  const reason = holdsUnknown(source) ? undefined : faultOf(source);
  if (reason !== undefined) {
    context.addIssue({ code: "custom", message: reason, ...ruleCode("AGB933") });
  }
}) as unknown as z.ZodType<FileSource>;

function faultOf(source: unknown): string | undefined {
  const entries = typeof source === "object" && source !== null ? Object.entries(source) : [];
  const [[name, value] = []] = entries;
  if (entries.length === 1 && name === "remote") {
    return "is a remote asset, which is not downloaded; download it, or let a command in the session do it";
  }
  if (entries.length === 1 && (name === "file" || name === "folder") && typeof value === "string" && value !== "") {
    return value.includes("\0") ? "has a path with a NUL character" : undefined;
  }
  if (entries.length === 1 && name === "text" && typeof value === "string") {
    return undefined;
  }
  if (
    entries.length === 1 &&
    name === "files" &&
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value)
  ) {
    return Object.values(value)
      .map(faultOf)
      .find((fault) => fault !== undefined);
  }
  return `must be ${what}`;
}

const faultCodes: Readonly<Record<SourceFault, MessageCode>> = {
  unreadable: "AGB934",
  "too large": "AGB935",
  "bad name": "AGB936",
  changed: "AGB938",
};

/** The code of an error about a source. */
export function sourceCode({ fault }: AgbFileSourceError): MessageCode {
  return faultCodes[fault];
}

/** Reads sources once for each check, although a check needs them several times. */
export class SourceReader {
  readonly #read = new WeakMap<object, LocalFiles | Problem>();

  /** @returns `undefined` when the source is invalid or not known yet */
  files(source: unknown): LocalFiles | undefined {
    const result = this.read(source);
    return result !== undefined && "files" in result ? result : undefined;
  }

  problems(source: unknown): Problem[] {
    const result = this.read(source);
    return result !== undefined && "reason" in result ? [result] : [];
  }

  private read(source: unknown): LocalFiles | Problem | undefined {
    const parsed = fileSource.safeParse(source);
    if (!parsed.success || holdsUnknown(source)) {
      return undefined;
    }
    const known = this.#read.get(source as object);
    if (known !== undefined) {
      return known;
    }
    const result = readOrExplain(parsed.data);
    this.#read.set(source as object, result);
    return result;
  }
}

function readOrExplain(source: FileSource): LocalFiles | Problem {
  try {
    return readLocalFiles(source);
  } catch (error) {
    if (error instanceof AgbFileSourceError) {
      return { path: "source", reason: error.message, code: sourceCode(error) };
    }
    throw error;
  }
}
