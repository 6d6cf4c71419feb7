import { Command } from "commander";
import { listContextsCommand } from "./contexts/list";
import { showContextCommand } from "./contexts/show";

/** The subcommand `contexts`: shows the contexts of the account. */
export function contextsCommand(): Command {
  return new Command("contexts")
    .summary("list and show contexts")
    .description("List and show contexts, the folders that keep files longer than a session.")
    .addCommand(listContextsCommand())
    .addCommand(showContextCommand());
}
