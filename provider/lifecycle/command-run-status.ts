import { endsWithoutExitCode, fullDiskMark } from "./command-run-scripts";

/** How a command ended. */
export interface RunEnd {
  /**
   * `exited`: by itself. `timed out`: it was ended at its time limit. `killed`: the process that ran it was killed, or somebody
   * stopped the run before it began, so nobody knows its exit code. `no directory`: its working directory does not exist, so it
   * did not run. `no space`: nothing could be written in the session, so it did not run.
   */
  readonly reason: "exited" | "timed out" | "killed" | "no directory" | "no space";
  /** 128 plus the signal's number when a signal ended it. `undefined` when there is none. */
  readonly exitCode: number | undefined;
  /** Present when nothing could be written in the session after the end, so a part of the output may be missing. */
  readonly isDiskFull?: true;
}

/** How far a run is, and new output of it. */
export interface RunStatus {
  /**
   * `absent`: there is no directory. `ready`: it may be started. `starting`: the runner has just begun. `ended`: see `end`.
   */
  readonly step: "absent" | "ready" | "starting" | "running" | "ended";
  /** Only when `step` is `ended`. */
  readonly end: RunEnd | undefined;
  /** The run's random token; empty when it is absent. */
  readonly token: string;
  readonly stdout: OutputPiece;
  readonly stderr: OutputPiece;
}

/** A part of an output. */
export interface OutputPiece {
  /** How much the command has written so far, in bytes. */
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

/**
 * Reads what a script of a run printed.
 *
 * @returns `undefined` when it is not complete
 */
export function parseRunStatus(printed: string): RunStatus | undefined {
  const lines = printed.split(/\r?\n/);
  if (!lines.includes("end")) {
    return undefined;
  }
  const state = lineValue(lines, "state");
  const steps = ["absent", "ready", "starting", "running"] as const;
  const step = steps.find((name) => name === state) ?? "ended";
  const end = step === "ended" ? parseRunEnd(state ?? "") : undefined;
  if (step === "ended" && end === undefined) {
    return undefined;
  }
  return {
    step,
    end,
    token: lineValue(lines, "token") ?? "",
    stdout: pieceOf(lines, "stdout"),
    stderr: pieceOf(lines, "stderr"),
  };
}

function parseRunEnd(state: string): RunEnd | undefined {
  const isDiskFull = state.endsWith(fullDiskMark);
  const [, code, timeout] =
    /^(\d{1,3})(-timeout)?$/.exec(isDiskFull ? state.slice(0, -fullDiskMark.length) : state) ?? [];
  if (code !== undefined) {
    const reason = timeout === undefined ? "exited" : "timed out";
    return { reason, exitCode: Number(code), ...(isDiskFull && { isDiskFull }) };
  }
  const reasons: Readonly<Record<string, RunEnd["reason"]>> = {
    died: "killed",
    [endsWithoutExitCode.stopped]: "killed",
    [endsWithoutExitCode.noDirectory]: "no directory",
    [endsWithoutExitCode.noSpace]: "no space",
  };
  const reason = Object.hasOwn(reasons, state) ? reasons[state] : undefined;
  return reason && { reason, exitCode: undefined };
}

function lineValue(lines: readonly string[], name: string): string | undefined {
  return lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
}

/** Base64 contains no blanks, so a line with one begins another part. */
function pieceOf(lines: readonly string[], name: string): OutputPiece {
  const from = lines.findIndex((line) => line.startsWith(`${name} `));
  if (from < 0) {
    return { sizeBytes: 0, bytes: Buffer.alloc(0) };
  }
  const rest = lines.slice(from + 1);
  const until = rest.findIndex((line) => line === "end" || line.includes(" "));
  return {
    sizeBytes: Number(lineValue(lines, name)) || 0,
    bytes: Buffer.from(rest.slice(0, until).join(""), "base64"),
  };
}
