import { type Command, Option } from "commander";
import type { Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { type FindOptions, type FoundSession, findSessions } from "../lifecycle/found-sessions";
import { ownershipKeys } from "../lifecycle/ownership";
import { isReleasedStatus } from "../lifecycle/session";
import { CodedError } from "../messages/coded-error";
import type { StackState } from "../pulumi/stack-state";
import { type AgbAccess, note } from "./agb-access";
import { labelOption } from "./label-option";
import { stackOption } from "./stack-option";

/** The options that say which sessions are meant. */
export interface SelectionFlags {
  readonly label: Labels;
  readonly stack?: string;
  readonly resource?: string;
}

/** How many sessions a message names. */
const mostNamed = 10;

/** Whether a session is being released. Whether AGB still lists such sessions is not documented. */
function isEnding(status: string): boolean {
  return status === "DELETING" || isReleasedStatus(status);
}

/** Adds the options that name sessions by their labels. */
export function addSelectionOptions(command: Command): Command {
  return command
    .addOption(labelOption("select sessions with this label"))
    .addOption(stackOption("select sessions of this stack, by its id; its configuration wins over the environment"))
    .addOption(new Option("--resource <name>", "select the session of this resource of the stack; needs --stack"));
}

/** What the arguments of a command name: sessions by their ids, or by their labels. */
export interface Selection {
  readonly ids: readonly string[];
  readonly flags: SelectionFlags;
}

/** Whether the sessions are named by labels. Beside ids, `--stack` only says whose configuration to read. */
export function isByLabels({ ids }: Selection): boolean {
  return ids.length === 0;
}

/** Refuses arguments that name no session, or sessions in two ways. */
export function checkSelection(command: Command, { ids, flags }: Selection): void {
  const { label, stack, resource } = flags;
  const hasFilter = Object.keys(label).length > 0 || resource !== undefined;
  if (resource !== undefined && stack === undefined) {
    command.error("error: --resource needs --stack NAME, because other stacks may have a resource of that name.");
  }
  if (ids.length > 0 && hasFilter) {
    command.error("error: name sessions by their ids or with --label and --resource, not both.");
  }
  if (ids.length === 0 && !hasFilter && stack === undefined) {
    command.error(
      "error: no session is named. Give its id, or --label KEY=VALUE, or --stack NAME and --resource NAME.",
    );
  }
  if (ids.some((id) => id.trim() === "")) {
    command.error("error: a session id is empty.");
  }
}

/**
 * Yields the sessions that carry the labels. With `--stack` these are the sessions that carry an id of the stack: names do not
 * tell it from a stack of the same name in another backend.
 */
export async function* selectSessions(
  { client, state }: AgbAccess,
  { label, stack, resource }: SelectionFlags,
  options: FindOptions = {},
): AsyncGenerator<FoundSession> {
  const wanted = { ...label, ...(resource !== undefined && { [ownershipKeys.resource]: resource }) };
  if (stack === undefined) {
    yield* findSessions(client, wanted, options);
    return;
  }
  const owners = ownersIn(state);
  if (owners.length === 0) {
    note(`note: The state of ${stack} has no stack id, because its program has not created a session yet.`);
  }
  const { onCount } = options;
  let countBefore = 0;
  for (const owner of owners) {
    let count = 0;
    // Until the last search, nobody knows how many there are in all.
    const add = (latest: number) => {
      count = latest;
      onCount?.(owner === owners.at(-1) ? countBefore + count : 0);
    };
    yield* findSessions(client, { ...wanted, ...owner }, { ...options, onCount: add });
    countBefore += count;
  }
}

/** The labels that show whose sessions these are, one set for each id. See `StackState` for what each id proves. */
function ownersIn(state: StackState | undefined): Labels[] {
  const { stackIds = [], providerIds = [], name } = state ?? {};
  const names = { [ownershipKeys.project]: name?.project ?? "", [ownershipKeys.stack]: name?.stack ?? "" };
  return [
    ...[...stackIds].map((stackId) => ({ [ownershipKeys.stackId]: stackId })),
    ...[...providerIds].map((stackId) => ({ [ownershipKeys.stackId]: stackId, ...names })),
  ];
}

/**
 * Finds the one session that is meant. If several match and the stack's state knows one of them, it is that one: the others
 * are about to end, or were left over.
 *
 * @throws CodedError when none or several match
 */
export async function requireOneSession(agb: AgbAccess, { ids, flags }: Selection): Promise<string> {
  const [id, ...others] = ids;
  if (id !== undefined && others.length === 0) {
    return id;
  }
  const found: FoundSession[] = [];
  for await (const session of selectSessions(agb, flags)) {
    if (!isEnding(session.status)) {
      found.push(session);
    }
  }
  const known = found.filter(({ sessionId }) => agb.state?.sessionIds.has(sessionId));
  const [only, ...more] = known.length === 1 ? known : found;
  if (only === undefined) {
    throw new CodedError(
      `No session matches ${describeFilter(flags)}. It may have ended: \`pulumi up --refresh\` recreates sessions of a stack. ` +
        "`pulumi-agb sessions list` shows the sessions that run.",
      "AGB632",
    );
  }
  if (more.length > 0) {
    const shown = agb.hideKey(found.slice(0, mostNamed)).map((session) => `  ${describeSession(session)}`);
    const rest = found.length > mostNamed ? [`  … and ${found.length - mostNamed} more`] : [];
    throw new CodedError(
      `${found.length} sessions match ${describeFilter(flags)}:\n${[...shown, ...rest].join("\n")}\n` +
        "Give the id of one of them, or add --label KEY=VALUE until only one matches.",
      "AGB633",
    );
  }
  return only.sessionId;
}

/** The options of a filter as the user wrote them. */
export function describeFilter({ label, stack, resource }: SelectionFlags): string {
  return [
    ...(stack === undefined ? [] : [`--stack ${stack}`]),
    ...(resource === undefined ? [] : [`--resource ${resource}`]),
    ...Object.entries(label).map(([key, value]) => `--label ${key}=${value}`),
  ]
    .map((option) => printable(option))
    .join(" ");
}

function describeSession({ sessionId, labels }: FoundSession): string {
  const resource = labels[ownershipKeys.resource];
  return printable(resource === undefined ? sessionId : `${sessionId} (${resource})`);
}
