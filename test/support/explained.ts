import type { AgbClient } from "../../provider/api/client";
import type { Refusal } from "../../provider/api/errors";
import type { Settings } from "../../provider/config";
import { commandKind } from "../../provider/kinds/command";
import type { Account } from "../../provider/kinds/connection";
import { contextKind } from "../../provider/kinds/context";
import { CreatesInFlight } from "../../provider/kinds/creates-in-flight";
import { type Attempt, explainFailure } from "../../provider/kinds/failure";
import { fileKind } from "../../provider/kinds/file";
import type { ResourceKind } from "../../provider/kinds/kind";
import { sessionKind } from "../../provider/kinds/session";
import { systemClock } from "../../provider/lifecycle/wait";

const runtime = { clock: systemClock, creates: new CreatesInFlight(), say: () => {} };

/** The kinds of resources, for messages about them. */
export const kinds = {
  session: sessionKind(runtime),
  context: contextKind(runtime),
  command: commandKind(runtime),
  file: fileKind(),
};

/** Settings that come from the stack's configuration. */
export const exampleSettings: Settings = {
  apiKey: { value: "ako-very-secret", source: "agb:apiKey" },
  baseUrl: "https://agb.example.com",
  endpointSource: "agb:endpoint",
  timeoutMs: 60_000,
  defaultLabels: {},
  fallbackApiKey: undefined,
  ignoreLabels: [],
  logLevel: "info",
};

/** An account with these settings. No message needs its client. */
export function accountWith(over: Partial<Settings> = {}, apiKey?: Settings["apiKey"]): Account {
  const settings = { ...exampleSettings, ...over };
  return { settings, apiKey: apiKey ?? settings.apiKey, client: { emulatorId: undefined } as unknown as AgbClient };
}

/** AGB's refusal of a call. */
export function refusalWith(over: Partial<Refusal> = {}): Refusal {
  return { code: "", reason: "no", status: 400, requestId: "R-1", isFromAgb: true, ...over };
}

/** What the message about a failure depends on, besides the failure. */
export interface Explained {
  readonly verb?: "create" | "refresh" | "look up" | "update" | "delete";
  /** What the operation knows of the resource. */
  readonly known?: Record<string, unknown>;
  /** `null`: the settings could not be read. */
  readonly account?: Account | null;
  readonly isLimited?: boolean;
}

const operations = {
  create: "create",
  refresh: "read",
  "look up": "read",
  update: "update",
  delete: "delete",
} as const;

/** The message about a failure of an operation on the resource `web` or `data`. */
export function explained(
  kindName: keyof typeof kinds,
  error: unknown,
  { verb = "refresh", known = {}, account = accountWith(), isLimited = false }: Explained = {},
): string {
  const kind = kinds[kindName] as unknown as ResourceKind<object>;
  const operation = operations[verb];
  const isLookup = verb === "look up";
  const limit = isLimited ? `timeouts.${verb}` : undefined;
  const attempt: Attempt = {
    operation,
    verb: verb === "delete" ? kind.deleteVerb : verb,
    kind,
    resource: isLookup ? undefined : { session: "web", context: "data", command: "build", file: "app" }[kindName],
    id: verb === "create" ? undefined : `${kindName}-1`,
    isLookup,
    limit,
    advice: (thrown, endpointAdvice) => kind.advice?.(thrown, { operation, known, endpointAdvice, limit }),
  };
  return explainFailure(error, attempt, account ?? undefined).message;
}
