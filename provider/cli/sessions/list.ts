import { Command } from "commander";
import { printable, printableJson } from "../../api/outside-text";
import { listSessions } from "../../api/sessions";
import type { FoundSession } from "../../lifecycle/found-sessions";
import { systemClock } from "../../lifecycle/wait";
import { describeFailure } from "../../messages/describe-failure";
import { type AgbAccess, endWithReader, noteFailure, withAgb } from "../agb-access";
import { formatAge } from "../age";
import { addHelpSections } from "../help-text";
import { labelOption } from "../label-option";
import { addListOptions, type ListShape, noteRest, shownAtFirst } from "../list-options";
import { describeFilter, type SelectionFlags, selectSessions } from "../session-selection";
import { agbVariables } from "../settings-help";
import { stackOption } from "../stack-option";
import { formatTable } from "../table";
import { ProgressLine, styled, terminalWidth } from "../terminal";
import { ownLabelsOf, type SessionView, stackOf, viewSession } from "./session-view";

type ListFlags = SelectionFlags & ListShape;

/** The subcommand `sessions list`. */
export function listCommand(): Command {
  const command = new Command("list")
    .alias("ls")
    .summary("list running sessions with their owners and labels")
    .description(
      "List running sessions, newest first, with the stack and resource that created each of them and with its labels. " +
        "Without options it lists the sessions of the whole account.",
    )
    .addOption(labelOption("only sessions with this label"))
    .addOption(stackOption("only sessions of this stack, by its id; its configuration wins over the environment"))
    .action(runList);
  return addHelpSections(addListOptions(command, "session"), {
    notes: [
      "AGE is the time since the create. It and the owner come from labels, so sessions that no stack created show `-`. " +
        "LABELS leaves out the labels of the provider, and is cut to the width of a terminal.",
      "Labels are shown as AGB stores them. With --stack, a value that the state keeps secret is shown as [secret].",
    ],
    examples: [
      "pulumi-agb sessions list --label team=web",
      "pulumi-agb sessions list --stack dev --output json",
      "pulumi-agb sessions list --label team=web --all --output ids",
    ],
    environment: agbVariables,
    exitCodes: { "0": "listed, also if no session matches", "1": "the list failed, or is not complete" },
  });
}

async function runList(flags: ListFlags): Promise<void> {
  const { stack } = flags;
  await withAgb({ name: "sessions list", stack, needsState: true }, async (agb) => {
    endWithReader();
    const { sessions, left, unreadable } = await readSessions(agb, flags);
    print(agb.hideKey(sessions), flags);
    noteRest(sessions.length, left, "session", describeFilter(flags));
    return unreadable === 0 ? 0 : 1;
  });
}

/**
 * Reads the sessions to show, with the progress on a terminal.
 *
 * @returns `left`: how many more there are; `undefined` when there are some but AGB does not say how many. `unreadable`: how
 *   many are left out because their labels cannot be read
 */
export async function readSessions(
  agb: AgbAccess,
  flags: ListFlags,
): Promise<{ sessions: SessionView[]; left: number | undefined; unreadable: number }> {
  const limit = flags.all ? Number.POSITIVE_INFINITY : shownAtFirst;
  const progress = new ProgressLine();
  const found: FoundSession[] = [];
  let count = 0;
  const onCount = (latest: number) => {
    count = latest;
  };
  // Without a filter the ids need no labels, which cost a call for each session.
  const needsLabels = flags.output !== "ids" || flags.stack !== undefined || Object.keys(flags.label).length > 0;
  let unreadable = 0;
  const onUnreadable = (sessionId: string, error: Error) => {
    unreadable += 1;
    progress.clear();
    noteFailure(agb.hideKey(sessionId), describeFailure(error));
  };
  const listed = needsLabels ? selectSessions(agb, flags, { onCount, onUnreadable }) : listWithoutLabels(agb, onCount);
  try {
    for await (const session of listed) {
      if (found.length >= limit) {
        return { sessions: view(found, agb), left: count > limit ? count - limit : undefined, unreadable };
      }
      found.push(session);
      if (found.length % 20 === 0) {
        progress.show(`Reading sessions: ${found.length}${count > 0 ? ` of ${Math.min(count, limit)}` : ""}`);
      }
    }
  } finally {
    progress.clear();
  }
  return { sessions: view(found, agb), left: 0, unreadable };
}

async function* listWithoutLabels({ client }: AgbAccess, onCount: (count: number) => void) {
  for await (const session of listSessions(client, {}, undefined, onCount)) {
    yield { ...session, labels: {} };
  }
}

function view(found: readonly FoundSession[], { state }: AgbAccess): SessionView[] {
  const created = ({ createdAt }: SessionView) => createdAt ?? "";
  return found
    .map((session) => viewSession(session, state))
    .sort((one, other) => (created(one) < created(other) ? 1 : created(one) > created(other) ? -1 : 0));
}

function print(sessions: readonly SessionView[], { output }: ListFlags): void {
  if (output === "json") {
    console.log(printableJson(sessions, 2));
  } else if (output === "ids") {
    process.stdout.write(sessions.map(({ sessionId }) => `${printable(sessionId)}\n`).join(""));
  } else {
    process.stdout.write(sessionTable(sessions, systemClock.now(), terminalWidth()));
  }
}

/** The table of sessions with line ends; empty without sessions. */
function sessionTable(sessions: readonly SessionView[], nowMs: number, width: number): string {
  const rows = sessions.map((session) => [
    printable(session.sessionId),
    printable(session.status),
    session.createdAt === null ? "" : formatAge(new Date(session.createdAt), nowMs),
    stackOf(session),
    printable(session.owner?.resource ?? ""),
    ownLabelsOf(session),
  ]);
  const head = ["SESSION ID", "STATUS", "AGE", "STACK", "RESOURCE", "LABELS"];
  const style = (cell: string, row: number, column: number) =>
    row < 0 ? styled("bold", cell) : column === 1 ? styled(cell === "RUNNING" ? "green" : "yellow", cell) : cell;
  return formatTable(head, rows, { width, style })
    .map((line) => `${line}\n`)
    .join("");
}
