// What a state file may hold, by kind. Each kind of row has a table; the other kinds are single values.

import { z } from "zod";
import type { ContextFile, ContextRecord, SyncTask } from "../contexts/context-record";
import { isLabels, type Labels } from "../labels";
import type { SessionRecord } from "../sessions/session";
import type { IdOf } from "./table";

const time = z.number();

const session = z.object({
  sessionId: z.string(),
  sequence: z.int(),
  imageId: z.string(),
  policyId: z.string().optional(),
  labels: z.custom<Labels>(isLabels),
  mounts: z.array(z.object({ contextId: z.string(), path: z.string(), policy: z.string().optional() })).optional(),
  appInstanceId: z.string(),
  resourceId: z.string(),
  idleTimeoutSeconds: z.number(),
  maximumLifetimeSeconds: z.number(),
  createdAtMs: time,
  lastActivityAtMs: time,
  releasedAtMs: time.optional(),
});

const context = z.object({
  contextId: z.string(),
  sequence: z.int(),
  name: z.string(),
  regionId: z.string(),
  createdAtMs: time,
  lastUsedAtMs: time,
  clearedAtMs: time.optional(),
  transferSessionId: z.string().optional(),
});

const contextFile = z.object({
  fileId: z.string(),
  contextId: z.string(),
  path: z.string(),
  blob: z.string().regex(/^[a-z0-9]{32}$/),
  sizeBytes: z.int(),
  createdAtMs: time,
  modifiedAtMs: time,
});

const syncTask = z.object({
  sessionId: z.string(),
  contextId: z.string(),
  path: z.string(),
  direction: z.enum(["upload", "download"]),
  startedAtMs: time,
  finishesAtMs: time,
  errorMessage: z.string().optional(),
});

/** The rows of each table. */
export interface Rows {
  readonly sessions: SessionRecord;
  readonly contexts: ContextRecord;
  readonly contextFiles: ContextFile;
  readonly syncTasks: SyncTask;
}

interface TableDefinition<Row> {
  readonly schema: z.ZodType<Row>;
  readonly idOf: IdOf<Row>;
}

/** How the rows of each table are checked and told apart. */
export const tables: { readonly [Kind in keyof Rows]: TableDefinition<Rows[Kind]> } = {
  sessions: { schema: session, idOf: ({ sessionId }) => sessionId },
  contexts: { schema: context, idOf: ({ contextId }) => contextId },
  contextFiles: { schema: contextFile, idOf: ({ fileId }) => fileId },
  syncTasks: {
    schema: syncTask,
    idOf: ({ sessionId, contextId, path, direction }) => JSON.stringify([sessionId, contextId, path, direction]),
  },
};

/** Everything in the state that exists once. */
export const singleValues = z.object({
  /** The number of the next session or context. */
  nextSequence: z.int(),
  /** Tells this state from that of other emulators. */
  emulatorId: z.string().regex(/^[a-z0-9]{1,40}$/),
  /** Signs the addresses of files, so that an address from before a restart works after it. */
  fileSecret: z.string().min(32),
  /** How far the emulator's clock was moved ahead of its source. */
  clockOffsetMs: z.number().min(0),
});

/** See `singleValues`. */
export type SingleValues = z.output<typeof singleValues>;
