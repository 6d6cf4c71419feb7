import { LabelLag } from "./label-lag";
import { TwinWatch } from "./twin-watch";
import { type Clock, systemClock } from "./wait";

/** A search that begins because a create may have made a session although it failed. */
export interface SearchNotice {
  /** What the create failed with. */
  readonly error: unknown;
  /** How long the search takes at most, in milliseconds. */
  readonly searchMs: number;
}

/** What all creates of a process share. */
export interface CreateRuntime {
  readonly clock: Clock;
  /** Aborted when the run is over: no create is sent after that. */
  readonly ended: AbortSignal;
  readonly lag: LabelLag;
  readonly twins: TwinWatch;
  /** Called before each search. */
  readonly onSearch: ((notice: SearchNotice) => void) | undefined;
}

/** What a create runtime is made of. */
export interface CreateRuntimeOptions {
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: a run without an end. */
  readonly ended?: AbortSignal;
  readonly onSearch?: (notice: SearchNotice) => void;
}

/** Makes what the creates of a process share. */
export function openCreateRuntime({
  clock = systemClock,
  ended = new AbortController().signal,
  onSearch,
}: CreateRuntimeOptions = {}): CreateRuntime {
  const lag = new LabelLag();
  return { clock, ended, lag, twins: new TwinWatch(clock, lag, ended), onSearch };
}
