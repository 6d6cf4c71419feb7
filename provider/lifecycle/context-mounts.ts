/** Waits for the files of mounted contexts: downloads to the session after a create, uploads to the context before a release. */
import type { AgbClient } from "../api/client";
import { getSyncItems, type SyncDirection, type SyncItem, startSync } from "../api/context-sync";
import { countFiles, isEmpty } from "../api/contexts";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError } from "../api/errors";
import { contextGoneCodes, saysGone } from "../api/gone";
import { type ContextMount, downloadsOnCreate, plainPath, uploadsOnRelease } from "../api/sync-policy";
import { unlessGone } from "../api/unless-gone";
import { AgbContextSyncError, type SyncFailure } from "./context-errors";
import type { Clock, PollOptions } from "./wait";
import { waitForAgb } from "./wait-for-agb";

/** Default limit of a synchronization, in milliseconds. AGB's SDK also waits five minutes. */
export const defaultSyncTimeoutMs = 300_000;

/**
 * AGB's times have whole seconds. An upload that begins this long after a look has another start time than all that the
 * look showed.
 */
const distinctStartMs = 1_100;

/**
 * Waits until the files of every mount that downloads by itself are in the session.
 *
 * @throws AgbContextSyncError when a download failed, or is not over after the time-out
 * @throws AgbNotFoundError when the session is gone
 */
export async function waitForDownloads(
  client: AgbClient,
  sessionId: string,
  mounts: readonly ContextMount[],
  clock: Clock,
  timeoutMs = defaultSyncTimeoutMs,
): Promise<void> {
  const watch = new SyncWatch(client, sessionId, "download", clock, timeoutMs);
  await watch.requireDone(mounts.filter(downloadsOnCreate), []);
}

/**
 * Downloads again the mounts that download automatically and whose last download did not succeed. Leaves others alone,
 * because the session may have changed their files since.
 *
 * @throws AgbContextSyncError when a download failed, or is not over after the time-out
 * @throws AgbNotFoundError when the session is gone
 */
export async function downloadAgain(
  client: AgbClient,
  sessionId: string,
  mounts: readonly ContextMount[],
  clock: Clock,
  timeoutMs = defaultSyncTimeoutMs,
): Promise<void> {
  const watch = new SyncWatch(client, sessionId, "download", clock, timeoutMs);
  const earlier = await watch.awaitQuiet(mounts.filter(downloadsOnCreate));
  const missing = mounts.filter(
    (mount) => downloadsOnCreate(mount) && newest(earlier, mount)?.progress !== "succeeded",
  );
  const refused = await watch.start(missing);
  await watch.requireDone(missing, earlier, refused);
}

/**
 * Uploads the files of every mount that uploads automatically, and waits until that is done, so a release loses nothing. AGB
 * also uploads them on release, but does not report a failure then.
 *
 * @returns `false` when the session is gone, so that there is nothing to upload
 * @throws AgbContextSyncError when an upload failed, or is not over after the time-out
 */
export async function uploadBeforeRelease(
  client: AgbClient,
  sessionId: string,
  mounts: readonly ContextMount[],
  clock: Clock,
  timeoutMs = defaultSyncTimeoutMs,
): Promise<boolean> {
  const uploading = mounts.filter(uploadsOnRelease);
  const upload = async () => {
    const watch = new SyncWatch(client, sessionId, "upload", clock, timeoutMs);
    const earlier = await watch.awaitQuiet(uploading);
    const refused = await watch.start(uploading);
    await watch.requireDone(uploading, earlier, refused);
    return true;
  };
  return uploading.length === 0 || (await unlessGone(upload())) === true;
}

/** Mounts that AGB refused to synchronize. */
type Refusals = ReadonlyMap<ContextMount, SyncFailure>;

/** The synchronizations of one session in one direction, watched until a common deadline. */
class SyncWatch {
  private readonly startedMs: number;
  /** Mounts of which AGB showed a new synchronization that was going on. */
  private readonly seenRunning = new Set<ContextMount>();
  /** What the contexts hold of mounts for which AGB shows no item; each is asked once. */
  private readonly itemless = new Map<ContextMount, "empty" | "not empty" | "missing">();

  constructor(
    private readonly client: AgbClient,
    private readonly sessionId: string,
    private readonly direction: SyncDirection,
    private readonly clock: Clock,
    private readonly timeoutMs: number,
  ) {
    this.startedMs = clock.elapsedMs();
  }

  /**
   * Waits until nothing is under way for these mounts, and until whatever begins next has a start time of its own.
   *
   * @returns the items of these mounts, all of them final
   */
  async awaitQuiet(mounts: readonly ContextMount[]): Promise<SyncItem[]> {
    if (mounts.length === 0) {
      return [];
    }
    let items: SyncItem[] = [];
    let before: string | undefined;
    const isQuiet = async () => {
      items = await this.look(mounts);
      const shown = JSON.stringify(items.map((item) => JSON.stringify(item)).sort());
      const isSame = shown === before;
      before = shown;
      return isSame && items.every(({ progress }) => progress !== "running");
    };
    if (!(await this.wait(isQuiet, { firstDelayMs: distinctStartMs, longestDelayMs: distinctStartMs }))) {
      const busy = mounts.filter((mount) => itemsOf(items, mount).length > 0);
      this.fail(
        (busy.length > 0 ? busy : mounts).map((mount) =>
          this.timeoutOf(mount, `an earlier ${this.direction} is still going on`),
        ),
      );
    }
    return items;
  }

  /**
   * Asks AGB to synchronize each of the mounts, also after it refused one.
   *
   * @returns the mounts that AGB refused
   */
  async start(mounts: readonly ContextMount[]): Promise<Refusals> {
    const refused = new Map<ContextMount, SyncFailure>();
    for (const mount of mounts) {
      try {
        await startSync(this.client, this.sessionId, mount, this.direction);
      } catch (error) {
        if (!isRefusalOfMount(error)) {
          throw error;
        }
        const reason = saysGone(contextGoneCodes, error) ? "the context no longer exists" : error.message;
        refused.set(mount, failure(mount, reason, false));
      }
    }
    return refused;
  }

  /**
   * Waits until AGB shows the end of a synchronization for each mount.
   *
   * @param earlier items that do not count, because they were there before
   * @param refused mounts whose synchronization did not start
   * @throws AgbContextSyncError when one failed or did not start, or is not over at the deadline
   */
  async requireDone(
    wanted: readonly ContextMount[],
    earlier: readonly SyncItem[],
    refused: Refusals = new Map(),
  ): Promise<void> {
    const mounts = wanted.filter((mount) => !refused.has(mount));
    const known = new Set(earlier.map(identityOf));
    let items: SyncItem[] = [];
    const isOver = async () => {
      const shown = await this.look(mounts);
      for (const old of earlier.filter((item) => isReplaced(item, shown))) {
        known.delete(identityOf(old));
      }
      items = shown.filter((item) => !known.has(identityOf(item)) && !earlier.some((old) => beganBefore(item, old)));
      for (const mount of mounts) {
        if (!(await this.isOver(mount, items))) {
          return false;
        }
      }
      return true;
    };
    if (mounts.length > 0) {
      await this.wait(isOver);
    }
    const failures = mounts.flatMap((mount) => this.failureOf(mount, itemsOf(items, mount)));
    this.fail([...refused.values(), ...failures]);
  }

  private wait(look: () => Promise<boolean>, options: Partial<PollOptions> = {}): Promise<boolean> {
    const leftMs = this.startedMs + this.timeoutMs - this.clock.elapsedMs();
    return waitForAgb(look, { ...options, timeoutMs: Math.max(0, leftMs) }, this.clock);
  }

  private async look(mounts: readonly ContextMount[]): Promise<SyncItem[]> {
    const items = await getSyncItems(this.client, this.sessionId);
    return items.filter((item) => item.direction === this.direction && mounts.some((mount) => isOfMount(item, mount)));
  }

  private async isOver(mount: ContextMount, items: readonly SyncItem[]): Promise<boolean> {
    const own = itemsOf(items, mount);
    if (own.some(({ progress }) => progress === "running")) {
      this.seenRunning.add(mount);
      return false;
    }
    if (own.length > 0) {
      return true;
    }
    return this.direction === "download" && (await this.lookIntoContext(mount)) !== "not empty";
  }

  /**
   * No item means that AGB has not started yet, or that there is nothing to do. AGB's SDK treats it as done. A session can
   * then start without its files, and its first upload would delete them from the context. So only an empty context counts
   * as downloaded. For an upload there is no such proof: AGB must show an item.
   */
  private async lookIntoContext(mount: ContextMount): Promise<"empty" | "not empty" | "missing"> {
    const known = this.itemless.get(mount);
    if (known !== undefined) {
      return known;
    }
    const count = await unlessGone(countFiles(this.client, mount.contextId));
    const found = count === undefined ? "missing" : isEmpty(count) ? "empty" : "not empty";
    this.itemless.set(mount, found);
    return found;
  }

  private failureOf(mount: ContextMount, own: readonly SyncItem[]): SyncFailure[] {
    const running = own.find(({ progress }) => progress === "running");
    if (running !== undefined) {
      const status = this.client.clean(running.status) || "none";
      return [this.timeoutOf(mount, `it is not over, AGB's status is ${status}`)];
    }
    const last = newest(own, mount);
    if (last !== undefined) {
      const reason = this.client.clean(last.errorMessage) || "AGB gave no reason";
      return last.progress === "failed" ? [failure(mount, reason, false)] : [];
    }
    const found = this.itemless.get(mount);
    if (found === "missing") {
      return [failure(mount, "the context does not exist", false)];
    }
    if (found === "empty") {
      return [];
    }
    const state = this.seenRunning.has(mount)
      ? `AGB showed that its ${this.direction} was running, but not how it ended`
      : `AGB does not show any ${this.direction} of it`;
    return [this.timeoutOf(mount, state)];
  }

  private timeoutOf(mount: ContextMount, state: string): SyncFailure {
    return failure(mount, `${state} after ${Math.round(this.clock.elapsedMs() - this.startedMs)} ms`, true);
  }

  private fail(failures: readonly SyncFailure[]): void {
    if (failures.length > 0) {
      throw new AgbContextSyncError(this.sessionId, this.direction, failures);
    }
  }
}

function failure({ contextId, path }: ContextMount, reason: string, isTimeout: boolean): SyncFailure {
  return { contextId, path, reason, isTimeout };
}

function itemsOf(items: readonly SyncItem[], mount: ContextMount): SyncItem[] {
  return items.filter((item) => isOfMount(item, mount));
}

function isOfMount(item: SyncItem, { contextId, path }: ContextMount): boolean {
  return item.contextId === contextId && (item.path === "" || plainPath(item.path) === plainPath(path));
}

/** The item of a mount that began last. Of several with the same start time, one that failed counts. */
function newest(items: readonly SyncItem[], mount: ContextMount): SyncItem | undefined {
  return itemsOf(items, mount).reduce<SyncItem | undefined>((last, item) => {
    const isLater = last === undefined || item.startTime > last.startTime;
    return isLater || (item.startTime === last.startTime && last.progress !== "failed") ? item : last;
  }, undefined);
}

/**
 * Identifies a synchronization. AGB gives it no id and may add its end later. Without a start time, only the outcome
 * distinguishes two of them.
 */
function identityOf({ contextId, path, direction, startTime, progress }: SyncItem): string {
  return JSON.stringify([contextId, path, direction, startTime || progress]);
}

/** Whether a synchronization of a mount began before another one of it, so that AGB shows it late. */
function beganBefore(item: SyncItem, other: SyncItem): boolean {
  const isSameMount = item.contextId === other.contextId && item.path === other.path;
  return isSameMount && item.startTime !== 0 && item.startTime < other.startTime;
}

/** Whether another synchronization has taken the place of this one. Without start times, only its progress shows that. */
function isReplaced(old: SyncItem, shown: readonly SyncItem[]): boolean {
  const isTwin = ({ contextId, path, startTime }: SyncItem) =>
    startTime === 0 && old.startTime === 0 && contextId === old.contextId && path === old.path;
  const twins = shown.filter(isTwin);
  return (
    twins.some(({ progress }) => progress === "running") && twins.every((twin) => identityOf(twin) !== identityOf(old))
  );
}

/** Whether AGB refused to synchronize a mount, and would not refuse every call in the same way. */
function isRefusalOfMount(error: unknown): error is AgbApiError {
  return (
    error instanceof AgbApiError && !(error instanceof AgbNotFoundError) && !(error instanceof AgbAuthenticationError)
  );
}
