import type { RequestState } from "../forge/forge";
import { isDone, type ReleaseRight, type Verdict } from "../lifecycle/sweep";

/** What became of a request's stack. */
export interface StackVerdict {
  readonly stack: string;
  readonly action: "removed" | "would remove" | "kept" | "left" | "failed";
  readonly reason: string;
  /** What the state of a removed stack proved: its sessions may still be released. */
  readonly right?: ReleaseRight | undefined;
}

/** What became of a session that no state knows, or of which that is not certain. */
export interface SessionVerdict extends Verdict {
  readonly stack: string;
}

/** What a sweep found and did. */
export interface SweepResult {
  readonly stacks: readonly StackVerdict[];
  readonly sessions: readonly SessionVerdict[];
  /** What could not be found out or done; whatever it is about was left alone. */
  readonly failures: readonly string[];
}

/** Whether a request's environment may go. */
export interface RequestVerdict {
  readonly fate: "keep" | "remove" | "doubt";
  /** Whether the request is closed, not only idle. */
  readonly isClosed: boolean;
  readonly reason: string;
  /** What people who read the request should know, when its environment goes. */
  readonly note?: string;
}

const dayMs = 86_400_000;

/** Decides whether the environment of a request may go. */
export function judgeRequest(state: RequestState, idleDays: number | undefined, nowMs: number): RequestVerdict {
  if (!state.isOpen) {
    return { fate: "remove", isClosed: true, reason: "its request is closed" };
  }
  const idleMs = nowMs - state.updatedAt.getTime();
  if (idleDays === undefined || idleMs < idleDays * dayMs) {
    return { fate: "keep", isClosed: false, reason: "its request is open" };
  }
  const reason = `nothing happened to its request for ${Math.floor(idleMs / dayMs)} days`;
  return { fate: "remove", isClosed: false, reason, note: `That is because ${reason}. A new push makes it again.` };
}

/** Whether stacks or sessions that should be gone are still there. */
export function somethingIsLeft({ stacks, sessions }: Pick<SweepResult, "stacks" | "sessions">): boolean {
  return (
    stacks.some(({ action }) => action === "would remove" || action === "failed" || action === "left") ||
    !sessions.every(isDone)
  );
}
