import type { AgbClient } from "../api/client";
import { AgbAuthenticationError, AgbNetworkError, CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import type { ContextMount } from "../api/sync-policy";
import {
  defaultSyncTimeoutMs,
  downloadAgain,
  uploadBeforeRelease,
  waitForDownloads,
} from "../lifecycle/context-mounts";
import type { Clock } from "../lifecycle/wait";
import type { Problem } from "../problem";
import type { Properties } from "./hosted-kind";
import { type Call, UnfinishedResource } from "./kind";
import type { SessionState } from "./session";
import { describeSession } from "./session-labels";
import { isUnknown } from "./unknown";

/** The files of the session could not be uploaded to its contexts, so it is not released. */
export class UploadFailedError extends CleanError {
  constructor(cause: unknown) {
    super(describeError(cause), { cause });
  }
}

/** A session that is taken over keeps the mounts that it has. */
export function mountProblems({ adopt, contextSyncs }: Properties): Problem[] {
  const mounts = Array.isArray(contextSyncs) && contextSyncs.length > 0;
  const reason = "a session that `adopt` takes over keeps the mounts that it has; remove contextSyncs or adopt";
  return mounts && adopt !== undefined && !isUnknown(adopt) ? [{ path: "contextSyncs", reason }] : [];
}

/**
 * Waits until a new session has the files of its contexts.
 *
 * @returns what failed; `undefined` when nothing did
 */
export function awaitDownloads(
  client: AgbClient,
  id: string,
  mounts: readonly ContextMount[],
  clock: Clock,
): Promise<unknown> {
  return failureOf(waitForDownloads(client, id, mounts, clock, syncTimeoutMs(client)));
}

/**
 * Downloads again what a session lacks.
 *
 * @returns what failed; `undefined` when nothing did
 */
export function repeatDownloads(
  client: AgbClient,
  id: string,
  mounts: readonly ContextMount[],
  clock: Clock,
): Promise<unknown> {
  return failureOf(downloadAgain(client, id, mounts, clock, syncTimeoutMs(client)));
}

/** The error of a session that lacks files of its contexts. The state says so, and the next update repeats the downloads. */
export function unfinishedDownload(
  id: string,
  state: SessionState,
  resource: string | undefined,
  failure: unknown,
): UnfinishedResource<SessionState> {
  return new UnfinishedResource(
    id,
    { ...state, downloadPending: true },
    `${describeSession(id, resource)} runs without all files of its contexts: ${describeError(failure)}. The session stays ` +
      "in the state; the next `pulumi up` downloads them again.",
    { cause: failure },
  );
}

/**
 * Uploads the session's files to its contexts before a release. With `releaseWithoutUpload` a failure is only reported.
 *
 * @throws UploadFailedError when files could not be uploaded
 */
export async function uploadMounts(
  { client, say }: Call,
  id: string,
  { contextSyncs: mounts = [], releaseWithoutUpload = false }: Partial<SessionState>,
  clock: Clock,
): Promise<void> {
  const failure = await failureOf(uploadBeforeRelease(client, id, mounts, clock, syncTimeoutMs(client)));
  if (failure === undefined) {
    return;
  }
  if (failure instanceof AgbAuthenticationError || failure instanceof AgbNetworkError) {
    // The release would fail in the same way, and another key may be tried.
    throw failure;
  }
  if (!releaseWithoutUpload) {
    throw new UploadFailedError(failure);
  }
  say(
    `session ${printable(id)} is released without its files, as releaseWithoutUpload says: ${describeError(failure)}`,
  );
}

/** What is left of the operation's limit, in milliseconds, else the default. */
function syncTimeoutMs(client: AgbClient): number {
  const leftMs = client.leftMs();
  return Number.isFinite(leftMs) ? leftMs : defaultSyncTimeoutMs;
}

/** What went wrong, ready to be shown. */
function describeError(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return (error instanceof CleanError ? words : printable(words)).replace(/\.$/, "");
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error("unknown");
  }
}
