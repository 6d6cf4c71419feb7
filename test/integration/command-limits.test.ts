// The largest scripts, inputs and environments of commands, on both sides of the limit.

import { longestEnvironmentBytes, longestTextBytes, longestVariableBytes } from "../../provider/kinds/value-rules";
import { systemClock } from "../../provider/lifecycle/wait";
import { openCommandStack, openCommands } from "../support/command-stack";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream } from "../support/said";
import { failureOf } from "../support/session-stack";
import { startShellServer } from "../support/shell-server";

captureErrorStream();

/** A string of so many bytes that ends in a character of two bytes. */
const text = (bytes: number) => `${"x".repeat(bytes - 2)}ü`;

/** An environment of so many bytes, in variables that are each as long as possible. */
function environment(bytes: number): Record<string, string> {
  const variables: Record<string, string> = {};
  for (let left = bytes, number = 10; left > 0; number += 1) {
    // The name and the equals sign have four bytes.
    const size = Math.min(left, longestVariableBytes);
    variables[`V${number}`] = "x".repeat(size - 4);
    left -= size;
  }
  return variables;
}

const largest = {
  create: `cat | wc -c; env | grep "^V" | wc -c; exit 0 # ${"x".repeat(longestTextBytes - 47)}`,
  stdin: text(longestTextBytes),
  environment: environment(longestEnvironmentBytes),
};

describe.each(hosts)("served by the %s host", (host) => {
  test("the largest command, input and environment run together, with the output of the run before", async () => {
    expect(Buffer.byteLength(largest.create)).toBe(longestTextBytes);
    const variables = Object.keys(largest.environment).length;
    const shown = [String(longestTextBytes), String(longestEnvironmentBytes + variables)];
    for (const shell of ["dash", "bash"] as const) {
      const stack = openCommands((await startShellServer(shell)).url, "s-1", systemClock, host);
      const { outputs } = await stack.create(largest);
      expect(String(outputs["stdout"]).split(/\s+/)).toEqual(shown);
    }
    const { stack } = await openCommandStack({ host });
    const before = await stack.create({ create: "seq 1 100000; seq 1 100000 >&2" });
    const { outputs } = await stack.update(before, { ...largest, update: largest.create });
    expect(String(outputs["stdout"]).split(/\s+/)).toEqual(shown);
  }, 120_000);

  test.each([
    ["create", { create: text(longestTextBytes + 1) }, "create: has 1048577 bytes, but at most 1048576 are possible"],
    ["update", { update: text(longestTextBytes + 1) }, "update: has 1048577 bytes, but at most 1048576 are possible"],
    ["delete", { delete: text(longestTextBytes + 1) }, "delete: has 1048577 bytes, but at most 1048576 are possible"],
    ["stdin", { stdin: text(longestTextBytes + 1) }, "stdin: has 1048577 bytes, but at most 1048576 are possible"],
    [
      "a variable",
      { environment: { V10: "x".repeat(longestVariableBytes - 3) } },
      "environment.V10: with its name, has 120001 bytes, but at most 120000 are possible",
    ],
    [
      "an environment",
      { environment: { ...environment(longestEnvironmentBytes), V9: "" } },
      "environment: with all names, has 1048579 bytes, but at most 1048576 are possible",
    ],
  ])("%s that is larger is refused before anything is sent to the session", async (_, args, reason) => {
    const { emulator, stack } = await openCommandStack({ host });
    const message = await stack.check({ create: "true", ...args }).then(
      () => "no failure",
      (error: Error) => error.message,
    );
    expect(message).toContain(reason);
    expect(message).toMatch(/as a file.*\[AGB915\]$/s);
    expect(message.length).toBeLessThan(500);
    expect(emulator.requestCounts().mcp ?? 0).toBe(0);
  });
});

// Protobuf's library for Node cannot send this to a plugin as other engines do: `plugin-process.test.ts`.
test("200 MB of input are refused by the dynamic host in a short message", async () => {
  const { emulator, stack } = await openCommandStack();
  const { message } = await failureOf(stack.check({ create: "true", stdin: "x".repeat(200_000_000) }));
  expect(message).toMatch(/stdin: has 200000000 bytes.*as a file.*\[AGB915\]$/s);
  expect(message.length).toBeLessThan(500);
  expect(emulator.requestCounts().mcp ?? 0).toBe(0);
});
