import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EmulatorOptions } from "../../provider/emulator";
import { runBounded } from "../support/bounded-process";
import { createId, runShell, toolText } from "../support/emulator-requests";
import { repositoryRoot } from "../support/node-process";
import { leaveProcesses, uniqueSeconds, useSandboxEmulator } from "../support/sandbox-emulator";

const sandbox = useSandboxEmulator();

describe("sessions are isolated from this computer, or the emulator says at its start that they are not", () => {
  /** The notice of the emulator at its start; undefined if there is none. */
  async function warningOf(options: EmulatorOptions = {}): Promise<string | undefined> {
    const notices: string[] = [];
    await sandbox.start({ ...options, onNotice: (text) => notices.push(text) });
    // The first command waits for the same check, so the notice has been sent when it has run.
    const sessionId = await createId(sandbox.url);
    await runShell(sandbox.url, sessionId, "true");
    return notices[0];
  }

  test("no command can change its programs and settings", async () => {
    const warning = await warningOf();
    const sessionId = await createId(sandbox.url);
    const name = `agb-emulator-test-${uniqueSeconds()}`;
    const tries = [
      `touch /etc/${name}`,
      `touch /usr/${name}`,
      `mount -o remount,bind,rw /etc && touch /etc/${name}`,
      `umount -l /etc && touch /etc/${name}`,
      `unshare --user --map-root-user --mount sh -c 'mount -o remount,bind,rw /usr; touch /usr/${name}'`,
      `nsenter --target 1 --mount touch /etc/${name}`,
      `chroot /proc/1/root touch /etc/${name}`,
      `mkdir escape && chroot escape true; cd /proc/1/cwd && touch ../../../etc/${name}`,
    ];
    for (const command of tries) {
      if (warning === undefined) {
        expect((await runShell(sandbox.url, sessionId, command)).exit_code).not.toBe(0);
      }
    }
    const isChanged = ["/etc", "/usr"].some((folder) => existsSync(join(folder, name)));

    expect(isChanged).toBe(false);
    expect(warning ?? "isolated").toMatch(/^isolated$|not isolated from this computer.*write wherever/);
  });

  test("the session's LD_PRELOAD does not reach the programs that start its commands", async () => {
    await sandbox.start();
    const sessionId = await createId(sandbox.url);

    const { stdout, stderr } = await runShell(sandbox.url, sessionId, "echo $LD_PRELOAD", {
      envs: { LD_PRELOAD: "/home/user/none.so", PATH: "/home/user/none" },
    });

    expect(stdout).toBe("/home/user/none.so\n");
    // Only the command's own shell may complain.
    expect(stderr.split("\n").filter((line) => line.includes("none.so")).length).toBeLessThanOrEqual(2);
  });

  test("folders are created in the session only, whatever its commands put in the way meanwhile", async () => {
    const statePath = join(sandbox.folder, "state.json");
    await sandbox.start({ statePath });
    const sessionId = await createId(sandbox.url);
    const outside = join(sandbox.folder, "outside");
    mkdirSync(outside);
    // A folder and a link that keep changing places.
    const code = `const attempt = (name, ...args) => { try { fs[name](...args); } catch {} }; for (let n = 0; ; n++) { attempt('mkdirSync', 'a'); attempt('renameSync', 'a', 'old' + n); attempt('symlinkSync', '${outside}', 'a'); attempt('unlinkSync', 'a'); }`;
    await runShell(sandbox.url, sessionId, `node -e "${code}" >/dev/null 2>&1 &`);

    for (let round = 0; round < 30; round += 1) {
      await Promise.all(
        [1, 2, 3, 4].map(async (number) => {
          await toolText(sandbox.url, sessionId, "create_directory", { path: `a/${round}-${number}/deep` });
          await toolText(sandbox.url, sessionId, "write_file", { path: `a/${round}-${number}/more/file`, content: "" });
        }),
      );
    }

    expect(readdirSync(outside)).toEqual([]);
  });

  test("folders of this computer that a session sees stay in place", async () => {
    const warning = await warningOf();
    const sessionId = await createId(sandbox.url);
    const move = { source: "/usr", destination: "/home/user/usr" };

    const results = [
      await toolText(sandbox.url, sessionId, "move_file", move),
      await toolText(sandbox.url, sessionId, "write_file", { path: "/etc/passwd", content: "" }),
      await toolText(sandbox.url, sessionId, "create_directory", { path: "/lib64/new" }),
    ];

    for (const result of results) {
      expect(warning ?? result).toMatch(/^failed: Read-only file system$|not isolated/);
    }
  });

  test("what the program around the emulator has open does not reach an isolated session", async () => {
    const warning = await warningOf();
    const file = join(sandbox.folder, "outside.txt");
    const program = `
      const { startEmulator } = require(${JSON.stringify(join(repositoryRoot, "provider", "emulator", "index.ts"))});
      const { createId, runShell } = require(${JSON.stringify(join(repositoryRoot, "test", "support", "emulator-requests.ts"))});
      startEmulator({ allowExec: true }).then(async ({ url, close }) => {
        const command = "echo by a session >> /proc/self/fd/200; ls /proc/self/fd /proc/1/fd";
        console.log((await runShell(url, await createId(url), command)).stdout);
        await close();
      });
    `;
    const script = 'exec 200>>"$0" 10>>"$0" 255</; exec "$@"';
    const args = ["-c", script, file, process.execPath, "--import", "tsx", "-e", program];

    const bounds = { directory: repositoryRoot, environment: { TMPDIR: sandbox.folder }, timeoutMs: 60_000 };
    const { stdout, stderr } = await runBounded("bash", args, bounds);

    expect(stderr).toBe("");
    const open = stdout.split("\n").filter((name) => Number(name) >= 200);
    expect(warning ?? open).toEqual(warning ?? []);
    expect(warning ?? readFileSync(file, "utf8")).toBe(warning ?? "");
  });

  test("sessions see only their own processes", async () => {
    const warning = await warningOf();
    const sessionId = await createId(sandbox.url);
    const other = await leaveProcesses(sandbox.url, await createId(sandbox.url));

    const { stdout } = await runShell(sandbox.url, sessionId, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '");

    expect(warning ?? stdout).not.toContain(`sleep ${other}`);
    expect(stdout).toContain("cat /proc");
  });
});
