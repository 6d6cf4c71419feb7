import { Command, Option } from "commander";
import { type Context, countFiles, type FileCount, findContext, getContext } from "../../api/contexts";
import { printable, printableJson } from "../../api/outside-text";
import { CodedError } from "../../messages/coded-error";
import { type AgbAccess, endWithReader, withAgb } from "../agb-access";
import { addHelpSections } from "../help-text";
import { agbVariables } from "../settings-help";
import { stackOption } from "../stack-option";
import { styled } from "../terminal";

interface ShowFlags {
  readonly stack?: string;
  readonly output: "table" | "json";
}

/** The subcommand `contexts show`. */
export function showContextCommand(): Command {
  const command = new Command("show")
    .summary("show one context: id, name, state and number of files")
    .description("Show one context: id, name, AGB's state, and how many files it holds.")
    .argument("<name-or-id>", "name of the context, or its id")
    .addOption(stackOption("read the settings of this stack; its configuration wins over the environment"))
    .addOption(new Option("--output <format>", "output format").choices(["table", "json"]).default("table"))
    .action(runShow);
  return addHelpSections(command, {
    notes: [
      "Counting stops after about a thousand files or a hundred folders, because AGB lists one folder at a time.",
    ],
    examples: ["pulumi-agb contexts show caches"],
    environment: agbVariables,
    exitCodes: { "0": "shown", "1": "there is no such context, or the call failed" },
  });
}

async function runShow(nameOrId: string, flags: ShowFlags): Promise<void> {
  await withAgb({ name: "contexts show", stack: flags.stack }, async (agb) => {
    endWithReader();
    const context = await requireContext(agb, nameOrId);
    const count = await countFiles(agb.client, context.contextId);
    const { contextId, name, state } = agb.hideKey(context);
    console.log(
      flags.output === "json"
        ? printableJson({ contextId, name, state, files: count.files, isEveryFileCounted: count.isComplete }, 2)
        : describe({ contextId, name, state }, count),
    );
    return 0;
  });
}

/** A context may have a name that looks like an id, so both are tried, the more likely one first. */
async function requireContext({ client, baseUrl }: AgbAccess, nameOrId: string): Promise<Context> {
  const byName = () => findContext(client, nameOrId);
  const byId = () => getContext(client, nameOrId, nameOrId);
  const isLikeId = /^SdkCtx-/i.test(nameOrId);
  const found = isLikeId ? ((await byId()) ?? (await byName())) : ((await byName()) ?? (await byId()));
  if (found === undefined) {
    throw new CodedError(
      `There is no context with the name or id ${printable(nameOrId)} at ${baseUrl}. It was deleted, or it belongs to another ` +
        "account. `pulumi-agb contexts list` shows the contexts of this account.",
      "AGB634",
    );
  }
  return found;
}

function describe({ contextId, name, state }: Context, { files, isComplete }: FileCount): string {
  const facts = [
    ["Context id", contextId],
    ["Name", name],
    ["State", state],
    ["Files", isComplete ? String(files) : `at least ${files}`],
  ] as const;
  return facts.map(([fact, value]) => `${styled("bold", `${fact}:`.padEnd(12))}${printable(value || "-")}`).join("\n");
}
