import { z } from "zod";
import { EmulatorStartError } from "../start-error";
import type { StoredContexts } from "./context-store";

const format = "agb-emulator-contexts";
const version = 1;

const file = z.object({
  path: z.string(),
  fileId: z.string(),
  blob: z.string().regex(/^[a-z0-9]{32}$/),
  sizeBytes: z.int(),
  createdAtMs: z.number(),
  modifiedAtMs: z.number(),
});

const context = z.object({
  contextId: z.string(),
  sequence: z.int(),
  name: z.string(),
  regionId: z.string(),
  createdAtMs: z.number(),
  lastUsedAtMs: z.number(),
  clearedAtMs: z.number().optional(),
  transferSessionId: z.string().optional(),
  files: z.array(file),
});

const syncTask = z.object({
  sessionId: z.string(),
  contextId: z.string(),
  path: z.string(),
  direction: z.enum(["upload", "download"]),
  startedAtMs: z.number(),
  finishesAtMs: z.number(),
  errorMessage: z.string().optional(),
});

const index = z.object({
  secret: z.string().min(32),
  nextSequence: z.int(),
  contexts: z.array(context),
  syncTasks: z.array(syncTask),
});

/** What the index of a context folder holds. */
export interface ContextIndex extends StoredContexts {
  readonly secret: string;
}

/** One line for each context, so that people can compare two indexes. */
export function serializeIndex({ secret, nextSequence, contexts, syncTasks }: ContextIndex): string {
  const head = JSON.stringify({ format, version, secret, nextSequence, syncTasks });
  return `${head.slice(0, -1)},"contexts":[\n${contexts.map((record) => JSON.stringify(record)).join(",\n")}\n]}\n`;
}

/** @throws EmulatorStartError with code STATE_FILE_BROKEN that names the file and says what to do */
export function parseIndex(path: string, text: string): ContextIndex {
  const broken = (problem: string) =>
    new EmulatorStartError(
      "STATE_FILE_BROKEN",
      `Context index ${path} ${problem}. Restore it from a copy, or delete its folder to begin without contexts.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken("is not valid JSON");
  }
  const head = z.object({ format: z.literal(format), version: z.int() }).safeParse(value);
  if (!head.success) {
    throw broken("was not written by this emulator");
  }
  if (head.data.version !== version) {
    throw broken(`has version ${head.data.version}, which this emulator (version ${version}) cannot read`);
  }
  const parsed = index.safeParse(value);
  if (!parsed.success) {
    throw broken(`is damaged at ${parsed.error.issues[0]?.path.join(".") || "its top level"}`);
  }
  return parsed.data;
}
