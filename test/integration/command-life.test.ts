// The life of a command: what runs when, what the state holds, and what users see.

import { commandLines } from "../support/command-lines";
import { openCommandStack, openCommands, unfinishedBy } from "../support/command-stack";
import { release } from "../support/emulator-requests";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream, said } from "../support/said";

withoutRetryDelay();
captureErrorStream();

test("the output is shown with the name of the resource, and the state holds it", async () => {
  const { stack } = await openCommandStack();
  const { id, outputs } = await stack.create({ create: "echo out; printf 'no end' >&2" });
  expect(outputs).toMatchObject({ stdout: "out", stderr: "no end", exitCode: 0, runToken: id });
  expect(said()).toContain("agb: build: out");
  expect(said()).toContain("agb: build: no end");
});

test.each([
  ["none", ""],
  ["stdout", "agb: build: out"],
  ["stderr", "agb: build: err"],
])("logging: %s shows only that", async (logging, shown) => {
  const { stack } = await openCommandStack();
  await stack.create({ create: "echo out; echo err >&2", logging });
  expect(said()).toBe(shown);
});

test("output that is no UTF-8 is U+FFFD, and a NUL character stays", async () => {
  const { stack } = await openCommandStack();
  const { outputs } = await stack.create({ create: "printf '\\377a\\0b\\n'" });
  expect(outputs["stdout"]).toBe("\ufffda\0b");
});

test("the state holds the end of a long output and says so", async () => {
  const { stack } = await openCommandStack();
  const { outputs } = await stack.create({ create: "seq 1 700000; echo last" });
  const stdout = String(outputs["stdout"]);
  expect(stdout).toMatch(/^\[only the end of 4788900 bytes\]\n/);
  expect(stdout.endsWith("\n700000\nlast")).toBe(true);
  expect(stdout.length).toBeLessThanOrEqual(1024 * 1024 + 40);
  expect(said().split("\n").length).toBeLessThan(2_000);
  expect(said()).toMatch(/build: \(\d+ (lines|bytes)( and \d+ bytes)? of output are not shown\)/);
});

describe("a change", () => {
  const args = { create: "echo create >> runs; echo created", update: "echo update >> runs; echo updated" };

  test("runs `update` in place", async () => {
    const { stack } = await openCommandStack();
    const created = await stack.create(args);
    const changed = { ...args, environment: { A: "1" } };
    expect(await stack.diff(created, changed)).toEqual({ replaces: [], deleteBeforeReplace: true });
    const updated = await stack.update(created, changed);
    expect(updated.outputs).toMatchObject({ stdout: "updated", environment: { A: "1" } });
    expect(await stack.diff(updated, changed)).toEqual({ changes: false });
    expect(await stack.inSession("cat runs")).toBe("create\nupdate\n");
  });

  test("runs `create` if there is no `update`", async () => {
    const { stack } = await openCommandStack();
    const created = await stack.create({ create: "echo one >> runs" });
    await stack.update(created, { create: "echo two >> runs" });
    expect(await stack.inSession("cat runs")).toBe("one\ntwo\n");
  });

  test("back to an earlier command runs that one again", async () => {
    const { stack } = await openCommandStack();
    const one = { create: "echo one >> runs" };
    let entry = await stack.create(one);
    entry = await stack.update(entry, { create: "echo two >> runs" });
    await stack.update(entry, one);
    expect(await stack.inSession("cat runs")).toBe("one\ntwo\none\n");
  });

  test.each([
    ["delete", "true"],
    ["timeoutSeconds", 5],
    ["logging", "none"],
    ["sensitive", true],
    ["addPreviousOutputInEnv", false],
  ])("of %s runs nothing", async (name, value) => {
    const { stack } = await openCommandStack();
    const created = await stack.create(args);
    const { outputs } = await stack.update(created, { ...args, [name]: value });
    expect(outputs).toEqual({ ...created.outputs, [name]: value });
    expect(await stack.inSession("cat runs")).toBe("create\n");
  });

  test("of the session or of the triggers replaces the command, the old one first", async () => {
    const { stack } = await openCommandStack();
    const created = await stack.create({ ...args, triggers: [{ a: 1, b: 2 }] });
    const difference = (change: Record<string, unknown>) => stack.diff(created, { ...args, ...change });
    expect(await difference({ triggers: [{ b: 2, a: 1 }] })).toEqual({ changes: false });
    expect(await difference({ triggers: [{ a: 2, b: 2 }] })).toEqual({
      replaces: ["triggers"],
      deleteBeforeReplace: true,
    });
    expect(await difference({ sessionId: "session-2" })).toMatchObject({ replaces: ["sessionId", "triggers"] });
  });

  test("gives the output of the run before, and leaves it out if the program says so", async () => {
    const { stack } = await openCommandStack();
    const previous = {
      create: "echo out; echo err >&2",
      update: 'echo "[$PULUMI_COMMAND_STDOUT][$PULUMI_COMMAND_STDERR]"',
    };
    const created = await stack.create(previous);
    const updated = await stack.update(created, { ...previous, stdin: "1" });
    expect(updated.outputs["stdout"]).toBe("[out][err]");
    const without = { ...previous, stdin: "2", addPreviousOutputInEnv: false };
    expect((await stack.update(updated, without)).outputs["stdout"]).toBe("[][]");
  });

  test("gives at most the end of an output that is longer than a variable may be", async () => {
    const { stack } = await openCommandStack();
    const previous = { create: "seq 1 200000", update: 'echo "$PULUMI_COMMAND_STDOUT" | tail -n 1' };
    const created = await stack.create(previous);
    expect((await stack.update(created, { ...previous, stdin: "1" })).outputs["stdout"]).toBe("200000");
  });
});

describe.each(hosts)("served by the %s host, a command that fails", (host) => {
  test("shows the end of its output, stays in the state, and the next `up` runs it again, also after a refresh", async () => {
    const { stack } = await openCommandStack({ host });
    const args = { create: "echo run >> runs; echo broken >&2; test -e ready", update: "echo update >> runs" };
    const { reason, entry } = await unfinishedBy(stack.create(args));
    expect(reason).toContain("ended with exit code 1. The end of its standard error:\n  broken\n");
    const refreshed = await stack.refresh(entry);
    expect(refreshed).toEqual(entry);
    expect(await stack.diff(refreshed, args)).toEqual({ changes: true });

    await stack.inSession("touch ready");
    const repaired = await stack.update(refreshed, args);
    expect(repaired.outputs).toMatchObject({ exitCode: 0, stderr: "broken" });
    expect(await stack.diff(repaired, args)).toEqual({ changes: false });
    expect(await stack.inSession("cat runs")).toBe("run\nrun\n");
  });

  test("in an update keeps the outputs of the last success, and the next `up` runs `update` again", async () => {
    const { stack } = await openCommandStack({ host });
    const args = { create: "echo fine", update: "echo update >> runs; test -e ready && echo repaired" };
    const created = await stack.create(args);
    const changed = { ...args, stdin: "1" };
    const { entry } = await unfinishedBy(stack.update(created, changed));
    expect(entry.id).toBe(created.id);
    expect(entry.outputs).toMatchObject({ stdout: "fine", stdin: "1", pending: "update" });
    await stack.inSession("touch ready");
    const repaired = await stack.update(entry, changed);
    expect(repaired.outputs).toMatchObject({ stdout: "repaired" });
    expect(repaired.outputs["pending"]).toBeUndefined();
    expect(await stack.inSession("cat runs")).toBe("update\nupdate\n");
  });

  test("in a delete keeps the resource, and the next one runs it again", async () => {
    const { stack } = await openCommandStack({ host });
    const created = await stack.create({ create: "true", delete: "echo delete >> runs; test -e ready" });
    await expect(stack.delete(created)).rejects.toThrow("AGB907");
    await stack.inSession("touch ready");
    await stack.delete(created);
    expect(await stack.inSession("cat runs")).toBe("delete\ndelete\n");
  });

  test("in its first run has no `delete`", async () => {
    const { stack } = await openCommandStack({ host });
    const { entry } = await unfinishedBy(stack.create({ create: "false", delete: "echo delete >> runs" }));
    await stack.delete(entry);
    expect(await stack.inSession("cat runs 2>/dev/null; ls -A /tmp/.pulumi-agb")).toBe("");
  });
});

test("an edit during a run that nobody waits for ends that run first", async () => {
  const { emulator, stack } = await openCommandStack();
  const first = stack.create({
    create: "echo first >> runs; while [ ! -e ready ]; do sleep 0.1; done; echo late >> runs",
  });
  const outcome = first.catch((error: unknown) => error);
  for (let look = 0; (await stack.inSession("cat runs 2>/dev/null; true")) === ""; look += 1) {
    expect(look).toBeLessThan(1_000);
  }
  await openCommands(emulator.url, stack.sessionId).create({ create: "echo second >> runs" });
  await stack.inSession("touch ready");
  await outcome;
  expect(await stack.inSession("cat runs")).toBe("first\nsecond\n");
});

test("a forced replacement runs the same command again", async () => {
  const { stack } = await openCommandStack();
  const args = { create: "echo run >> runs" };
  await stack.delete(await stack.create(args));
  await stack.create(args);
  expect(await stack.inSession("cat runs")).toBe("run\nrun\n");
});

describe("secrets", () => {
  const secret = "s3cret-value-of-a-variable";
  const input = "s3cret-of-standard-input";
  const script = "s3cret-in-the-script";

  test("are in no list of processes, no message and no file that stays", async () => {
    const { stack, emulator } = await openCommandStack();
    const args = {
      create: `: ${script}; cat; echo "$TOKEN"; echo "$TOKEN" >&2; for n in $(seq 20); do sleep 0.1; done; exit 1`,
      environment: { TOKEN: secret },
      stdin: input,
      update: "true",
    };
    const seen: string[] = [];
    let isOver = false;
    const { reason, entry } = await (async () => {
      const work = unfinishedBy(stack.create(args)).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        seen.push(commandLines());
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return work;
    })();
    const lines = seen.join("\n");
    expect(lines).toContain("/tmp/.pulumi-agb/".slice(1));
    for (const text of [secret, input, script]) {
      expect(lines).not.toContain(text);
      expect(said()).not.toContain(text);
      expect(reason).not.toContain(text);
    }
    expect(said()).toContain("build: [TOKEN]");
    // The output itself is the program's own matter: it may mark it as secret.
    const { environment: _, stdin: __, create: ___, ...rest } = entry.outputs;
    expect(JSON.stringify(rest)).not.toMatch(/s3cret/);
    expect(
      await stack.inSession(
        "cd /tmp/.pulumi-agb; grep -rlE --exclude std* 's3cret-(of|in)' . ; find . -type f -name 'part*'",
      ),
    ).toBe("");
    expect(await stack.inSession("stat -c %a /tmp/.pulumi-agb /tmp/.pulumi-agb/*/*")).toBe("700\n700\n");
    expect(emulator.sessions()).toHaveLength(1);
  });

  test("the output of a sensitive command is neither shown nor quoted", async () => {
    const { stack } = await openCommandStack();
    const args = { create: "echo s3cret-output; echo s3cret-error >&2; exit 1", sensitive: true };
    const { reason } = await unfinishedBy(stack.create(args));
    expect(reason + said()).not.toContain("s3cret");
    expect(said()).toContain("build: the output is hidden, because the command is sensitive.");
  });

  test("the debug log masks what is sent to the session and what it answers", async () => {
    const { emulator, stack } = await openCommandStack();
    stack.objects.configure({ "agb:logLevel": "debug" });
    const noisy = openCommands(emulator.url, stack.sessionId);
    noisy.objects.configure({ "agb:logLevel": "debug" });
    await noisy.create({ create: `echo ${script}`, environment: { TOKEN: secret }, stdin: input, logging: "none" });
    expect(said()).toContain("mcp HTTP 200");
    expect(said()).toContain('"args":"***"');
    expect(said()).not.toMatch(/s3cret|pulumi-agb\//);
  });
});

describe.each(hosts)("served by the %s host, a session that is gone", (host) => {
  test("fails a create and an update, and says what to do", async () => {
    const { emulator, stack } = await openCommandStack({ host });
    const created = await stack.create({ create: "true" });
    await release(emulator.url, stack.sessionId);
    await emulator.advanceClock(60_000);
    await expect(stack.create({ create: "false" })).rejects.toThrow(
      /The session is gone.*pulumi up --refresh.*AGB905/s,
    );
    await expect(stack.update(created, { create: "false" })).rejects.toThrow("AGB905");
    expect(await stack.refresh(created)).toEqual(created);
    await stack.delete(created);
  });

  test("while the command runs fails it", async () => {
    const { emulator, stack } = await openCommandStack({ host });
    const work = stack.create({ create: "touch begun; sleep 100" }).catch((error: Error) => error);
    for (let look = 0; (await stack.inSession("ls begun 2>/dev/null; true")) === ""; look += 1) {
      expect(look).toBeLessThan(1_000);
    }
    await emulator.release(stack.sessionId);
    expect(await work).toMatchObject({ stack: expect.stringContaining("AGB905") });
  });
});

test("a working directory that does not exist is a clear error", async () => {
  const { stack } = await openCommandStack();
  const { reason } = await unfinishedBy(stack.create({ create: "true", workingDirectory: "/home/user/app" }));
  expect(reason).toContain("its workingDirectory does not exist in the session");
});

test("a declared property that the provider does not know is refused", async () => {
  const { stack } = await openCommandStack();
  await expect(
    stack.check({ create: " ", evironment: {}, timeoutSeconds: 0, workingDirectory: "app" }),
  ).rejects.toThrow(/evironment.*did you mean environment.*create.*workingDirectory.*timeoutSeconds/s);
});
