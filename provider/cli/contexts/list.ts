import { Command } from "commander";
import { type Context, listContexts } from "../../api/contexts";
import { printable, printableJson } from "../../api/outside-text";
import { type AgbAccess, endWithReader, withAgb } from "../agb-access";
import { addHelpSections } from "../help-text";
import { addListOptions, type ListShape, noteRest, shownAtFirst } from "../list-options";
import { agbVariables } from "../settings-help";
import { stackOption } from "../stack-option";
import { formatTable } from "../table";
import { ProgressLine, styled, terminalWidth } from "../terminal";

interface ListFlags extends ListShape {
  readonly stack?: string;
}

type ListedContext = Pick<Context, "contextId" | "name">;

/** The subcommand `contexts list`. */
export function listContextsCommand(): Command {
  const command = new Command("list")
    .alias("ls")
    .summary("list the contexts of the account")
    .description(
      "List the contexts of the account by name. A context has no labels, so it does not tell which stack uses it.",
    )
    .addOption(stackOption("read the settings of this stack; its configuration wins over the environment"))
    .action(runList);
  return addHelpSections(addListOptions(command, "context"), {
    examples: ["pulumi-agb contexts list --all --output json"],
    environment: agbVariables,
    exitCodes: { "0": "listed, also if there are none", "1": "the list failed" },
  });
}

async function runList(flags: ListFlags): Promise<void> {
  await withAgb({ name: "contexts list", stack: flags.stack }, async (agb) => {
    endWithReader();
    const { contexts, left } = await readContexts(agb, flags);
    print(agb.hideKey(contexts), flags);
    noteRest(contexts.length, left, "context");
    return 0;
  });
}

/** Reads the contexts to show, see `readSessions`. */
export async function readContexts(
  { client }: AgbAccess,
  { all }: ListFlags,
): Promise<{ contexts: ListedContext[]; left: number | undefined }> {
  const limit = all ? Number.POSITIVE_INFINITY : shownAtFirst;
  const progress = new ProgressLine();
  const contexts: ListedContext[] = [];
  let count = 0;
  const onCount = (latest: number) => {
    count = latest;
    if (contexts.length > 0) {
      progress.show(`Reading contexts: ${contexts.length}${count > 0 ? ` of ${Math.min(count, limit)}` : ""}`);
    }
  };
  const byName = (one: ListedContext, other: ListedContext) => (one.name < other.name ? -1 : 1);
  try {
    for await (const { contextId, name } of listContexts(client, undefined, onCount)) {
      if (contexts.length >= limit) {
        return { contexts: contexts.sort(byName), left: count > limit ? count - limit : undefined };
      }
      contexts.push({ contextId, name });
    }
  } finally {
    progress.clear();
  }
  return { contexts: contexts.sort(byName), left: 0 };
}

function print(contexts: readonly ListedContext[], { output }: ListFlags): void {
  if (output === "json") {
    console.log(printableJson(contexts, 2));
    return;
  }
  const lines =
    output === "ids"
      ? contexts.map(({ contextId }) => printable(contextId))
      : formatTable(
          ["CONTEXT ID", "NAME"],
          contexts.map(({ contextId, name }) => [printable(contextId), printable(name)]),
          { width: terminalWidth(), style: (cell, row) => (row < 0 ? styled("bold", cell) : cell) },
        );
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}
