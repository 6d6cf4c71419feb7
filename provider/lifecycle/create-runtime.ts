import { LabelLag } from "./label-lag";
import { TwinWatch } from "./twin-watch";
import { type Clock, systemClock } from "./wait";

/** A search that begins because a failed create may have created a session. */
export interface SearchNotice {
  /** The error of the create. */
  readonly error: unknown;
  /** How long the search takes at most, in milliseconds. */
  readonly searchMs: number;
}

/** State that all creates of a process share. */
export interface CreateRuntime {
  readonly clock: Clock;
  /** Aborted when the run is over. No create is sent after that. */
  readonly ended: AbortSignal;
  readonly lag: LabelLag;
  readonly twins: TwinWatch;
  /** Called before each search. */
  readonly onSearch: ((notice: SearchNotice) => void) | undefined;
}

/** Options of a create runtime. */
export interface CreateRuntimeOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: never aborted. */
  readonly ended?: AbortSignal;
  readonly onSearch?: (notice: SearchNotice) => void;
}

/** Creates the state that all creates of a process share. */
export function openCreateRuntime({
  clock = systemClock,
  ended = new AbortController().signal,
  onSearch,
}: CreateRuntimeOptions = {}): CreateRuntime {
  const lag = new LabelLag();
  return { clock, ended, lag, twins: new TwinWatch(clock, lag, ended), onSearch };
}
