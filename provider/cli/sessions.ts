import { Command } from "commander";
import { execCommand } from "./sessions/exec";
import { keepAliveCommand } from "./sessions/keep-alive";
import { linkCommand } from "./sessions/link";
import { listCommand } from "./sessions/list";
import { releaseCommand } from "./sessions/release";
import { showCommand } from "./sessions/show";

/** The subcommand `sessions`: works with running sessions. */
export function sessionsCommand(): Command {
  return new Command("sessions")
    .summary("list, use and release running sessions")
    .description("Work with running sessions: list them, run commands in them, link to them, release them.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(execCommand())
    .addCommand(linkCommand())
    .addCommand(keepAliveCommand())
    .addCommand(releaseCommand());
}
