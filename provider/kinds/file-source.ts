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
import { assetSchema, mustBe, ruleCode } from "./types";
import { holdsUnknown } from "./unknown";
import { sourceProblem, sourceType } from "./value-rules";

const place = z.string().refine((path) => path !== "" && !path.includes("\0"), {
  error: "must be the path of a file",
  ...ruleCode("AGB933"),
});

/** What a program puts into a session. */
export const fileSource: z.ZodType<FileSource> = z.lazy(
  () =>
    z
      .strictObject(
        {
          file: place.optional(),
          text: z.string().optional(),
          folder: place.optional(),
          archive: z.record(z.string(), fileSource).optional(),
          remote: z.string().optional(),
        },
        mustBe(sourceType),
      )
      .superRefine(
        (source, context) => {
          const reason = sourceProblem(source);
          if (reason !== undefined) {
            context.addIssue({ code: "custom", message: reason, ...ruleCode("AGB933") });
          }
        },
        { when: ({ issues }) => issues.length === 0 },
      )
      .meta(assetSchema) as unknown as z.ZodType<FileSource>,
);

const faultCodes: Readonly<Record<SourceFault, MessageCode>> = {
  unreadable: "AGB934",
  large: "AGB935",
  name: "AGB936",
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
