import type { AgbClient } from "../api/client";
import { getLabels, type Labels } from "../api/labels";
import { unlessGone } from "../api/unless-gone";
import { findSessions } from "../lifecycle/found-sessions";
import { createTokenTime, ownershipKeys } from "../lifecycle/ownership";
import { describeFailure, type Failure } from "../messages/describe-failure";

/** A stack, named as its sessions' labels name it. */
export interface StackName {
  readonly project: string;
  readonly stack: string;
}

/** A session that carries the labels of a project and one of its stacks. */
export interface OwnedSession extends StackName {
  readonly sessionId: string;
  /** Name of the resource that it was created for. */
  readonly resource: string | undefined;
  /** Id of the stack that created it; `undefined` when it carries none. */
  readonly stackId: string | undefined;
  /** Its create label; `undefined` when it carries none. */
  readonly createToken: string | undefined;
  /** Time of its create; `undefined` when its create label is missing or unreadable. */
  readonly createdAt: Date | undefined;
  /** Id of the repository that it is a preview environment of; `undefined` when it carries none. */
  readonly repository: string | undefined;
  /** Whether its program keeps it running after its resource is deleted (`retainOnDelete`). */
  readonly isRetained: boolean;
  /** Why its labels could not be read, although the list returned it for this owner. */
  readonly unreadable?: Failure;
}

/** Whose sessions to find: those that carry all labels that are named here. */
export interface OwnerFilter {
  readonly project?: string;
  readonly stack?: string;
  readonly stackId?: string;
  readonly repository?: string;
}

/**
 * Finds the sessions of an owner, from every page of the list. Reads the labels of each one again: a list's filter
 * alone must not decide over a release.
 *
 * @param known ids of sessions to leave out
 */
export async function findOwnedSessions(
  client: AgbClient,
  filter: OwnerFilter,
  known: ReadonlySet<string> = new Set(),
): Promise<OwnedSession[]> {
  const names = ["project", "stack", "stackId", "repository"] as const;
  const wanted = names.flatMap((name) =>
    filter[name] === undefined ? [] : [[ownershipKeys[name], filter[name]] as const],
  );
  const sessions: OwnedSession[] = [];
  // One session with unreadable labels must not keep the others from being released.
  const onUnreadable = (sessionId: string, error: Error) =>
    void sessions.push(unreadableSession(sessionId, filter, describeFailure(error)));
  for await (const { sessionId, labels } of findSessions(client, Object.fromEntries(wanted), { known, onUnreadable })) {
    const owned = readOwner(sessionId, labels);
    if (owned !== undefined) {
      sessions.push(owned);
    }
  }
  return sessions;
}

/** Compares a session with the owner's labels that it was found with: reads them again. */
export async function compareOwner(client: AgbClient, session: OwnedSession): Promise<"same" | "changed" | "gone"> {
  const labels = await unlessGone(getLabels(client, session.sessionId));
  if (labels === undefined) {
    return "gone";
  }
  const now = readOwner(session.sessionId, labels);
  const fields = ["project", "stack", "stackId", "resource", "createToken", "repository", "isRetained"] as const;
  return fields.every((field) => session[field] === now?.[field]) ? "same" : "changed";
}

function unreadableSession(
  sessionId: string,
  { project = "", stack = "", stackId, repository }: OwnerFilter,
  unreadable: Failure,
): OwnedSession {
  const nothing = { resource: undefined, createToken: undefined, createdAt: undefined, isRetained: false };
  return { ...nothing, sessionId, project, stack, stackId, repository, unreadable };
}

/** Reads the owner of a session from its labels. `undefined` when they name no stack. */
export function readOwner(sessionId: string, labels: Labels): OwnedSession | undefined {
  const read = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const [project, stack] = [read(ownershipKeys.project), read(ownershipKeys.stack)];
  const createToken = read(ownershipKeys.create);
  if (project === undefined || stack === undefined) {
    return undefined;
  }
  return {
    sessionId,
    project,
    stack,
    stackId: read(ownershipKeys.stackId),
    resource: read(ownershipKeys.resource),
    createToken,
    createdAt: createTokenTime(createToken ?? ""),
    repository: read(ownershipKeys.repository),
    isRetained: read(ownershipKeys.retain) !== undefined,
  };
}
