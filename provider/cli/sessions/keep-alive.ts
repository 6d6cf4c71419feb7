import { Command, Option } from "commander";
import { AgbNotFoundError, AgbTimeoutError } from "../../api/errors";
import { isTransient } from "../../api/retry";
import { refreshIdleTime } from "../../api/sessions";
import { type Clock, systemClock } from "../../lifecycle/wait";
import { describeFailure } from "../../messages/describe-failure";
import { withCode } from "../../messages/message-codes";
import { type AgbAccess, note, noteFailure, outliveReader, withAgb } from "../agb-access";
import { parseDurationMs, parseLimitedDurationMs } from "../duration";
import { addHelpSections } from "../help-text";
import { inParallel } from "../in-parallel";
import { onParentEnd } from "../parent-end";
import {
  addSelectionOptions,
  checkSelection,
  describeFilter,
  isByLabels,
  type Selection,
  type SelectionFlags,
  selectSessions,
} from "../session-selection";
import { agbVariables } from "../settings-help";

interface KeepAliveFlags extends SelectionFlags {
  readonly every?: number;
  readonly for?: number;
}

/** How often and how long, in milliseconds. */
export interface Rhythm {
  /** Time from one beat to the next; `undefined` for a single beat. */
  readonly everyMs?: number | undefined;
  /** Time after which it ends; `undefined` for no end. */
  readonly forMs?: number | undefined;
}

/** Exit code when a session is gone. */
const sessionGone = 2;
const callsAtOnce = 8;

/** The subcommand `sessions keep-alive`. */
export function keepAliveCommand(): Command {
  const command = new Command("keep-alive")
    .summary("restart the idle time of sessions, once or again and again")
    .description(
      "Restart the idle time of sessions: AGB releases a session after 5 idle minutes, unless it was created with another " +
        "time. With --every it repeats that until you stop it, until --for is over, or until all of the sessions are gone.",
    )
    .argument("[session-ids...]", "the sessions; whole ids");
  addSelectionOptions(command)
    .addOption(
      new Option(
        "--every <duration>",
        "repeat after this time: 60s, 2m or 1h; choose less than the idle time (default: only once)",
      ).argParser(parseLimitedDurationMs),
    )
    .addOption(
      new Option("--for <duration>", "stop after this time; needs --every (default: no end)").argParser(
        parseDurationMs,
      ),
    )
    .action(runKeepAlive);
  return addHelpSections(command, {
    notes: [
      "AGB still releases a session when its longest lifetime is over, which is 30 minutes unless its policy says otherwise.",
      "A call that fails after the first beat is tried again at the next one. Ctrl+C and SIGTERM are the ordinary end.",
    ],
    examples: [
      "pulumi-agb sessions keep-alive SESSION_ID",
      "pulumi-agb sessions keep-alive --stack dev --every 60s --for 30m",
    ],
    environment: agbVariables,
    exitCodes: {
      "0": "the sessions were kept alive until the end of the command, also after Ctrl+C or SIGTERM",
      "2": "a session is gone",
      "1": "the call failed, or no session matches",
    },
  });
}

async function runKeepAlive(ids: readonly string[], flags: KeepAliveFlags, command: Command): Promise<void> {
  const selection: Selection = { ids: [...new Set(ids)], flags };
  checkSelection(command, selection);
  if (flags.for !== undefined && flags.every === undefined) {
    command.error("error: --for needs --every.");
  }
  if (flags.every !== undefined) {
    const end = () => process.exit(0);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, end);
    }
    onParentEnd(end);
  }
  const needsState = isByLabels(selection);
  await withAgb({ name: "sessions keep-alive", stack: flags.stack, needsState }, async (agb) => {
    outliveReader();
    const sessionIds = await findIds(agb, selection);
    if (sessionIds.length === 0) {
      note(`note: No session matches ${describeFilter(flags)}.`);
      return 1;
    }
    const rhythm: Rhythm = { everyMs: flags.every, forMs: flags.for };
    const { gone, failed } = await keepAlive(agb, sessionIds, rhythm, systemClock);
    return gone > 0 ? sessionGone : failed > 0 ? 1 : 0;
  });
}

async function findIds(agb: AgbAccess, { ids, flags }: Selection): Promise<readonly string[]> {
  if (ids.length > 0) {
    return ids;
  }
  const found: string[] = [];
  for await (const { sessionId } of selectSessions(agb, flags)) {
    found.push(sessionId);
  }
  return found;
}

/**
 * Restarts the idle time of sessions, once or in a rhythm, and says what changes.
 *
 * @returns how many sessions are gone, and how many of the others could not be kept alive at the last beat
 * @throws AgbError when the first beat fails in a way that a later one would not repair
 */
export async function keepAlive(
  { client, hideKey }: Pick<AgbAccess, "client" | "hideKey">,
  sessionIds: readonly string[],
  { everyMs, forMs = Number.POSITIVE_INFINITY }: Rhythm,
  clock: Clock,
): Promise<{ readonly gone: number; readonly failed: number }> {
  const endMs = clock.elapsedMs() + forMs;
  const alive = new Set(sessionIds);
  const failing = new Set<string>();
  let isFirst = true;

  const beat = async (sessionId: string): Promise<void> => {
    const shown = hideKey(sessionId);
    try {
      await refreshIdleTime(everyMs === undefined ? client : client.within(everyMs), sessionId);
      if (isFirst) {
        console.log(`kept alive: ${shown}`);
      } else if (failing.has(sessionId)) {
        note(`note: ${shown} is kept alive again.`);
      }
      failing.delete(sessionId);
    } catch (error) {
      if (error instanceof AgbNotFoundError) {
        alive.delete(sessionId);
        failing.delete(sessionId);
        const text = "it is gone: it was idle for too long, its lifetime was over, or something released it";
        noteFailure(shown, { text, code: "AGB636" });
        return;
      }
      if (isFirst && !(isTransient(error) || error instanceof AgbTimeoutError)) {
        throw error;
      }
      const { text, code } = describeFailure(error);
      if (everyMs === undefined) {
        noteFailure(shown, { text, code });
      } else {
        note(withCode(`warning: Could not keep ${shown} alive: ${text}. The next beat tries again.`, code));
      }
      failing.add(sessionId);
    }
  };

  for (;;) {
    const nextMs = clock.elapsedMs() + (everyMs ?? 0);
    await inParallel([...alive], callsAtOnce, beat);
    isFirst = false;
    if (everyMs === undefined || alive.size === 0) {
      break;
    }
    await clock.sleep(Math.max(0, Math.min(nextMs, endMs) - clock.elapsedMs()));
    if (clock.elapsedMs() >= endMs) {
      break;
    }
  }
  return { gone: sessionIds.length - alive.size, failed: failing.size };
}
