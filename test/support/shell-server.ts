import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sessionPrograms } from "../../provider/lifecycle/file-scripts";
import { closeAfterTest } from "./close-after-test";
import { sendSuccess, startScriptedServer } from "./scripted-server";
import type { DiskKind, SmallDisk } from "./small-disk";

/** A session whose tools run in a folder of this machine, with a shell and programs of the test's choice. */
export interface ShellServer {
  readonly url: string;
  /** The folder that is the session's root. */
  readonly root: string;
  /** Kills everything that a script runs when it starts its n-th program. Only for scripts that contain a string. */
  killAt(program: number, scriptsWith?: string): void;
  killNever(): void;
  /** Takes a program away. */
  hide(program: string): void;
  /** Whether a script was killed since the last `killAt`. */
  wasKilled(): boolean;
  /** Calls a function before each call of a tool, with the script or the path of the file. */
  beforeEachCall(look: (subject: string) => void): void;
  /** The session's disk, if it has one of its own. */
  readonly disk: SmallDisk | undefined;
}

/**
 * Starts a server that answers calls of the tools `shell` and `write_file`. The emulator's sessions have its own shell and
 * programs, and it cannot kill a script at a chosen moment.
 */
export async function startShellServer(shell: "dash" | "bash" = "dash", diskKind?: DiskKind): Promise<ShellServer> {
  const base = mkdtempSync(join(tmpdir(), "agb-shell-"));
  closeAfterTest({ close: () => rmSync(base, { recursive: true, force: true }) });
  const [root, programs, count] = [join(base, "root"), join(base, "bin"), join(base, "count")];
  mkdirSync(root);
  const disk = await diskKind?.open(root);
  const seenRoot = disk?.seenFrom ?? root;
  for (const folder of [join(seenRoot, "tmp"), join(seenRoot, "home/user"), programs]) {
    mkdirSync(folder, { recursive: true });
  }
  let beforeCall: (subject: string) => void = () => {};
  let kill: { readonly at: number; readonly scriptsWith: string } | undefined;
  let wasKilled = false;
  let isHiding = false;
  const commandLines = { dash: ["/bin/dash"], bash: ["/bin/bash", "--posix"] };
  const [shellPath = "", ...shellOptions] = commandLines[shell];
  const place = (name: string) => `$(PATH=/usr/bin:/bin command -v ${name})`;
  for (const name of [...sessionPrograms, "sh"]) {
    const target = name === "sh" ? commandLines[shell].join(" ") : place(name);
    const counted =
      `#!/bin/sh\nif [ -n "$KILL_AT" ]; then echo >>"${count}"\n` +
      `[ "$(${place("wc")} -l <"${count}")" -ge "$KILL_AT" ] && kill -9 0\nfi\nexec ${target} "$@"\n`;
    writeFileSync(join(programs, name), counted);
    chmodSync(join(programs, name), 0o755);
  }
  const plainPrograms = join(base, "plain");
  mkdirSync(plainPrograms);
  writeFileSync(join(plainPrograms, "sh"), `#!/bin/sh\nexec ${commandLines[shell].join(" ")} "$@"\n`);
  chmodSync(join(plainPrograms, "sh"), 0o755);

  const onDisk = (commandLine: readonly string[], directory: string) => [
    ...(disk?.prefix() ?? []),
    ...["/bin/dash", "-c", 'cd "$0" && exec "$@"', join(root, directory), ...commandLine],
  ];
  const writeOnDisk = async (path: string, content: string) => {
    const script = 'mkdir -p "$1" && exec cat >"$2"';
    const [file = "", ...args] = onDisk(
      ["/bin/dash", "-c", script, "sh", join(root, dirname(path)), join(root, path)],
      "/",
    );
    const child = spawn(file, args, { stdio: ["pipe", "ignore", "pipe"] });
    let reason = "";
    child.stderr.on("data", (chunk) => {
      reason += chunk;
    });
    child.stdin.on("error", () => {}).end(content);
    const [exitCode] = await once(child, "close");
    return exitCode === 0 ? undefined : reason.trim();
  };
  const runShell = async (command: string, cwd: string) => {
    const killed = kill !== undefined && command.includes(kill.scriptsWith) ? kill : undefined;
    writeFileSync(count, "");
    const environment = {
      PATH: killed || isHiding ? programs : `${plainPrograms}:/usr/bin:/bin`,
      HOME: join(root, "home/user"),
      ...(killed && { KILL_AT: String(killed.at) }),
    };
    const [file = "", ...args] = onDisk([shellPath, ...shellOptions, "-c", command], cwd);
    const child = spawn(file, args, {
      env: environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const chunks: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk) => chunks[0].push(chunk));
    child.stderr.on("data", (chunk) => chunks[1].push(chunk));
    const [exitCode, signal] = await once(child, "close");
    if (killed && signal === "SIGKILL") {
      wasKilled = true;
    }
    const [stdout, stderr] = chunks.map((parts) => Buffer.concat(parts).toString());
    return JSON.stringify({ stdout, stderr, exit_code: exitCode ?? 137 });
  };

  const server = await startScriptedServer(async ({ body, path: asked }, response) => {
    if (asked !== "/mcp") {
      // The provider's look at the key.
      sendSuccess(response, { data: [] });
      return;
    }
    const { name, args } = JSON.parse(body) as { name: string; args: string };
    const { command, cwd, path, content } = JSON.parse(args) as Record<string, string>;
    beforeCall((name === "shell" ? command : path) as string);
    const failure = name === "shell" ? undefined : await writeOnDisk(path as string, content as string);
    const text = name === "shell" ? await runShell(command as string, cwd ?? "/home/user") : (failure ?? "");
    sendSuccess(response, { data: { isError: failure !== undefined, content: [{ type: "text", text }] } });
  });
  return {
    url: server.url,
    root: seenRoot,
    disk,
    beforeEachCall: (look) => {
      beforeCall = look;
    },
    killAt: (at, scriptsWith = "") => {
      kill = { at, scriptsWith };
      wasKilled = false;
    },
    killNever: () => {
      kill = undefined;
    },
    hide: (program) => {
      isHiding = true;
      rmSync(join(programs, program));
    },
    wasKilled: () => wasKilled,
  };
}

/** Permissions and content of all files below a folder, by path. Folders end in `/`, and links begin with `->`. */
export function treeBelow(folder: string, prefix = ""): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path);
    if (stats.isDirectory()) {
      Object.assign(tree, { [`${prefix}${name}/`]: "" }, treeBelow(path, `${prefix}${name}/`));
    } else {
      tree[`${prefix}${name}`] = stats.isSymbolicLink()
        ? `-> ${readlinkSync(path)}`
        : `${(stats.mode & 0o7777).toString(8)} ${readFileSync(path, "utf8")}`;
    }
  }
  return tree;
}
