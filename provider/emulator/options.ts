import { z } from "zod";
import { type Clock, systemClock } from "./clock";
import { type FaultRule, faultRuleSchema } from "./faults";
import { isLoopbackHost } from "./host-names";
import type { JournalEntry } from "./journal";
import { EmulatorStartError } from "./start-error";

/** What a notice of the emulator is about. */
export type EmulatorNoticeCode = "NOT_ISOLATED" | "TOOLS_UNAVAILABLE" | "UPLOAD_FAILED" | "STATE_NOT_SAVED";

/** The most labels a session may carry and how long each part may be, in UTF-16 units. */
export interface LabelLimits {
  readonly count: number;
  readonly keyLength: number;
  readonly valueLength: number;
}

/** What a policy id changes for the sessions that are created with it. */
export interface SessionPolicy {
  /** Seconds after the create at which the session is released at the latest. @default the emulator's own */
  readonly maximumLifetimeSeconds?: number;
  /** Idle seconds after which the session is released if the create names no timeout. @default the emulator's own */
  readonly idleTimeoutSeconds?: number;
}

/** How the emulator behaves. Every field is optional. */
export interface EmulatorOptions {
  /** TCP port; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Address or name to listen on. One that other machines can reach needs `apiKeys`. @default "127.0.0.1" */
  readonly host?: string;
  /** File in which sessions and contexts outlive the emulator. A missing folder is created. The files of contexts and sessions are kept in folders next to it. @default in memory only */
  readonly statePath?: string;
  /** Source of the time. @default the computer's clock */
  readonly clock?: Clock;
  /** The accepted API keys, all of one account. @default every key that is not empty */
  readonly apiKeys?: readonly string[];
  /** The image ids that a create accepts. An id that ends in `*` stands for all ids that begin like it. @default AGB's documented ids and `img-*` */
  readonly images?: readonly string[];
  /** Milliseconds for which a released session reports DELETING before it is not found. @default 200 */
  readonly releaseDelayMs?: number;
  /** Idle seconds after which a session is released if the create names no timeout. @default 300 */
  readonly defaultIdleTimeoutSeconds?: number;
  /** Seconds after the create at which a session is released at the latest. @default 1800 */
  readonly maximumLifetimeSeconds?: number;
  /** What policy ids change. An unknown id is accepted and changes nothing. @default `longDuration-policy`: 24 h lifetime */
  readonly policies?: Readonly<Record<string, SessionPolicy>>;
  /** Whether SetLabel replaces all labels or adds to them. @default "replace" */
  readonly setLabel?: "replace" | "merge";
  /** Milliseconds after its create until a label filter finds a session. @default 0 */
  readonly labelIndexDelayMs?: number;
  /** Milliseconds that every request takes at least. @default 0 */
  readonly latencyMs?: number;
  /** Requests per second, of all keys together. More get HTTP 429 with Retry-After. @default no limit */
  readonly requestsPerSecond?: number;
  /** Called with every request when it is answered. @default not called */
  readonly onRequest?: (entry: JournalEntry) => void;
  /** Called with problems that no reply reports: files that were not uploaded at the end of a session, sessions that are not isolated from this computer. @default not called */
  readonly onNotice?: (text: string, code: EmulatorNoticeCode) => void;
  /** Sessions that may run at the same time. With one more the create fails. @default no limit */
  readonly maximumSessions?: number;
  /** The most sessions on one page of a list, whatever `maxResults` asks for. @default 100 */
  readonly pageCap?: number;
  /** How many labels a session may have and how long they may be. Each limit can be set alone. @default 20 labels, names of 128 and values of 256 characters: the sibling platform's client; AGB has no figure */
  readonly labelLimits?: Partial<LabelLimits>;
  /** Milliseconds for which a context reports `clearing` after a wipe began. @default 200 */
  readonly clearDelayMs?: number;
  /** Milliseconds for which a context's synchronization is reported as running. @default 0 */
  readonly syncDelayMs?: number;
  /** Seconds for which the address of a context's file works. @default 3600 */
  readonly fileUrlLifetimeSeconds?: number;
  /** The most bytes that a file of a context may have. A synchronization leaves out larger ones. @default 2 GiB */
  readonly maximumFileBytes?: number;
  /** Whether sessions run tools: commands and code as the emulator's own user, in a folder for each session. @default false */
  readonly allowExec?: boolean;
  /** The most milliseconds that a tool call may take, whatever it asks for. @default 60000 */
  readonly toolTimeLimitMs?: number;
  /** The most bytes that are returned of each output of a tool call, as a JSON string in UTF-8. The rest is dropped. @default 1 MiB */
  readonly toolOutputLimitBytes?: number;
  /** Fault rules in force from the start. @default none */
  readonly faults?: readonly FaultRule[];
}

const knownImages = [
  // AGB docs, all pages.
  ...["agb-code-space-1", "agb-browser-use-1", "agb-computer-use-ubuntu-2204"],
  // AGB integration tests and browser-type page.
  ...["agb-code-space-2", "agb-computer-use-1", "img-*"],
];

// AGB's examples use this id for sandboxes that must outlive the usual limit. How long it grants is not documented.
const knownPolicies = { "longDuration-policy": { maximumLifetimeSeconds: 24 * 60 * 60 } };

const milliseconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1);
const seconds = z
  .number()
  .positive()
  .max(Number.MAX_SAFE_INTEGER / 1000);
const count = z.int().min(1);

// The only place where defaults are written. The `@default` above are compared with it by a test.
const optionsSchema = z.strictObject({
  port: z.int().min(0).max(65535).default(0),
  host: z.string().min(1).default("127.0.0.1"),
  statePath: z.string().min(1).optional(),
  clock: z.custom<Clock>((value) => typeof (value as Clock | null)?.now === "function").default(systemClock),
  apiKeys: z.array(z.string().min(1)).min(1).optional(),
  images: z.array(z.string().min(1)).default(knownImages),
  releaseDelayMs: milliseconds.default(200),
  defaultIdleTimeoutSeconds: seconds.default(300),
  maximumLifetimeSeconds: seconds.default(1800),
  policies: z
    .record(
      z.string(),
      z.strictObject({ maximumLifetimeSeconds: seconds.optional(), idleTimeoutSeconds: seconds.optional() }),
    )
    .default(knownPolicies),
  setLabel: z.enum(["replace", "merge"]).default("replace"),
  labelIndexDelayMs: milliseconds.default(0),
  latencyMs: milliseconds.default(0),
  requestsPerSecond: count.optional(),
  onRequest: z
    .custom<(entry: JournalEntry) => void>((value) => typeof value === "function", { error: "must be a function" })
    .optional(),
  onNotice: z
    .custom<(text: string, code: EmulatorNoticeCode) => void>((value) => typeof value === "function", {
      error: "must be a function",
    })
    .optional(),
  maximumSessions: count.optional(),
  pageCap: count.default(100),
  labelLimits: z
    .strictObject({
      count: z.int().min(0).default(20),
      keyLength: count.default(128),
      valueLength: count.default(256),
    })
    .prefault({}),
  clearDelayMs: milliseconds.default(200),
  syncDelayMs: milliseconds.default(0),
  fileUrlLifetimeSeconds: seconds.default(3600),
  maximumFileBytes: count.default(2 * 1024 * 1024 * 1024),
  allowExec: z.boolean().default(false),
  toolTimeLimitMs: milliseconds.default(60_000),
  toolOutputLimitBytes: count.default(1024 * 1024),
  faults: z.array(faultRuleSchema).default([]),
});

/** The options with every default filled in. */
export type Settings = z.output<typeof optionsSchema>;

/** The settings of an emulator without options. */
export const optionDefaults: Settings = optionsSchema.parse({});

/** @throws EmulatorStartError with code INVALID_OPTION that names each option at fault */
export function resolveOptions(options: EmulatorOptions): Settings {
  const result = optionsSchema.safeParse(options);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${issue.message}`);
    throw new EmulatorStartError(
      "INVALID_OPTION",
      `The emulator has invalid options: ${problems.join("; ")}. Correct them.`,
    );
  }
  const { host, apiKeys } = result.data;
  if (!isLoopbackHost(host) && apiKeys === undefined) {
    throw new EmulatorStartError(
      "INVALID_OPTION",
      `The emulator has invalid options: host: other machines can reach ${host}, so an API key is required. Set at least one key (apiKeys, --api-key), or leave out the host.`,
    );
  }
  return result.data;
}
