import { Command } from "commander";
import { getLabels, type Labels } from "../../api/labels";
import { printable } from "../../api/outside-text";
import { AgbReleaseTimeoutError } from "../../lifecycle/errors";
import { releaseAndWait } from "../../lifecycle/session";
import { systemClock } from "../../lifecycle/wait";
import { CodedError } from "../../messages/coded-error";
import { describeFailure, type Failure } from "../../messages/describe-failure";
import { readOwner } from "../../sweep/owned-sessions";
import { type AgbAccess, note, noteFailure, outliveReader, withAgb } from "../agb-access";
import { canAsk, confirm } from "../confirm";
import { addHelpSections } from "../help-text";
import { inParallel } from "../in-parallel";
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

interface ReleaseFlags extends SelectionFlags {
  readonly yes?: true;
}

interface Target {
  readonly sessionId: string;
  readonly labels: Labels;
}

const releasesAtOnce = 8;

/** The subcommand `sessions release`. */
export function releaseCommand(): Command {
  const command = new Command("release")
    .alias("rm")
    .summary("release sessions and wait until they are gone")
    .description(
      "Release sessions and wait until they are gone. A session that is already gone is a success. If a stack owns the " +
        "session, its next `pulumi up --refresh` creates a new one; to remove it for good, remove it from the program.",
    )
    .argument("[session-ids...]", "the sessions; whole ids");
  addSelectionOptions(command)
    .option("--yes", "release the sessions that the options select without asking")
    .action(runRelease);
  return addHelpSections(command, {
    notes: [
      "AGB uploads the files of mounted contexts before it releases a session, but reports no failure. `pulumi up` and " +
        "`pulumi destroy` upload them first and check that. Everything else in a session is lost.",
    ],
    examples: ["pulumi-agb sessions release SESSION_ID", "pulumi-agb sessions release --label purpose=test --yes"],
    environment: agbVariables,
    exitCodes: { "0": "all of them are gone", "1": "a release failed, or was not confirmed" },
  });
}

async function runRelease(ids: readonly string[], flags: ReleaseFlags, command: Command): Promise<void> {
  const selection: Selection = { ids: [...new Set(ids)], flags };
  checkSelection(command, selection);
  const { stack } = flags;
  await withAgb({ name: "sessions release", stack, needsState: isByLabels(selection) }, async (agb) => {
    outliveReader();
    const targets = await findTargets(agb, selection);
    if (targets.length === 0) {
      note(`note: No session matches ${describeFilter(flags)}.`);
      return 0;
    }
    if (isByLabels(selection) && !flags.yes && !(await isConfirmed(targets))) {
      note("Nothing was released.");
      return 1;
    }
    let failures = 0;
    await inParallel(targets, releasesAtOnce, async (target) => {
      const isGone = await release(agb, target);
      failures += isGone ? 0 : 1;
    });
    return failures === 0 ? 0 : 1;
  });
}

async function findTargets(agb: AgbAccess, { ids, flags }: Selection): Promise<Target[]> {
  const targets: Target[] = [];
  if (ids.length === 0) {
    for await (const { sessionId, labels } of selectSessions(agb, flags)) {
      targets.push({ sessionId, labels });
    }
  }
  await inParallel(ids, releasesAtOnce, async (sessionId) => {
    // The labels only serve a note. If they cannot be read, the release says why.
    targets.push({ sessionId, labels: await getLabels(agb.client, sessionId).catch(() => ({})) });
  });
  return targets;
}

/** @throws CodedError when nobody can be asked */
async function isConfirmed(targets: readonly Target[]): Promise<boolean> {
  if (!canAsk()) {
    throw new CodedError(
      `This would release ${countSessions(targets)}, and nobody can be asked to confirm it. Nothing was released. Add --yes.`,
      "AGB635",
    );
  }
  for (const { sessionId } of targets) {
    note(sessionId);
  }
  return confirm(`Release ${countSessions(targets)}?`);
}

function countSessions({ length }: readonly Target[]): string {
  return length === 1 ? "1 session" : `${length} sessions`;
}

/** @returns whether the session is gone */
async function release({ client, hideKey }: AgbAccess, { sessionId, labels }: Target): Promise<boolean> {
  try {
    const wasThere = await releaseAndWait(client, sessionId, systemClock);
    const shown = printable(hideKey(sessionId));
    console.log(`${wasThere ? "released" : "already gone"}: ${shown}`);
    const owner = wasThere ? readOwner(sessionId, hideKey(labels)) : undefined;
    if (owner !== undefined) {
      const { project, stack, resource = "a resource" } = owner;
      note(
        `note: ${shown} belonged to ${resource} of the stack ${project}/${stack}. The stack's next \`pulumi up --refresh\` ` +
          "creates a new one.",
      );
    }
    return true;
  } catch (error) {
    noteFailure(hideKey(sessionId), describeReleaseFailure(error));
    return false;
  }
}

/** Describes why a session is not known to be gone. */
export function describeReleaseFailure(error: unknown): Failure {
  const { text, code } = describeFailure(error);
  return error instanceof AgbReleaseTimeoutError
    ? { text: `${text}. Run this again to wait longer.`, code: "AGB412" }
    : { text, code };
}
