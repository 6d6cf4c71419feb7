// What the commands of a session see. Where Linux allows it, they see the session's folder as the root of the file system
// and only the session's own processes. A path then means the same to a command as to the file tools. Elsewhere commands
// see this computer's file system, and only relative paths and HOME lead into the session's folder.

import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findNamespaceTools, ownRootView } from "./own-root-view";
import { removeTree } from "./remove-tree";
import { runProcess } from "./run-process";
import type { SessionView } from "./session-view";

/** Commands see this computer's file system and processes. */
export const plainView: SessionView = {
  isOwnRoot: false,
  readOnlyFolders: [],
  open: async () => ({
    isOver: false,
    group: undefined,
    prepare: (_directory, commandLine, environment) => ({ commandLine, environment, workingDirectory: undefined }),
    close: async () => {},
  }),
  pathFor: (root, path) => join(root, path),
};

/** What a user has to know if commands have the plain view. */
export const plainViewWarning =
  "Sessions are not isolated from this computer, because this process cannot create namespaces (unshare, nsenter and " +
  "setpriv of util-linux on Linux). Their commands can write wherever this user can, and see its processes with their " +
  "arguments and environment. A process that hides can outlive its session. Run only code that you trust, or run the " +
  "emulator where namespaces are allowed.";

const shownAnyway = /^\/(usr|bin|sbin|lib|opt|nix)(\/|$)/;

/**
 * Finds out what this computer allows.
 *
 * @param programs absolute paths of programs that sessions may run, wherever they are installed
 */
export async function findSessionView(programs: readonly string[]): Promise<SessionView> {
  const prefixes = programs.map((program) => dirname(dirname(program))).filter((prefix) => !shownAnyway.test(prefix));
  const folders = [...new Set(prefixes)].filter((prefix) => prefix !== "/");
  const tools = await findNamespaceTools();
  if (tools === undefined) {
    return plainView;
  }
  // Root can also do without a user namespace, for instance where user namespaces are turned off.
  const choices = process.getuid?.() === 0 ? [true, false] : [true];
  for (const hasUserNamespace of choices) {
    const view = ownRootView(tools, hasUserNamespace, folders);
    if (await works(view)) {
      return view;
    }
  }
  return plainView;
}

async function works(view: SessionView): Promise<boolean> {
  const trialFolder = await realpath(await mkdtemp(join(tmpdir(), "agb-emulator-trial-")));
  try {
    const space = await view.open(trialFolder);
    try {
      const parts = space.prepare("/", ["/bin/sh", "-c", "test -e /proc/self && test ! -w /etc"], {});
      const { exitCode } = await runProcess(
        { ...parts, workingDirectory: "/", timeLimitMs: 10_000, outputLimitBytes: 1_000 },
        { add() {}, forgetIfOver() {} },
      );
      return exitCode === 0;
    } finally {
      await space.close();
    }
  } catch {
    return false;
  } finally {
    await removeTree(trialFolder).catch(() => rm(trialFolder, { recursive: true, force: true }));
  }
}
