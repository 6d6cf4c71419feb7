import { Command, InvalidArgumentError, Option } from "commander";
import { isLinkedPort, linkedPorts } from "../../api/linked-ports";
import { getLink, getResourceUrl } from "../../api/links";
import { note, ofSession, outliveReader, withAgb } from "../agb-access";
import { addHelpSections } from "../help-text";
import {
  addSelectionOptions,
  checkSelection,
  isByLabels,
  requireOneSession,
  type Selection,
  type SelectionFlags,
} from "../session-selection";
import { agbVariables } from "../settings-help";

interface LinkFlags extends SelectionFlags {
  readonly port?: number;
  readonly protocol: "https" | "wss";
}

const longestLink = 20_000;

/** The subcommand `sessions link`. */
export function linkCommand(): Command {
  const command = new Command("link")
    .summary("print the link to a port of a session, or to its screen")
    .description(
      "Print the link to a port of a session. Without --port it is the address at which a person sees the session in a " +
        "browser. A link holds a token. Anyone who has it can reach the session. Only the link goes to standard output.",
    )
    .argument("[session-id]", "the session; whole, not the beginning of an id");
  addSelectionOptions(command)
    .addOption(
      new Option(
        "--port <number>",
        `port of a server in the session, from ${linkedPorts.first} to ${linkedPorts.last}; AGB links to no others`,
      ).argParser(parsePort),
    )
    .addOption(
      new Option("--protocol <name>", "protocol of the link to a port").choices(["https", "wss"]).default("https"),
    )
    .action(runLink);
  return addHelpSections(command, {
    notes: [
      "The address without --port is another one at each call and works for 30 minutes. AGB does not say how long other " +
        "links work.",
    ],
    examples: [
      "pulumi-agb sessions link SESSION_ID --port 30100",
      "pulumi-agb sessions link --stack dev --resource web --port 30100",
    ],
    environment: agbVariables,
    exitCodes: { "0": "printed", "1": "there is no such session, several match, or AGB refused" },
  });
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!isLinkedPort(port)) {
    throw new InvalidArgumentError(`Give a whole number from ${linkedPorts.first} to ${linkedPorts.last}.`);
  }
  return port;
}

async function runLink(id: string | undefined, flags: LinkFlags, command: Command): Promise<void> {
  const selection: Selection = { ids: id === undefined ? [] : [id], flags };
  checkSelection(command, selection);
  const { port, protocol, stack } = flags;
  if (port === undefined && command.getOptionValueSource("protocol") === "cli") {
    command.error("error: --protocol needs --port.");
  }
  await withAgb({ name: "sessions link", stack, needsState: isByLabels(selection) }, async (agb) => {
    outliveReader();
    const sessionId = await requireOneSession(agb, selection);
    const { client } = agb;
    const asked = port === undefined ? getResourceUrl(client, sessionId) : getLink(client, sessionId, port, protocol);
    const link = await ofSession(agb, sessionId, asked);
    console.log(client.clean(link, longestLink));
    note("note: This link holds a token. Share it only with people who may use the session.");
    return 0;
  });
}
