// Fault rules make the emulator slow, wrong or silent, to test how a client handles it.

import { validateHeaderName, validateHeaderValue } from "node:http";
import { z } from "zod";
import { type OperationName, operationNames } from "./operations";

/** A reply that is sent instead of the real one. */
export interface FaultReply {
  /** HTTP status, 200 to 599. @default required */
  readonly status: number;
  /** A string is sent as it is (as HTML if it begins with `<`), anything else as JSON. @default a failure envelope */
  readonly body?: unknown;
  /** Further headers, for instance `{ "retry-after": "1" }`, but not `content-length`, `transfer-encoding` or `trailer`. @default none */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The copying of a context's files from a session (upload) or to it (download). Several operations do it; it is no call of its own. */
export const syncStepNames = ["contextUpload", "contextDownload"] as const;

/** One of the two ways to copy a context's files. */
export type SyncStepName = (typeof syncStepNames)[number];

/** One fault, as plain data. */
export interface FaultRule {
  /** The operation that fails, or `*` for all of them. `contextUpload` and `contextDownload` are the copying of a context's files, whatever starts it; `*` does not include them. @default required */
  readonly operation: OperationName | SyncStepName | "*";
  /** Which calls of the operation, counted from 1 since the rule was added: one, several or every one. Calls without an accepted key do not count. For `contextUpload` and `contextDownload` each mount is a call. @default "every" */
  readonly calls?: number | readonly number[] | "every";
  /** Whether the fault comes before the operation takes effect or after. With `before` and an answer it never takes effect. @default "before" */
  readonly when?: "before" | "after";
  /** Milliseconds to wait first. `contextUpload` and `contextDownload` are instead reported as running that much longer, by the emulator's clock. @default 0 */
  readonly delayMs?: number;
  /** What the client gets: another reply, a reset connection (`reset`), or half the body and then the end of the connection (`truncate`). Not for `contextUpload` and `contextDownload`. @default the real reply */
  readonly answer?: FaultReply | "reset" | "truncate";
  /** For `contextUpload` and `contextDownload` only: they fail with this message in their status. @default they succeed */
  readonly errorMessage?: string;
}

/** A fault rule in force. */
export interface Fault {
  /** Unique among the rules of this emulator; never used twice. */
  readonly id: number;
  /** The rule, with every default filled in. */
  readonly rule: FaultRule;
  /** How many calls it has affected so far. */
  readonly struck: number;
  /** Removes the rule. A second call does nothing. */
  remove(): void;
}

// They say how the body is sent, which the emulator decides. Node refuses some of their values; with others the client
// waits for a body that never comes.
const framingHeaders = ["content-length", "transfer-encoding", "trailer"];

function isSendableHeader(name: string, value: string): boolean {
  if (framingHeaders.includes(name.toLowerCase())) {
    return false;
  }
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

const callNumber = z.int({ error: "must be a whole number" }).min(1, { error: "must be at least 1" });
const callNumbers = z.array(callNumber).min(1, { error: "must name at least one call" });
const everyCall = z.literal("every", { error: 'must be a number, a list of numbers or "every"' });

const faultReplySchema = z.strictObject({
  status: z
    .int({ error: "is required and must be a whole number" })
    .min(200, { error: "must be at least 200" })
    .max(599, { error: "must be at most 599" }),
  body: z.unknown().refine(isJson, { error: "must be a string or JSON" }).optional(),
  headers: z
    .record(z.string(), z.string({ error: "must be a string" }), { error: "must be an object of strings" })
    .refine((headers) => Object.entries(headers).every(([name, value]) => isSendableHeader(name, value)), {
      error: `must be headers that HTTP can carry, and none of ${framingHeaders.join(", ")}`,
    })
    .optional(),
});
const connectionFault = z.enum(["reset", "truncate"], {
  error: 'must be a reply with a status, "reset" or "truncate"',
});

const ruleFields = z.strictObject({
  operation: z.enum([...operationNames, ...syncStepNames, "*"], {
    error: "is required and must be the name of an operation or *",
  }),
  calls: oneOf((value) =>
    Array.isArray(value) ? callNumbers : typeof value === "number" ? callNumber : everyCall,
  ).default("every"),
  when: z.enum(["before", "after"], { error: "must be before or after" }).default("before"),
  delayMs: z
    .number({ error: "must be a number of milliseconds" })
    .min(0, { error: "must not be negative" })
    .max(2 ** 31 - 1, { error: `must be at most ${2 ** 31 - 1}` })
    .default(0),
  answer: oneOf((value) => (isObject(value) ? faultReplySchema : connectionFault)).optional(),
  errorMessage: z.string({ error: "must be a string" }).min(1, { error: "must not be empty" }).optional(),
});

export const faultRuleSchema = ruleFields.superRefine(({ operation, answer, errorMessage }, context) => {
  if (isSyncStep(operation) && answer !== undefined) {
    context.addIssue({
      code: "custom",
      path: ["answer"],
      message: `is not possible for ${operation}, which is no call; use errorMessage`,
    });
  }
  if (!isSyncStep(operation) && errorMessage !== undefined) {
    const message = `is possible only for ${syncStepNames.join(" and ")}; use answer`;
    context.addIssue({ code: "custom", path: ["errorMessage"], message });
  }
});

function isSyncStep(operation: string): operation is SyncStepName {
  return (syncStepNames as readonly string[]).includes(operation);
}

/** Checks a value with the schema that fits its kind. Unlike with a union, a problem names the field at fault. */
function oneOf<Schema extends z.ZodType>(choose: (value: unknown) => Schema) {
  return z.unknown().transform((value, context): z.output<Schema> => {
    const result = choose(value).safeParse(value);
    if (result.success) {
      return result.data;
    }
    for (const { path, message } of result.error.issues) {
      context.addIssue({ code: "custom", path, message });
    }
    return z.NEVER;
  });
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Anything else could be neither sent nor returned by the endpoint that lists the rules.
function isJson(value: unknown): boolean {
  try {
    return value === undefined || JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

interface ActiveRule extends z.output<typeof faultRuleSchema> {
  seen: number;
  struck: number;
}

/** What a call meets on one side of its effect. */
export interface FaultStep {
  readonly delayMs: number;
  readonly answer: FaultReply | "reset" | "truncate" | undefined;
}

/** What the copying of a context's files meets. */
export interface SyncFault {
  /** How much longer it is reported as running. */
  readonly delayMs: number;
  /** Why it fails before any file is copied; undefined when it does not. */
  readonly failureBefore: string | undefined;
  /** Why it fails although all files are copied; undefined when it does not. */
  readonly failureAfter: string | undefined;
}

/** The fault rules in force. */
export class Faults {
  // In the order in which they were added.
  readonly #rules = new Map<Fault, ActiveRule>();
  #lastId = 0;

  /** @throws Error that names the field when the rule is not valid */
  add(rule: FaultRule): Fault {
    const parsed = faultRuleSchema.safeParse(rule);
    if (!parsed.success) {
      const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "rule"}: ${issue.message}`);
      throw new Error(`Fault rule is not valid: ${problems.join("; ")}`);
    }
    const active: ActiveRule = { ...parsed.data, seen: 0, struck: 0 };
    this.#lastId += 1;
    const fault: Fault = {
      id: this.#lastId,
      rule: parsed.data as FaultRule,
      get struck() {
        return active.struck;
      },
      remove: () => {
        this.#rules.delete(fault);
      },
    };
    this.#rules.set(fault, active);
    return fault;
  }

  /** The rules in force, oldest first. */
  all(): Fault[] {
    return [...this.#rules.keys()];
  }

  clear(): void {
    this.#rules.clear();
  }

  /** @throws Error that names the field when a rule is not valid */
  replaceAll(rules: readonly FaultRule[]): void {
    this.clear();
    for (const rule of rules) {
      this.add(rule);
    }
  }

  /** Counts one call and returns what it meets. Delays of several rules add up; the first rule with an answer decides. */
  countCall(operation: OperationName): { before: FaultStep; after: FaultStep } {
    const struck = this.#strike((named) => named === operation || named === "*");
    const step = (when: "before" | "after"): FaultStep => {
      const rules = struck.filter((rule) => rule.when === when);
      return {
        delayMs: sumOfDelaysMs(rules),
        answer: rules.find((rule) => rule.answer !== undefined)?.answer as FaultStep["answer"],
      };
    };
    return { before: step("before"), after: step("after") };
  }

  /** Counts one upload or download of a mount and returns what it meets. */
  countSyncStep(step: SyncStepName): SyncFault {
    const struck = this.#strike((named) => named === step);
    const failure = (when: "before" | "after") =>
      struck.find((rule) => rule.when === when && rule.errorMessage !== undefined)?.errorMessage;
    return { delayMs: sumOfDelaysMs(struck), failureBefore: failure("before"), failureAfter: failure("after") };
  }

  #strike(isNamed: (operation: ActiveRule["operation"]) => boolean): ActiveRule[] {
    return [...this.#rules.values()].filter((rule) => {
      if (!isNamed(rule.operation)) {
        return false;
      }
      rule.seen += 1;
      const strikes =
        rule.calls === "every" ||
        (typeof rule.calls === "number" ? rule.calls === rule.seen : rule.calls.includes(rule.seen));
      rule.struck += strikes ? 1 : 0;
      return strikes;
    });
  }
}

function sumOfDelaysMs(rules: readonly ActiveRule[]): number {
  return rules.reduce((sum, rule) => sum + rule.delayMs, 0);
}
