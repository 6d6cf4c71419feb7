import { readFile } from "node:fs/promises";
import { z } from "zod";
import { CodedError } from "../messages/coded-error";
import { isOfKind, previewEnvironmentType, typeTokens } from "../type-tokens";
import { parseUrn } from "../urn";

/** A session as a stack's state knows it. */
export interface StateSession {
  /** Name of its resource in the program. */
  readonly name: string;
  /** Identifies its resource within the stack. */
  readonly urn: string;
  readonly sessionId: string;
  readonly imageId: string;
  /** All labels. `[secret]` stands for a secret value, or for all labels when the whole is secret. */
  readonly labels: Readonly<Record<string, string>> | typeof secretText;
  /** Declared idle time; `undefined` for AGB's default, or when it is secret. */
  readonly idleTimeoutSeconds: number | undefined;
  /** Whether AGB has released it and the program wants it to stay released. */
  readonly isReleased: boolean;
  /** Whether the program only looks it up (`AgbSession.get`). */
  readonly isExternal: boolean;
  /** The service where it was created, see `serviceName`. */
  readonly service: string | undefined;
}

/** What an output called `previewApp` holds. */
export interface AppOutput {
  /** Whose output it is, in words: the program, or a component. */
  readonly owner: string;
  readonly value: unknown;
}

/** What a stack's state says about sessions. Other resources, AGB's contexts among them, are not in it. */
export interface StackState {
  /** Ids of all sessions in the state, including those that are pending deletion. */
  readonly sessionIds: ReadonlySet<string>;
  /** The sessions, without those that are pending deletion. */
  readonly sessions: readonly StateSession[];
  /** What the program and its components say about apps in sessions, unchecked. */
  readonly appOutputs: readonly AppOutput[];
  /** URNs of all resources. */
  readonly urns: ReadonlySet<string>;
  /** The stack that the state belongs to; `undefined` when it holds no resource that would tell. */
  readonly name: { readonly project: string; readonly stack: string } | undefined;
  /**
   * The stack's own id, which its sessions carry; empty in states of an earlier version. Read only from the resource that
   * holds it. The labels of a session in the state come from a refresh, and others may have written them.
   */
  readonly stackIds: ReadonlySet<string>;
  /**
   * The ids of the plugin's providers, which sessions of the plugin carry instead. `pulumi state move` copies a provider with
   * its id to another stack, so such an id identifies the stack only together with its names.
   */
  readonly providerIds: ReadonlySet<string>;
}

/** What to do about a state that cannot be read. */
export const exportAdvice = "Export it again with `pulumi stack export`.";

/** Shown in place of a value that the state keeps secret. */
export const secretText = "[secret]";

// Pulumi marks a secret among the values of a state with this key.
const signatureKey = "4dabf18193072939515e22adb298388d";

const resourceSchema = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  delete: z.boolean().optional(),
  external: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  outputs: z.record(z.string(), z.unknown()).nullish(),
});

type Resource = z.output<typeof resourceSchema>;

const exportSchema = z.looseObject({
  deployment: z.looseObject({
    resources: z
      .array(resourceSchema)
      .nullish()
      .transform((resources) => resources ?? []),
  }),
});

const stackType = "pulumi:pulumi:Stack";

/**
 * Reads what `pulumi stack export` wrote.
 *
 * @throws Error when it is not an exported state. Taken for an empty state, it would make every session an orphan
 */
export function parseStackState(text: string): StackState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const parsed = exportSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error("it is not what `pulumi stack export` writes");
  }
  const { resources } = parsed.data.deployment;
  const sessions = resources.filter(({ type }) => isOfKind(type, "session"));
  return {
    sessionIds: new Set(sessions.flatMap(({ id }) => (id === undefined ? [] : [id]))),
    sessions: sessions.flatMap((resource) => (resource.delete ? [] : readSession(resource))),
    appOutputs: resources.flatMap(readAppOutput),
    urns: new Set(resources.map(({ urn }) => urn)),
    name: stackOfUrn(resources[0]?.urn),
    stackIds: new Set(resources.flatMap(({ type, id }) => (isOfKind(type, "stackIdentity") && id ? [id] : []))),
    providerIds: new Set(resources.flatMap(readProviderId)),
  };
}

/** Reads an exported state from a file. */
export async function readStateFile(path: string): Promise<StackState> {
  try {
    return parseStackState(await readFile(path, "utf8"));
  } catch (error) {
    const reason = (error as Error).message;
    throw new CodedError(`Cannot read the state file ${path}: ${reason}. ${exportAdvice}`, "AGB606");
  }
}

function readSession({ urn, id, outputs, external }: Resource): StateSession[] {
  if (id === undefined) {
    return [];
  }
  const { imageId, labelsAll, idleTimeoutSeconds, released, service } = outputs ?? {};
  return [
    {
      name: parseUrn(urn).name,
      urn,
      sessionId: id,
      imageId: stringOf(imageId),
      labels: labelsOf(labelsAll),
      idleTimeoutSeconds: typeof idleTimeoutSeconds === "number" ? idleTimeoutSeconds : undefined,
      isReleased: released === true,
      isExternal: external === true,
      service: typeof service === "string" ? service : undefined,
    },
  ];
}

/**
 * The id of a provider of the plugin, or the one that a session keeps from its create. A later version of the plugin may
 * have a new default provider, and the session then still carries the id of the first one.
 */
function readProviderId({ type, id, inputs, external }: Resource): string[] {
  if (type === typeTokens.provider.plugin) {
    return id ? [id] : [];
  }
  const kept = type === typeTokens.session.plugin && external !== true ? inputs?.["stackId"] : undefined;
  return typeof kept === "string" && kept !== "" ? [kept] : [];
}

function readAppOutput({ urn, type, outputs, delete: isDeleting }: Resource): AppOutput[] {
  const value = outputs?.["previewApp"];
  if (value === undefined || isDeleting || (type !== stackType && type !== previewEnvironmentType)) {
    return [];
  }
  return [{ owner: type === stackType ? "the program" : parseUrn(urn).name, value }];
}

function labelsOf(value: unknown): StateSession["labels"] {
  if (isSecret(value)) {
    return secretText;
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, label]) => [key, stringOf(label)]))
    : {};
}

function stringOf(value: unknown): string {
  return isSecret(value) ? secretText : typeof value === "string" ? value : "";
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, signatureKey);
}

/** Project and stack of a URN; `undefined` when it is none. */
function stackOfUrn(urn: string | undefined): StackState["name"] {
  if (!urn?.startsWith("urn:pulumi:")) {
    return undefined;
  }
  const { project, stack } = parseUrn(urn);
  return project && stack ? { project, stack } : undefined;
}
