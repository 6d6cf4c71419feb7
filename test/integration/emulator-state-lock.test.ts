import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { useStateFolder } from "../support/state-folder";

const state = useStateFolder();

describe("the lock", () => {
  const hasProcessTimes = existsSync("/proc/self/stat");

  test("refuses a second emulator, naming file and process", async () => {
    await state.start();

    await expect(state.start()).rejects.toMatchObject({
      code: "STATE_FILE_IN_USE",
      message: expect.stringMatching(new RegExp(`${state.statePath} .*process ${process.pid}`)),
    });
  });

  test("is found under another name of the file", async () => {
    await (await state.start()).close();
    const link = join(state.folder, "link.json");
    symlinkSync(state.statePath, link);
    await state.start();

    await expect(state.start({ statePath: link })).rejects.toMatchObject({ code: "STATE_FILE_IN_USE" });
  });

  test("is released by close, and by a start that fails", async () => {
    const first = await state.start();
    const port = Number(new URL(first.url).port);
    const otherPath = join(state.folder, "other.json");
    await expect(state.start({ statePath: otherPath, port })).rejects.toMatchObject({ code: "PORT_UNAVAILABLE" });
    await first.close();

    await state.start();
    await state.start({ statePath: otherPath });
  });

  test("of a process that has ended is taken over", async () => {
    // The largest process id of Linux is 2^22.
    writeFileSync(`${state.statePath}.lock`, JSON.stringify({ pid: 2 ** 22 + 1 }));

    await state.start();

    expect(JSON.parse(readFileSync(`${state.statePath}.lock`, "utf8")).pid).toBe(process.pid);
    expect(readdirSync(state.folder).sort()).toEqual(["state.json", "state.json.lock"]);
  });

  (hasProcessTimes ? test : test.skip)("of an earlier process with the same number is taken over", async () => {
    writeFileSync(`${state.statePath}.lock`, JSON.stringify({ pid: process.pid, processStart: "1" }));

    await expect(state.start()).resolves.toBeDefined();
  });

  (hasProcessTimes ? test : test.skip)("of a process that is a zombie is taken over", async () => {
    // The shell becomes a `sleep`, which never asks for its child's exit code. The child ends only after that.
    const child = "sh -c 'until grep -q sleep /proc/$PPID/comm; do :; done'";
    const shell = spawn("sh", ["-c", `${child} & echo $!; exec sleep 60`], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = await once(shell.stdout, "data");
      const pid = Number(String(printed));
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      writeFileSync(`${state.statePath}.lock`, JSON.stringify({ pid }));

      await expect(state.start()).resolves.toBeDefined();
    } finally {
      shell.kill("SIGKILL");
      await once(shell, "exit");
    }
  });

  test("that cannot be read is kept, and the message says to delete it", async () => {
    writeFileSync(`${state.statePath}.lock`, "{");

    await expect(state.start()).rejects.toThrow(/state\.json\.lock.*delete/);
  });

  test("that is empty, because its process was stopped while it wrote, is taken over", async () => {
    writeFileSync(`${state.statePath}.lock`, "");

    await expect(state.start()).resolves.toBeDefined();
  });
});
