import { heading, join, list, paragraphs } from "../markdown";
import { commandsSection } from "./commands";
import { previewEnvironment, previewEnvironmentSection } from "./components";
import { emulatorSection } from "./emulator";
import { errorsSection } from "./errors";
import { functionsSection } from "./functions";
import { labelsSection } from "./labels";
import { limitsSection } from "./limits";
import { documentedKinds, kindSection } from "./resources";
import { providerSection, settingsSection } from "./settings";

/** The content of `docs/reference.md`, from the declarations of the provider. */
export function referencePage(): string {
  return join(
    "<!-- Written by `npm run docs:write` from the declarations in provider/. Change those, or tools/docs, instead. -->",
    heading(1, "Reference"),
    paragraphs("Everything that `pulumi-agb` offers, with types and defaults."),
    list([
      ...documentedKinds.map(({ name }) => `[\`${name}\`](#${name.toLowerCase()}): arguments, outputs and \`get\``),
      `[\`${previewEnvironment.name}\`](#${previewEnvironment.name.toLowerCase()}): a session with an app, as one component`,
      "[`AgbProvider`](#agbprovider): an account in code",
      "[Functions](#functions): look up sessions, contexts, addresses and links",
      "[Settings](#settings): configuration and environment variables",
      "[Labels that the provider sets](#labels-that-the-provider-sets)",
      "[Limits](#limits)",
      "[Commands](#commands): `pulumi-agb` and its options",
      "[Module for tests](#module-for-tests): `pulumi-agb/emulator`",
      "[Errors](#errors)",
    ]),
    paragraphs(
      "An argument of a resource takes a value or an output of another resource. A change *replaces* a resource, *updates* it in " +
        "place, or *is stored in the state only*: then AGB is not asked, and a later operation uses the new value.",
    ),
    ...documentedKinds.map(kindSection),
    previewEnvironmentSection(),
    providerSection(),
    functionsSection(),
    settingsSection(),
    labelsSection(),
    limitsSection(),
    commandsSection(),
    emulatorSection(),
    errorsSection(),
  ).concat("\n");
}
