import { join } from "node:path";
import { canIsolateSessions, ownCommand, startEmulator } from "../../tools/quick-start/emulator";
import { runBounded } from "../support/bounded-process";
import { createId } from "../support/emulator-requests";
import { makeTemporaryFolder } from "../support/node-process";

jest.setTimeout(120_000);

/** Each command of the quick start runs with an emulator of its own, on the state of the one before. */
async function withEmulator<Result>(
  statePath: string,
  work: (address: { url: string; apiKey: string }) => Promise<Result>,
): Promise<Result> {
  const emulator = await startEmulator({ statePath, allowsExec: await canIsolateSessions() });
  try {
    return await work(emulator);
  } finally {
    await emulator.stop();
  }
}

test("a session of one command runs commands of the next ones, exactly where it is isolated", async () => {
  const folder = await makeTemporaryFolder();
  const statePath = join(folder, "state.json");
  const sessionId = await withEmulator(statePath, ({ url, apiKey }) => createId(url, {}, {}, apiKey));
  const exec = (script: string) =>
    withEmulator(statePath, ({ url, apiKey }) =>
      runBounded(process.execPath, [ownCommand, "sessions", "exec", sessionId, "--", "sh", "-c", script], {
        directory: folder,
        environment: { AGB_API_KEY: apiKey, AGB_ENDPOINT: url },
        timeoutMs: 60_000,
      }),
    );

  const first = await exec("echo kept > note; ls -d /etc; echo done");
  if (await canIsolateSessions()) {
    expect(first).toEqual({ exitCode: 0, stdout: "/etc\ndone\n", stderr: "" });
    expect((await exec("cat note")).stdout).toBe("kept\n");
  } else {
    expect(first.exitCode).toBe(125);
    expect(first.stderr).toContain("[AGB638]");
  }
});
