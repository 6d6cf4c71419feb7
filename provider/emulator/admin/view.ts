import type { EmulatedContext, EmulatedSession, EmulatorControls } from "../controls";
import type { JournalEntry } from "../journal";

/** What the console and its endpoints show and change. */
export interface AdminSubject {
  readonly emulator: EmulatorControls;
}

/** The emulator's time. */
export interface ClockView {
  readonly nowMs: number;
  /** The same as `nowMs`, for people. */
  readonly now: string;
}

/** The newest sessions, and how many there are in all. */
export interface SessionsView {
  readonly count: number;
  readonly sessions: readonly EmulatedSession[];
}

/** How many requests are shown. */
export const shownRequestCount = 200;
const shownSessionCount = 200;

export function viewClock({ emulator }: AdminSubject): ClockView {
  const nowMs = emulator.nowMs();
  return { nowMs, now: new Date(nowMs).toISOString() };
}

/** @param limit how many at most, newest first. @default 200 */
export function viewSessions({ emulator }: AdminSubject, limit: number = shownSessionCount): SessionsView {
  const sessions = emulator.sessions();
  return { count: sessions.length, sessions: sessions.slice(0, limit) };
}

/** The last 200 requests, newest first. */
export function viewRequests({ emulator }: AdminSubject): { readonly requests: readonly JournalEntry[] } {
  return { requests: emulator.requests(shownRequestCount).reverse() };
}

export function viewContexts({ emulator }: AdminSubject): { readonly contexts: readonly EmulatedContext[] } {
  return { contexts: emulator.contexts() };
}

export function viewFaults({ emulator }: AdminSubject) {
  return { faults: emulator.faults().map(({ id, struck, rule }) => ({ id, struck, ...rule })) };
}
