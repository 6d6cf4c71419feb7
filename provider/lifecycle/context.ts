/**
 * What owning a context means: create or adopt it, rename it, and delete it without losing files. Uses the API layer, keeps
 * no state and does not know Pulumi.
 */
import type { AgbClient } from "../api/client";
import {
  type Context,
  countFiles,
  createContext,
  type FileCount,
  findContext,
  getContext,
  isEmpty,
  listFiles,
  deleteContext as requestDelete,
  renameContext as requestRename,
} from "../api/contexts";
import { AgbNotFoundError, AgbUnexpectedReplyError } from "../api/errors";
import { unlessGone } from "../api/unless-gone";
import {
  AgbContextClearingError,
  AgbContextExistsError,
  AgbContextNotEmptyError,
  AgbContextUnchangedError,
  AgbUncertainContextError,
} from "./context-errors";
import type { ContextsInUse } from "./contexts-in-use";
import { mayHaveHadEffect, mayStillHaveEffect } from "./create-outcome";
import { type Clock, systemClock } from "./wait";
import { waitForAgb } from "./wait-for-agb";

/** A context that was created or adopted. */
export interface CreatedContext extends Context {
  /** Whether it existed before. Undoing the create then leaves it alone. */
  readonly wasAdopted: boolean;
}

/** How long to wait for AGB. */
export interface ContextWait {
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Limit of each wait, in milliseconds. Default: 60,000, as AGB's SDK waits for a context that is being cleared. */
  readonly timeoutMs?: number | undefined;
}

/** How to create a context. */
export interface CreateContextOptions extends ContextWait {
  /** What all creates of the process share. */
  readonly inUse: ContextsInUse;
  /** Name of the resource that the context is for. */
  readonly owner?: string | undefined;
  /** Whether to take over a context that has the name. Default: false. */
  readonly adopt?: boolean | undefined;
  /** Client for the search after a lost reply. It may have more time than the client. Default: the client itself. */
  readonly searcher?: AgbClient | undefined;
}

/** How to rename a context. */
export interface RenameContextOptions extends ContextWait {
  /** What all creates of the process share. */
  readonly inUse: ContextsInUse;
  /** Name of the resource that the context is for. */
  readonly owner?: string | undefined;
  /** The name that it had last, see `getContext`. */
  readonly knownName?: string | undefined;
}

/** How to delete a context. */
export interface DeleteContextOptions extends ContextWait {
  /** Whether to delete its files too. Default: false. */
  readonly force?: boolean | undefined;
  /** The name that it had last, see `getContext`. */
  readonly knownName?: string | undefined;
}

/** Default limit of each wait for a context, in milliseconds. */
export const defaultContextTimeoutMs = 60_000;

// The second is from AGB's Python SDK. Other states, such as `in-use` of the sibling platform, are not waited for.
const clearingStates = new Set(["clearing", "pre-available"]);

/**
 * Creates a context. AGB's create returns an existing context without an error, so this looks for one first. Within a
 * process, creates of the same name run one after another. Another process can still create the name between the look and
 * the create, and neither notices.
 *
 * @throws AgbContextExistsError when the name exists and `adopt` is not set, or another resource of this process owns the context
 * @throws AgbContextClearingError when a context to adopt is still being cleared after the time-out
 * @throws AgbUncertainContextError when the context may exist now, because the reply was lost and a look failed
 * @throws AgbError when AGB refuses or was not reached: nothing was created
 */
export function createOwnedContext(
  client: AgbClient,
  name: string,
  options: CreateContextOptions,
): Promise<CreatedContext> {
  const { inUse, owner, adopt = false, searcher = client } = options;
  return inUse.oneAtATime(name, async () => {
    const found = await findContext(client, name);
    const isTaken = found !== undefined && inUse.belongsToAnother(found.contextId, owner);
    if (found !== undefined && (!adopt || isTaken)) {
      throw new AgbContextExistsError(name, found.contextId, isTaken);
    }
    const adopted = found && (await waitWhileCleared(client, found, options));
    const context = adopted ?? (await createNew(client, name, searcher));
    inUse.add(context.contextId, owner);
    return { ...context, wasAdopted: adopted !== undefined };
  });
}

/**
 * Renames a context and waits until AGB shows the new name. Succeeds if it already has that name.
 *
 * @returns the context with its new name; `undefined` when it is gone
 * @throws AgbContextExistsError when another context has the name; nothing was changed
 * @throws AgbContextClearingError when it is still being cleared after the time-out
 * @throws AgbContextUnchangedError when AGB accepted the name but does not show it after the time-out
 */
export function renameContext(
  client: AgbClient,
  contextId: string,
  name: string,
  options: RenameContextOptions,
): Promise<Context | undefined> {
  const { inUse, owner, knownName, clock = systemClock, timeoutMs = defaultContextTimeoutMs } = options;
  return inUse.oneAtATime(name, async () => {
    const holder = await findContext(client, name);
    if (holder !== undefined && holder.contextId !== contextId) {
      throw new AgbContextExistsError(name, holder.contextId, inUse.belongsToAnother(holder.contextId, owner));
    }
    inUse.add(contextId, owner);
    if (holder !== undefined) {
      return holder;
    }
    const found = await getContext(client, contextId, knownName);
    const ready = found && (await waitWhileCleared(client, found, options));
    if (ready === undefined) {
      return undefined;
    }
    const accepted = await unlessGone(requestRename(client, contextId, name).then(() => true));
    let latest: Context | undefined;
    const isShown = async () => {
      latest = await getContext(client, contextId, name);
      return latest === undefined || latest.name.trim() === name.trim();
    };
    if (accepted && !(await waitForAgb(isShown, { timeoutMs }, clock))) {
      throw new AgbContextUnchangedError("rename", contextId, timeoutMs);
    }
    return latest;
  });
}

/**
 * Deletes a context and makes sure that it is gone. Deletes nothing while it holds files, unless `force` is set.
 *
 * @returns `false` when it was already gone
 * @throws AgbContextNotEmptyError when it holds files
 * @throws AgbContextClearingError when it is still being cleared after the time-out
 * @throws AgbContextUnchangedError when AGB accepted the delete and it is still there after the time-out
 * @throws AgbUnexpectedReplyError when AGB finds the context but not its files
 */
export async function deleteContext(
  client: AgbClient,
  contextId: string,
  options: DeleteContextOptions = {},
): Promise<boolean> {
  const { force = false, knownName, clock = systemClock, timeoutMs = defaultContextTimeoutMs } = options;
  const found = await getContext(client, contextId, knownName);
  const ready = found && (await waitWhileCleared(client, found, options));
  if (ready === undefined) {
    return false;
  }
  if (!force) {
    const count = await countUnlessGone(client, ready);
    if (count === undefined) {
      return true;
    }
    if (!isEmpty(count)) {
      throw new AgbContextNotEmptyError(contextId, count);
    }
  }
  // The context existed just now. "Not found" means that an earlier attempt deleted it and its reply was lost.
  await unlessGone(requestDelete(client, contextId));
  const isGone = async () => (await getContext(client, contextId, ready.name)) === undefined;
  if (!(await waitForAgb(isGone, { timeoutMs }, clock))) {
    throw new AgbContextUnchangedError("delete", contextId, timeoutMs);
  }
  return true;
}

/**
 * Deletes a context that was just created, because no state will hold it. Makes few calls, because there is little time. A
 * context that already holds files stays.
 */
export async function deleteNewContext(client: AgbClient, contextId: string): Promise<void> {
  for await (const _entry of listFiles(client, contextId, "/")) {
    return;
  }
  await unlessGone(requestDelete(client, contextId));
}

/** Counts the files of a context. While AGB finds the context, "not found" for its files proves nothing. */
async function countUnlessGone(client: AgbClient, { contextId, name }: Context): Promise<FileCount | undefined> {
  try {
    return await countFiles(client, contextId);
  } catch (error) {
    if (!(error instanceof AgbNotFoundError)) {
      throw error;
    }
    if ((await getContext(client, contextId, name)) === undefined) {
      return undefined;
    }
    const { operation, status, requestId } = error;
    const reason = "it does not know a context that GetContext finds";
    throw new AgbUnexpectedReplyError(operation, status, requestId, reason);
  }
}

/**
 * Creates a context whose name does not exist yet. After a lost reply, it checks whether AGB created it. If the client has a
 * limit, the create gets three quarters of the time that is left. The rest is for that check.
 */
async function createNew(client: AgbClient, name: string, searcher: AgbClient): Promise<Context> {
  const leftMs = client.leftMs();
  const search = searcher.within(leftMs);
  try {
    return await createContext(client.within(leftMs * 0.75), name);
  } catch (error) {
    if (!mayHaveHadEffect(error)) {
      throw error;
    }
    const made = await findContext(search, name).catch(() => {
      throw new AgbUncertainContextError(name, { cause: error });
    });
    if (made !== undefined) {
      return made;
    }
    throw mayStillHaveEffect(error) ? new AgbUncertainContextError(name, { cause: error }) : error;
  }
}

/**
 * Waits while AGB deletes the files of a context.
 *
 * An empty state counts as `clearing` only after AGB reported `clearing` in this wait. AGB's SDK always treats it as
 * `clearing`. But the sibling platform plans to drop the state, and then every delete would fail.
 *
 * @returns the context afterwards; `undefined` when it was deleted during the wait
 */
async function waitWhileCleared(
  client: AgbClient,
  found: Context,
  { clock = systemClock, timeoutMs = defaultContextTimeoutMs }: ContextWait,
): Promise<Context | undefined> {
  if (!clearingStates.has(found.state)) {
    return found;
  }
  let latest: Context | undefined = found;
  const isReady = async () => {
    latest = await getContext(client, found.contextId, found.name);
    return latest === undefined || !(latest.state === "" || clearingStates.has(latest.state));
  };
  if (!(await waitForAgb(isReady, { timeoutMs }, clock))) {
    throw new AgbContextClearingError(found.contextId, timeoutMs);
  }
  return latest;
}
