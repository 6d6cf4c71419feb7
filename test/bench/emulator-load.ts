// How quickly the emulator answers under load, and whether its memory stays flat. It measures the built command, in a process
// of its own, with a state file. So build first.
//
//   npm run bench:emulator -- --sessions 5000 --requests-per-second 200 --seconds 60
//
// Besides the requests for sessions it uploads files into contexts: --files says how many there are at the start, in
// --contexts contexts, and --uploads-per-second how often one is uploaded again.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "5000" },
    "requests-per-second": { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    contexts: { type: "string", default: "20" },
    files: { type: "string", default: "1000" },
    "uploads-per-second": { type: "string", default: "10" },
  },
});
const sessionCount = Number(values.sessions);
const requestsPerSecond = Number(values["requests-per-second"]);
const seconds = Number(values.seconds);
const contextCount = Number(values.contexts);
const fileCount = Number(values.files);
const uploadsPerSecond = Number(values["uploads-per-second"]);

const root = join(__dirname, "..", "..");
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** What one request does and how long it took, in milliseconds. */
interface Measured {
  readonly kind: "reads" | "writes" | "uploads";
  readonly durationMs: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "agb-emulator-load-"));
  const statePath = join(folder, "state.json");
  const child = spawn(
    process.execPath,
    [
      ...["--require", join(root, "tools", "quick-start", "exit-with-parent.cjs")],
      ...["--expose-gc", "--require", join(__dirname, "report-heap.cjs")],
      ...[join(root, "dist", "cli", "main.js"), "emulator", "--state", statePath],
      ...["--default-idle-timeout-seconds", "86400", "--maximum-lifetime-seconds", "86400"],
    ],
    { stdio: ["pipe", "pipe", "inherit", "ipc"] },
  );
  try {
    const [line] = (await once(createInterface({ input: child.stdout as Readable }), "line")) as [string];
    const url = line.slice(line.lastIndexOf(" ") + 1);
    const ids = await fill(url);
    const contextIds = await fillContexts(url);
    const memory = [`${await memoryOf(child)} with ${sessionCount} sessions and ${fileCount} files`];
    const measured: Measured[] = [];
    for (let part = 1; part <= 4; part += 1) {
      const parts = [
        load(requestsPerSecond, seconds / 4, (index) => measure(url, ids, index % 10)),
        load(uploadsPerSecond, seconds / 4, () => measureUpload(url, contextIds)),
      ];
      measured.push(...(await Promise.all(parts)).flat());
      memory.push(`${await memoryOf(child)} after ${Math.round((seconds / 4) * part)} s`);
    }
    console.log(
      `${sessionCount} sessions, ${requestsPerSecond} requests/s, ${fileCount} files in ${contextCount} contexts, ` +
        `${uploadsPerSecond} uploads/s for ${seconds} s, state file on disk`,
    );
    for (const kind of ["reads", "writes", "uploads"] as const) {
      report(
        kind,
        measured.filter((each) => each.kind === kind),
      );
    }
    console.log(`memory  ${memory.join("\n        ")}`);
    console.log(`state   ${(statSync(statePath).size / 1e6).toFixed(1)} MB`);
  } finally {
    agent.destroy();
    child.kill("SIGKILL");
    await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(url: string): Promise<string[]> {
  const ids: string[] = [];
  const client = async () => {
    while (ids.length < sessionCount) {
      ids.push(await create(url));
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return ids;
}

/** Creates the contexts and their files. @returns the contexts' ids */
async function fillContexts(url: string): Promise<string[]> {
  const contextIds: string[] = [];
  for (let number = 0; number < contextCount; number += 1) {
    const reply = await send(url, "GET", `/sdk/GetContext?name=load-${number}&allowCreate=true`);
    contextIds.push((reply as { data: { id: string } }).data.id);
  }
  let next = 0;
  const client = async () => {
    for (let number = next++; number < fileCount; number = next++) {
      await uploadFile(url, contextIds, number);
    }
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return contextIds;
}

/** Sends at the given rate whether or not replies are late, as many independent clients do. */
async function load(
  perSecond: number,
  loadSeconds: number,
  request: (index: number) => Promise<Measured>,
): Promise<Measured[]> {
  const total = Math.round(perSecond * loadSeconds);
  const startMs = performance.now();
  const running: Promise<Measured>[] = [];
  for (let index = 0; index < total; index += 1) {
    const dueMs = startMs + (index * 1000) / perSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) {
      await sleep(earlyMs);
    }
    running.push(request(index));
  }
  return Promise.all(running);
}

async function measureUpload(url: string, contextIds: readonly string[]): Promise<Measured> {
  const startMs = performance.now();
  await uploadFile(url, contextIds, Math.floor(Math.random() * fileCount));
  return { kind: "uploads", durationMs: performance.now() - startMs };
}

/** Asks for an address and sends a file of 2 KB there. */
async function uploadFile(url: string, contextIds: readonly string[], number: number): Promise<void> {
  const contextId = contextIds[number % contextIds.length];
  const path = `/sdk/GetContextFileUploadUrl?contextId=${contextId}&filePath=/data/${number}`;
  const reply = (await send(url, "POST", path)) as { data: { url: string } };
  const answer = await fetch(reply.data.url, { method: "PUT", body: `${Math.random()}`.padEnd(2000) });
  await answer.arrayBuffer();
  if (answer.status !== 200) {
    throw new Error(`An upload was answered with HTTP ${answer.status}.`);
  }
}

async function measure(url: string, ids: string[], kind: number): Promise<Measured> {
  const place = Math.floor(Math.random() * ids.length);
  const sessionId = ids[place] as string;
  const startMs = performance.now();
  const labels = encodeURIComponent(JSON.stringify({ team: "load", round: String(startMs) }));
  // Of ten requests four change something. As many sessions are created as released.
  if (kind === 0) {
    ids[place] = await create(url);
    const durationMs = performance.now() - startMs;
    await send(url, "POST", "/mcp/releaseSession", { sessionId });
    return { kind: "writes", durationMs };
  }
  if (kind <= 2) {
    await send(url, "POST", `/sdk/SetLabel?sessionId=${sessionId}&Labels=${labels}`);
  } else if (kind === 3) {
    await send(url, "POST", `/mcp/refreshSessionIdleTime?sessionId=${sessionId}`);
  } else if (kind <= 6) {
    await send(url, "GET", `/sdk/GetLabel?sessionId=${sessionId}`);
  } else if (kind <= 8) {
    await send(url, "POST", "/mcp/getMcpResource", { sessionId });
  } else {
    await send(url, "GET", "/sdk/ListSession?maxResults=10&labels=%7B%22team%22%3A%22load%22%7D");
  }
  return { kind: kind <= 3 ? "writes" : "reads", durationMs: performance.now() - startMs };
}

async function create(url: string): Promise<string> {
  const labels = JSON.stringify({ team: "load", environment: "bench", owner: "nobody" });
  const reply = await send(url, "POST", "/mcp/createSession?imageId=agb-code-space-1", { labels });
  return (reply as { data: { sessionId: string } }).data.sessionId;
}

function send(url: string, method: string, path: string, body: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const headers = { authorization: "Bearer any" };
    const outgoing = request({ agent, hostname, port, method, path, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("error", reject);
      // A session that another request has just released is not found, which is a valid reply.
      incoming.on("end", () => resolve(JSON.parse(text)));
    });
    outgoing.on("error", reject);
    outgoing.end(method === "GET" ? "" : JSON.stringify(body));
  });
}

function report(name: string, measured: readonly Measured[]): void {
  const sorted = measured.map(({ durationMs }) => durationMs).sort((left, right) => left - right);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  if (sorted.length === 0) {
    return;
  }
  console.log(`${name.padEnd(7)} ${sorted.length} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
}

/** Resident memory before, and live heap after a collection of garbage. */
async function memoryOf(child: ChildProcess): Promise<string> {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
  const reply = once(child, "message");
  child.send("heap");
  const [heapBytes] = (await reply) as [number];
  return `${(Number(kilobytes) / 1024).toFixed(0)} MB resident, ${(heapBytes / 1e6).toFixed(1)} MB live heap`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
