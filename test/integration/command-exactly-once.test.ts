// A command runs once, whatever requests and replies are lost.

import { newRunIdentity } from "../../provider/lifecycle/command-run";
import { systemClock } from "../../provider/lifecycle/wait";
import { openClient } from "../support/agb-client";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { openCommandStack, openCommands, unfinishedBy } from "../support/command-stack";
import { createId, runShell } from "../support/emulator-requests";
import { startHostProcess } from "../support/host-process";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { runCommand } from "../support/run-command";
import { captureErrorStream } from "../support/said";
import { startScriptedServer } from "../support/scripted-server";

withoutRetryDelay();
captureErrorStream();

/** Appends a line to a file, so that its lines count the runs. */
const counting = "echo run >> /tmp/runs; sleep 0.3; echo done";
/** The calls of a run of that command: one to prepare, one for each part, one to start, and polls. */
const calls = [1, 2, 3, 4, 5, 6];

describe.each([
  ["the request", "before"],
  ["the reply", "after"],
] as const)("%s of a call is lost", (_, when) => {
  test.each(calls)("call %i of a run", async (call) => {
    const emulator = await startTestEmulator({ allowExec: true, apiKeys: [testKey, "test-key"] });
    const sessionId = await createId(emulator.url);
    const client = openClient(emulator.url);
    const fault = emulator.addFault({ operation: "mcp", calls: call, when, answer: "reset" });
    const spec = { command: counting, stdin: "x".repeat(60_000), timeoutSeconds: 60 };

    const result = await runCommand(client, sessionId, newRunIdentity(), spec, { clock: systemClock });

    expect(fault.struck).toBe(1);
    expect(result).toMatchObject({ reason: "exited", exitCode: 0, stdout: { text: "done\n" } });
    expect((await runShell(emulator.url, sessionId, "cat /tmp/runs")).stdout).toBe("run\n");
  });
});

describe.each(hosts)("served by the %s host", (host) => {
  // The calls are the same with each host, so the first and the last one show what another host does.
  const callsOfHost = host === "dynamic" ? calls : [1, calls.length];

  test.each(callsOfHost)("all calls from call %i on fail, and the next run finds what has happened", async (call) => {
    const { emulator, stack } = await openCommandStack({ host });
    const failing = Array.from({ length: 200 }, (_, index) => call + index);
    const fault = emulator.addFault({ operation: "mcp", calls: failing, when: "after", answer: "reset" });
    await expect(stack.create({ create: counting })).rejects.toThrow("AgbCommand");
    fault.remove();

    const { outputs } = await openCommands(emulator.url, stack.sessionId, systemClock, host).create({
      create: counting,
    });

    expect(outputs).toMatchObject({ stdout: "done", exitCode: 0 });
    expect(await stack.inSession("cat /tmp/runs")).toBe("run\n");
  });

  test("a provider that is killed while the command runs leaves it running, and the next one waits for it", async () => {
    const { emulator, stack } = await openCommandStack({ host });
    const command = "echo run >> /tmp/runs; echo begun; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo done";
    const inputs = await stack.check({ create: command });
    const environment = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
    const killed = await startHostProcess(host, environment);
    await killed.configure({});
    const lost = killed.command.create(inputs).catch(() => "lost");
    for (let look = 0; (await stack.inSession("cat /tmp/runs 2>/dev/null; true")) === ""; look += 1) {
      expect(look).toBeLessThan(1_000);
    }
    killed.signal("SIGKILL");
    expect(await killed.ended()).toBe("SIGKILL");
    expect(await lost).toBe("lost");

    const next = await startHostProcess(host, environment);
    await next.configure({});
    const created = next.command.create(inputs);
    await stack.inSession("touch /tmp/go");

    expect((await created).outs).toMatchObject({ stdout: "begun\ndone", exitCode: 0 });
    expect(await stack.inSession("cat /tmp/runs")).toBe("run\n");
    expect(next.said()).toMatch(/^agb: .*begun$/m);
  });

  test("an update and a delete run once too, although nobody noted that they had ended", async () => {
    const { emulator, stack } = await openCommandStack({ host });
    const args = { create: "true", update: "echo update >> /tmp/runs", delete: "echo delete >> /tmp/runs" };
    const created = await stack.create(args);
    const changed = { ...args, environment: { A: "1" } };
    const again = () => openCommands(emulator.url, stack.sessionId, systemClock, host);
    const updated = await stack.update(created, changed);
    expect(await again().update(created, changed)).toEqual(updated);
    expect(await stack.inSession("cat /tmp/runs")).toBe("update\n");

    await stack.delete(updated);
    await again().delete(updated);
    expect(await stack.inSession("cat /tmp/runs")).toBe("update\ndelete\n");
  });

  test("a delete that cannot remove the runs fails, so that no later resource takes their results", async () => {
    const { emulator, stack: direct } = await openCommandStack({ host });
    let isBroken = false;
    const proxy = await startScriptedServer(async ({ method, path, query, headers, body, socket }, response) => {
      if (isBroken && body.includes("rm -rf")) {
        socket.destroy();
        return;
      }
      const { authorization = "" } = headers;
      const reply = await fetch(`${emulator.url}${path}?${new URLSearchParams(query)}`, {
        method,
        headers: { authorization, "content-type": "application/json" },
        ...(method === "POST" && { body }),
      });
      response.writeHead(reply.status, { "content-type": "application/json" }).end(await reply.text());
    });
    const stack = openCommands(proxy.url, direct.sessionId, systemClock, host);
    const args = { create: "echo create >> /tmp/runs", delete: "echo delete >> /tmp/runs" };
    const created = await stack.create(args);
    isBroken = true;
    await expect(stack.delete(created)).rejects.toThrow("AgbCommand");

    isBroken = false;
    await stack.delete(created);
    await stack.create(args);
    expect(await direct.inSession("cat /tmp/runs")).toBe("create\ndelete\ncreate\n");
  });

  test("a failed create that nobody noted is run again by the next one, and that run is found too", async () => {
    const { emulator, stack } = await openCommandStack({ host });
    const args = { create: "echo run >> /tmp/runs; test -e /tmp/ready" };
    const first = await unfinishedBy(stack.create(args));
    await stack.inSession("touch /tmp/ready");
    const created = await openCommands(emulator.url, stack.sessionId, systemClock, host).create(args);
    expect(await openCommands(emulator.url, stack.sessionId, systemClock, host).create(args)).toEqual(created);
    expect(created.id).not.toBe(first.entry.id);
    expect(await stack.inSession("cat /tmp/runs")).toBe("run\nrun\n");
  });

  test("the same command of another resource or stack, or below another parent, is another run", async () => {
    const { stack } = await openCommandStack({ host });
    const inputs = await stack.check({ create: counting });
    for (const other of [
      {},
      { __resource: "other" },
      { stackId: "fedcba9876543210" },
      { parent: "urn:pulumi:parent" },
    ]) {
      await stack.provider.create({ ...inputs, ...other });
    }
    expect(await stack.inSession("cat /tmp/runs")).toBe("run\nrun\nrun\nrun\n");
  });
});
