// What goes wrong while files are put into a session: lost replies, refusals, a killed provider, servers that repeat input.

import { randomBytes } from "node:crypto";
import { readLocalFiles } from "../../provider/lifecycle/local-files";
import { putFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { localFolder } from "../support/file-session";
import { FileStack, openFileStack, type UnfinishedFile } from "../support/file-stack";
import { startHostProcess } from "../support/host-process";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { captureErrorStream } from "../support/said";
import { type ReceivedRequest, type ScriptedServer, sendJson, startScriptedServer } from "../support/scripted-server";
import { failureOf } from "../support/session-stack";

withoutRetryDelay();
captureErrorStream();

/** A proxy that waits for a function before it passes on a request. */
function startProxy(url: string, before: (request: ReceivedRequest) => Promise<void> | void): Promise<ScriptedServer> {
  return startScriptedServer(async (request, response) => {
    await before(request);
    const forwarded = await passOn(url, request);
    response.writeHead(forwarded.status, { "content-type": "application/json" }).end(await forwarded.text());
  });
}

function passOn(url: string, { method, path: asked, query, headers, body }: ReceivedRequest): Promise<Response> {
  return fetch(`${url}${asked}?${new URLSearchParams(query)}`, {
    method,
    headers: { authorization: String(headers.authorization), "content-type": "application/json" },
    ...(method === "POST" && { body }),
  });
}

const path = "/home/user/app";
const old = { path, source: { archive: { a: { text: "old" }, b: { text: "same" }, "c/d": { text: "left" } } } };
const next = { path, source: { archive: { a: { text: "new" }, b: { text: "same" }, "e/f": { text: "more" } } } };
const filesAfter = { a: "644 new", b: "644 same", "e/f": "644 more" };
/** A put of these files takes six calls. */
const calls = [1, 2, 3, 4, 5, 6];

describe.each(hosts)("served by the %s host", (host) => {
  // The calls are the same with each host, so the first and the last one show what another host does.
  const callsOfHost = host === "dynamic" ? calls : [1, calls.length];

  test.each(callsOfHost)(
    "when the reply of call %i is lost, the call is repeated and the files are right",
    async (call) => {
      const stack = await openFileStack({ host });
      const { emulator, files } = stack.session;
      const entry = await stack.create(old);
      const fault = emulator.addFault({ operation: "mcp", calls: call, when: "after", answer: "reset" });
      const updated = await stack.update(entry, next);
      expect(fault.struck).toBe(1);
      expect(await files(path)).toEqual(filesAfter);
      expect(await stack.refresh(updated)).toEqual(updated);
    },
  );

  test.each(callsOfHost)(
    "when all calls fail from call %i on, each file is old or new, and the next update finishes",
    async (call) => {
      const stack = await openFileStack({ host });
      const { emulator, files, shell } = stack.session;
      const entry = await stack.create(old);
      const failing = Array.from({ length: 30 }, (_, index) => call + index);
      for (const when of ["before", "after"] as const) {
        const fault = emulator.addFault({ operation: "mcp", calls: failing, when, answer: { status: 500 } });
        const failure = (await failureOf(stack.update(entry, next))) as Error & Partial<UnfinishedFile>;
        fault.remove();
        const isApplied = call === 6 && when === "after";
        expect(await files(path)).toEqual(isApplied ? filesAfter : { a: "644 old", b: "644 same", "c/d": "644 left" });
        // From the last call on, the state says that the files may be incomplete.
        expect(failure.properties?.["contentHash"]).toBe(call === 6 ? "incomplete" : undefined);
      }
      const finished = await stack.update(entry, next);
      expect(await files(path)).toEqual(filesAfter);
      expect(await shell("find . -name '.pulumi*'")).toBe("");
      expect(await stack.refresh(finished)).toEqual(finished);
    },
  );

  test.each(callsOfHost)(
    "a provider that is killed before call %i of an update leaves each file old or new, and the next up finishes",
    async (call) => {
      const stack = await openFileStack({ host });
      const { emulator, files, shell } = stack.session;
      const entry = await stack.create(old);
      const inputs = await stack.check(next);
      let reached = () => {};
      const isReached = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let mcpCalls = 0;
      const proxy = await startProxy(emulator.url, async ({ path: asked }) => {
        mcpCalls += asked === "/mcp" ? 1 : 0;
        if (mcpCalls === call) {
          reached();
          await new Promise(() => {});
        }
      });
      const killed = await startHostProcess(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: proxy.url });
      await killed.configure({});
      const lost = killed.file.update(entry.id, entry.outputs, inputs).catch(() => "lost");
      await isReached;
      killed.signal("SIGKILL");
      expect(await killed.ended()).toBe("SIGKILL");
      expect(await lost).toBe("lost");
      expect(await files(path)).toEqual({ a: "644 old", b: "644 same", "c/d": "644 left" });

      // The state still has the old files.
      const up = await startHostProcess(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
      await up.configure({});
      const { outs: outputs } = await up.file.update(entry.id, entry.outputs, inputs);
      expect(await files(path)).toEqual(filesAfter);
      expect((await up.file.read(entry.id, outputs)).props).toEqual(outputs);
      expect(await shell("find . -name '.pulumi*'; find ../../tmp/.pulumi-agb -name content")).toBe("");
      expect(await shell("ls -d ../../tmp/.pulumi-agb/files/*/a.* | wc -l")).toBe("1\n");
      await up.file.delete(entry.id, outputs);
      expect(await shell("ls -A")).toBe("");
    },
  );

  test("a provider that is killed during a create leaves nothing that the next create does not take over", async () => {
    const stack = await openFileStack({ host });
    const { emulator, files, shell } = stack.session;
    const inputs = await stack.check(next);
    // The reply to the last call never arrives, so the files are there and no state knows them.
    let mcpCalls = 0;
    let reached = () => {};
    const received = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const proxy = await startScriptedServer(async (request, response) => {
      mcpCalls += request.path === "/mcp" ? 1 : 0;
      const reply = await passOn(emulator.url, request);
      if (mcpCalls === calls.length) {
        reached();
      } else {
        response.writeHead(reply.status, { "content-type": "application/json" }).end(await reply.text());
      }
    });
    const killed = await startHostProcess(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: proxy.url });
    await killed.configure({});
    const lost = killed.file.create(inputs).catch(() => "lost");
    await received;
    killed.signal("SIGKILL");
    expect(await killed.ended()).toBe("SIGKILL");
    expect(await lost).toBe("lost");

    const up = await startHostProcess(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    await up.configure({});
    const { id, outs } = await up.file.create(inputs);
    expect(await files(path)).toEqual(filesAfter);
    await up.file.delete(id, outs);
    expect(await shell("ls -A")).toBe("");
  });

  test("a create that fails at its last call stays in the state, so that a destroy removes what it put", async () => {
    const stack = await openFileStack({ host });
    const { emulator, shell } = stack.session;
    const failing = Array.from({ length: 30 }, (_, index) => 6 + index);
    const fault = emulator.addFault({ operation: "mcp", calls: failing, when: "after", answer: { status: 500 } });
    const failure = (await failureOf(stack.create(next))) as unknown as UnfinishedFile;
    fault.remove();
    expect(failure.reasons.join()).toMatch(/The files may be incomplete.*\[AGB307\]$/);
    await stack.delete({ id: failure.id, inputs: {}, outputs: failure.properties });
    expect(await shell("ls -A")).toBe("");
  });

  test("a create whose state was lost is repeated, and sends nothing again", async () => {
    const stack = await openFileStack({ host });
    const { emulator, files } = stack.session;
    await stack.create(next);
    stack.nextRun();
    const before = emulator.requestCounts().mcp ?? 0;
    const entry = await stack.create(next);
    expect((emulator.requestCounts().mcp ?? 0) - before).toBe(5);
    expect(await files(path)).toEqual(filesAfter);
    await stack.delete(entry);
    expect(await stack.session.shell("ls -A")).toBe("");
  });

  test("no message repeats the content, even if the server does", async () => {
    const secret = "correct-horse-battery-staple";
    for (const encode of [(text: string) => text, (text: string) => text.slice(0, 400)]) {
      const server = await startScriptedServer(({ body, path: asked }, response) => {
        if (asked === "/mcp" && body.includes("write_file")) {
          const content = String(JSON.parse(JSON.parse(body).args).content);
          sendJson(
            response,
            { success: false, code: "X", message: `${encode(content)} ${secret}`, requestId: "R" },
            400,
          );
        } else {
          const text = JSON.stringify({ stdout: "ready\n", stderr: secret, exit_code: 0 });
          sendJson(response, {
            success: true,
            code: "ok",
            requestId: "R",
            data: { content: [{ type: "text", text }] },
          });
        }
      });
      const stack = await openFileStack({ host });
      const echoed = new FileStack(stack.session, server.url, host);
      const { message } = await failureOf(echoed.create({ source: { text: secret } }));
      expect(message).not.toContain(secret);
      // Base64 of the packed content begins like this.
      expect(message).not.toContain("H4sI");
    }
  });

  test("the list of processes shows neither names nor content, because no command holds them", async () => {
    const commands: string[] = [];
    const stack = await openFileStack({ host });
    const { emulator } = stack.session;
    const server = await startProxy(emulator.url, ({ body }) => {
      const { name, args } = JSON.parse(body || "{}") as { name?: string; args?: string };
      if (name === "shell") {
        commands.push(JSON.parse(args ?? "{}").command);
      }
    });
    const observed = new FileStack(stack.session, server.url, host);
    const args = {
      path: "/home/user/hidden-place",
      source: { archive: { "hidden-name": { text: "hidden-content" } } },
    };
    const entry = await observed.create(args);
    await observed.refresh(entry);
    await observed.delete(entry);
    expect(commands).toHaveLength(5);
    expect(commands.join("\n")).not.toContain("hidden");
    expect(Math.max(...commands.map((command) => command.length))).toBeLessThan(4_000);
  });
});

test("two updates with the same content at the same time leave it whole", async () => {
  const stack = await openFileStack();
  const { emulator, sessionId, files } = stack.session;
  await stack.create(old);
  const set = { path, mode: 0o644, local: readLocalFiles(next.source) };
  const results = await Promise.allSettled(
    Array.from({ length: 3 }, () => putFiles(openClient(emulator.url), sessionId, set)),
  );
  expect(results.some(({ status }) => status === "fulfilled")).toBe(true);
  await putFiles(openClient(emulator.url), sessionId, set);
  expect(await files(path)).toEqual(filesAfter);
});

test("no more than four parts are sent at the same time, and a failed part stops the rest", async () => {
  let [running, most, writes] = [0, 0, 0];
  const server = await startScriptedServer(async ({ body }, response) => {
    const { name, args } = JSON.parse(body) as { name: string; args: string };
    const command = String(JSON.parse(args).command ?? "");
    let isRefused = false;
    if (name === "write_file") {
      running += 1;
      most = Math.max(most, running);
      writes += 1;
      isRefused = writes === 40;
      await new Promise((resolve) => setTimeout(resolve, 20));
      running -= 1;
    }
    const stdout = command.includes("/check.sh") ? "fresh\ngone root\nneed 100000 100000\nend\n" : "ready\n";
    const text = isRefused ? "disk full" : JSON.stringify({ stdout, stderr: "", exit_code: 0 });
    sendJson(response, {
      success: true,
      code: "ok",
      requestId: "R",
      data: { isError: isRefused, content: [{ type: "text", text }] },
    });
  });
  const folder = localFolder({ large: randomBytes(4_000_000) });
  const put = putFiles(openClient(server.url), "s-1", { path, mode: 0o644, local: readLocalFiles({ folder }) });
  await expect(put).rejects.toThrow("disk full");
  expect(most).toBe(4);
  expect(writes).toBeLessThan(50);
});
