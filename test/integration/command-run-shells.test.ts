// Commands in sessions with other shells than the emulator's.

import { openCommands, unfinishedBy } from "../support/command-stack";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { captureErrorStream } from "../support/said";
import { startShellServer } from "../support/shell-server";

withoutRetryDelay();
captureErrorStream();

describe.each(["dash", "bash"] as const)("with %s", (shell) => {
  const open = async () => openCommands((await startShellServer(shell)).url, "s-1");

  test("a command gets its input and variables, and its output and exit code are known", async () => {
    const args = { create: 'cat; echo "$NAME"; echo err >&2', stdin: "in\n", environment: { NAME: "it's" } };
    const { outputs } = await (await open()).create(args);
    expect(outputs).toMatchObject({ stdout: "in\nit's", stderr: "err", exitCode: 0 });
    const { reason } = await unfinishedBy((await open()).create({ create: "exit 3" }));
    expect(reason).toContain("ended with exit code 3");
  });

  test("a missing working directory is reported", async () => {
    const { reason } = await unfinishedBy((await open()).create({ create: "true", workingDirectory: "/no/such" }));
    expect(reason).toContain("its workingDirectory does not exist");
  });

  test("a command ends at its time limit", async () => {
    const { reason } = await unfinishedBy((await open()).create({ create: "sleep 100", timeoutSeconds: 1 }));
    expect(reason).toContain("did not end within 1 s");
  });
});
