import { Command, Option } from "commander";
import { getLabels } from "../../api/labels";
import { printable, printableJson } from "../../api/outside-text";
import { getSession, getSessionStatus, type SessionIdentity } from "../../api/sessions";
import { systemClock } from "../../lifecycle/wait";
import { type AgbAccess, endWithReader, ofSession, withAgb } from "../agb-access";
import { formatAge } from "../age";
import { addHelpSections } from "../help-text";
import {
  addSelectionOptions,
  checkSelection,
  requireOneSession,
  type Selection,
  type SelectionFlags,
} from "../session-selection";
import { agbVariables } from "../settings-help";
import { styled } from "../terminal";
import { type SessionView, stackOf, viewSession } from "./session-view";

interface ShowFlags extends SelectionFlags {
  readonly output: "table" | "json";
}

/** The subcommand `sessions show`. */
export function showCommand(): Command {
  const command = new Command("show")
    .summary("show one session: status, owner and labels")
    .description(
      "Show one session: status, age, the stack and resource that created it, labels, and AGB's other ids. It shows no " +
        "link and no token; `pulumi-agb sessions link` does.",
    )
    .argument("[session-id]", "the session; whole, not the beginning of an id");
  addSelectionOptions(command)
    .addOption(new Option("--output <format>", "output format").choices(["table", "json"]).default("table"))
    .action(runShow);
  return addHelpSections(command, {
    examples: ["pulumi-agb sessions show SESSION_ID", "pulumi-agb sessions show --stack dev --resource web"],
    environment: agbVariables,
    exitCodes: { "0": "shown", "1": "there is no such session, several match, or the call failed" },
  });
}

async function runShow(id: string | undefined, flags: ShowFlags, command: Command): Promise<void> {
  const selection: Selection = { ids: id === undefined ? [] : [id], flags };
  checkSelection(command, selection);
  await withAgb({ name: "sessions show", stack: flags.stack, needsState: true }, async (agb) => {
    endWithReader();
    const { view, identity } = agb.hideKey(await readSession(agb, await requireOneSession(agb, selection)));
    console.log(
      flags.output === "json"
        ? printableJson(
            { ...view, appInstanceId: identity.appInstanceId ?? null, resourceId: identity.resourceId ?? null },
            2,
          )
        : describe(view, identity),
    );
    return 0;
  });
}

async function readSession(
  agb: AgbAccess,
  sessionId: string,
): Promise<{ view: SessionView; identity: SessionIdentity }> {
  const { client, state } = agb;
  // One after another: only the first answer says whether there is such a session, and a refused key says so first.
  const identity = await ofSession(agb, sessionId, getSession(client, sessionId));
  const status = await ofSession(agb, sessionId, getSessionStatus(client, sessionId));
  const labels = await ofSession(agb, sessionId, getLabels(client, sessionId));
  return { view: viewSession({ sessionId, status, labels }, state), identity };
}

function describe(view: SessionView, { appInstanceId, resourceId }: SessionIdentity): string {
  const { createdAt, owner } = view;
  const facts: readonly (readonly [name: string, value: string | undefined])[] = [
    ["Session id", view.sessionId],
    ["Status", view.status],
    ["Created", createdAt === null ? "" : `${createdAt} (${formatAge(new Date(createdAt), systemClock.now())} ago)`],
    ["Stack", stackOf(view)],
    ["Resource", owner?.resource ?? ""],
    ["Instance id", appInstanceId],
    ["Resource id", resourceId],
  ];
  const labels = Object.entries(view.labels).map(([key, value]) => `  ${printable(`${key}=${value}`)}`);
  return [
    ...facts.map(([name, value]) => `${styled("bold", `${name}:`.padEnd(14))}${printable(value || "-")}`),
    styled("bold", "Labels:"),
    ...(labels.length === 0 ? ["  -"] : labels),
  ].join("\n");
}
