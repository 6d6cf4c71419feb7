// The emulator is restarted while a command runs. It keeps its sessions and their files, and ends all that ran in them.

import { join } from "node:path";
import { startEmulator } from "../../provider/emulator";
import { type Clock, systemClock } from "../../provider/lifecycle/wait";
import { testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { type CommandStack, openCommands, unfinishedBy } from "../support/command-stack";
import { createId } from "../support/emulator-requests";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { makeTemporaryFolder } from "../support/node-process";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream } from "../support/said";
import { failureOf } from "../support/session-stack";

withoutRetryDelay();
captureErrorStream();

describe.each(hosts)("served by the %s host", (host) => {
  /** A run has begun, and its provider sleeps between two polls until `wake`. */
  async function openRunningCommand() {
    const statePath = join(await makeTemporaryFolder(), "state.json");
    const options = { allowExec: true, apiKeys: [testKey, "test-key"], statePath };
    let emulator = await startEmulator(options);
    const port = Number(new URL(emulator.url).port);
    closeAfterTest({ close: () => emulator.close() });
    const sessionId = await createId(emulator.url);
    const run = { create: "echo run >> ~/runs; test -e ~/again || sleep 1000; echo done" };

    let wake = () => {};
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let isAsleep = () => {};
    const asleep = new Promise<void>((resolve) => {
      isAsleep = resolve;
    });
    const next = (clock?: Clock): CommandStack => openCommands(emulator.url, sessionId, clock, host);
    const runs = () => next().inSession("cat ~/runs 2>/dev/null; true");
    const clock: Clock = {
      ...systemClock,
      elapsedMs: () => systemClock.elapsedMs(),
      sleep: async (ms, signal) => {
        if ((await runs()) === "") {
          return systemClock.sleep(ms, signal);
        }
        isAsleep();
        return awake;
      },
    };
    const creating = next(clock).create(run);
    creating.catch(() => {});
    await asleep;
    return {
      creating,
      run,
      wake,
      next,
      runs,
      stop: () => emulator.close(),
      restart: async () => {
        emulator = await startEmulator({ ...options, port });
      },
    };
  }

  test("a poll after the restart finds that the command was killed, and the next up runs it again", async () => {
    const { creating, run, wake, next, runs, stop, restart } = await openRunningCommand();
    await stop();
    await restart();
    wake();
    const { reason, entry } = await unfinishedBy(creating);
    expect(reason).toMatch(/^the command `create` was killed, so its exit code is not known\..*\[AGB903\]$/s);
    expect(await runs()).toBe("run\n");

    await next().inSession("touch ~/again");
    const updated = await next().update(entry, run);
    expect(updated.outputs).toMatchObject({ stdout: "done", exitCode: 0 });
    expect(await runs()).toBe("run\nrun\n");
  });

  test("a poll during the outage fails as one, and the next up finds the killed run and runs it again", async () => {
    const { creating, run, wake, next, runs, stop, restart } = await openRunningCommand();
    await stop();
    wake();
    const { message } = await failureOf(creating);
    expect(message).toMatch(/^could not create AgbCommand "build": .*connection.* during mcp.*\[AGB30\d\]$/s);
    await restart();
    expect(await runs()).toBe("run\n");

    await next().inSession("touch ~/again");
    const { outputs } = await next().create(run);
    expect(outputs).toMatchObject({ stdout: "done", exitCode: 0 });
    expect(await runs()).toBe("run\nrun\n");
  });
});
