import type { AgbClient } from "../api/client";
import { countFiles, isEmpty } from "../api/contexts";
import { AgbAuthenticationError, AgbNetworkError, AgbNotFoundError, CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import { type ContextMount, uploadsOnRelease } from "../api/sync-policy";
import { unlessGone } from "../api/unless-gone";
import { AgbContextSyncError } from "../lifecycle/context-errors";
import {
  defaultSyncTimeoutMs,
  downloadAgain,
  uploadBeforeRelease,
  waitForDownloads,
} from "../lifecycle/context-mounts";
import type { Clock } from "../lifecycle/wait";
import type { Problem } from "../messages/problem";
import { describeError } from "./failure";
import type { Properties } from "./hosted-kind";
import { type Call, UnfinishedResource } from "./kind";
import { describeSession } from "./session-labels";
import { isUnknown } from "./unknown";

/** What a state says about the contexts of its session. */
export interface MountState {
  readonly contextSyncs?: readonly ContextMount[] | undefined;
  readonly releaseWithoutUpload?: boolean | undefined;
  readonly downloadPending?: boolean | undefined;
}

/** The files of the session could not be uploaded to its contexts, so it is not released. */
export class UploadFailedError extends CleanError {
  constructor(reason: string, cause: unknown) {
    super(reason, { cause });
  }
}

/** AGB released a new session before the files of its contexts were there. */
export class ReleasedDuringDownloadError extends CleanError {
  constructor(id: string, cause: AgbNotFoundError) {
    super(`AGB released session ${printable(id)} while it downloaded the files of its contexts`, { cause });
  }
}

/** Refuses mounts of an adopted session: AGB mounts contexts only when it creates a session. */
export function mountProblems({ adopt, contextSyncs }: Properties): Problem[] {
  const mounts = Array.isArray(contextSyncs) && contextSyncs.length > 0;
  const reason = "an adopted session keeps the mounts that it has; remove contextSyncs or adopt";
  return mounts && adopt !== undefined && !isUnknown(adopt) ? [{ path: "contextSyncs", reason, code: "AGB112" }] : [];
}

/**
 * Waits until a new session has the files of its contexts.
 *
 * @returns what failed; `undefined` when nothing did
 * @throws ReleasedDuringDownloadError when there is no session any more
 */
export async function awaitDownloads(
  client: AgbClient,
  id: string,
  mounts: readonly ContextMount[],
  clock: Clock,
): Promise<unknown> {
  const failure = await failureOf(waitForDownloads(client, id, mounts, clock, syncTimeoutMs(client)));
  if (failure instanceof AgbNotFoundError) {
    throw new ReleasedDuringDownloadError(id, failure);
  }
  return failure;
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
export function unfinishedDownload<State extends object>(
  id: string,
  state: State,
  resource: string | undefined,
  failure: unknown,
): UnfinishedResource {
  return new UnfinishedResource(
    id,
    { ...state, downloadPending: true },
    `${describeSession(id, resource)} runs without all files of its contexts: ${describeError(failure)}. The session stays ` +
      "in the state; the next `pulumi up` downloads them again. If the path cannot be written, change it in contextSyncs.",
    "AGB413",
    { cause: failure },
  );
}

/**
 * Uploads the session's files to its contexts before a release. With `releaseWithoutUpload`, a failure is only a warning.
 * A failure that also stops the release, such as a refused key, is reported by the release.
 *
 * @throws UploadFailedError when files could not be uploaded
 * @throws AgbAuthenticationError, AgbNetworkError without `releaseWithoutUpload`, so that another key may be tried
 */
export async function uploadMounts(
  { client: unhurried, warn }: Call,
  id: string,
  known: MountState,
  clock: Clock,
): Promise<void> {
  const { releaseWithoutUpload = false } = known;
  const leftMs = unhurried.leftMs();
  // An upload that never ends must leave time for the release.
  const client = releaseWithoutUpload && Number.isFinite(leftMs) ? unhurried.within(leftMs / 2) : unhurried;
  const failure = await failureOf(completeAndUpload(client, id, known, clock, warn));
  if (failure === undefined) {
    return;
  }
  if (releaseWithoutUpload) {
    const reason = describeError(failure);
    warn(
      `session ${printable(id)} is released although its files were not uploaded: ${reason}. releaseWithoutUpload is set.`,
      "AGB416",
    );
    return;
  }
  if (
    failure instanceof AgbAuthenticationError ||
    failure instanceof AgbNetworkError ||
    failure instanceof UploadFailedError
  ) {
    throw failure;
  }
  throw new UploadFailedError(describeError(failure), failure);
}

/**
 * Downloads what a session lacks before the upload, which would delete in the context what is missing in the session. A
 * mount whose download fails again is not uploaded when its context is empty: there is nothing to delete, and its path may
 * not be writable.
 */
async function completeAndUpload(
  client: AgbClient,
  id: string,
  { contextSyncs: mounts = [], downloadPending = false }: MountState,
  clock: Clock,
  warn: Call["warn"],
): Promise<void> {
  let uploading = mounts.filter(uploadsOnRelease);
  if (downloadPending && uploading.length > 0) {
    const failure = await repeatDownloads(client, id, uploading, clock);
    if (failure instanceof AgbNotFoundError) {
      return;
    }
    if (failure !== undefined && !(failure instanceof AgbContextSyncError)) {
      throw failure;
    }
    const failed = failure?.failures ?? [];
    for (const { contextId, isTimeout } of failed) {
      if (isTimeout || !(await isEmptyContext(client, contextId))) {
        const reason =
          "the session lacks files of its contexts, and an upload could delete those files in the contexts";
        throw new UploadFailedError(`${reason}: ${describeError(failure)}`, failure);
      }
    }
    for (const { contextId, path } of failed) {
      uploading = uploading.filter((mount) => !(mount.contextId === contextId && mount.path === path));
      warn(
        `the mount ${printable(path)} of session ${printable(id)} is not uploaded: its download failed, and context ` +
          `${printable(contextId)} holds no files.`,
        "AGB417",
      );
    }
  }
  await uploadBeforeRelease(client, id, uploading, clock, syncTimeoutMs(client));
}

/** Whether a context certainly holds no files. A context that is gone does not count as empty. */
async function isEmptyContext(client: AgbClient, contextId: string): Promise<boolean> {
  const count = await unlessGone(countFiles(client, contextId));
  return count !== undefined && isEmpty(count);
}

/** What is left of the operation's limit, in milliseconds, else the default. */
function syncTimeoutMs(client: AgbClient): number {
  const leftMs = client.leftMs();
  return Number.isFinite(leftMs) ? leftMs : defaultSyncTimeoutMs;
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error("unknown");
  }
}
