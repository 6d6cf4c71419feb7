// Measures how fast the emulator answers under load and whether its memory stays flat. It runs the built command in a
// separate process with a state file, so build first.
//
//   npm run bench:emulator -- --sessions 5000 --requests-per-second 200 --seconds 60

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
  },
});
const sessionCount = Number(values.sessions);
const requestsPerSecond = Number(values["requests-per-second"]);
const seconds = Number(values.seconds);

const root = join(__dirname, "..", "..");
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One measured request. */
interface Measured {
  readonly isWrite: boolean;
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
    const memory = [`${await memoryOf(child)} with ${sessionCount} sessions`];
    const measured: Measured[] = [];
    for (let part = 1; part <= 4; part += 1) {
      measured.push(...(await load(url, ids, seconds / 4)));
      memory.push(`${await memoryOf(child)} after ${Math.round((seconds / 4) * part)} s`);
    }
    console.log(`${sessionCount} sessions, ${requestsPerSecond} requests/s for ${seconds} s, state file on disk`);
    report(
      "reads",
      measured.filter(({ isWrite }) => !isWrite),
    );
    report(
      "writes",
      measured.filter(({ isWrite }) => isWrite),
    );
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

/** Sends requests at the given rate even if replies are late, as many independent clients do. */
async function load(url: string, ids: string[], loadSeconds: number): Promise<Measured[]> {
  const total = Math.round(requestsPerSecond * loadSeconds);
  const startMs = performance.now();
  const running: Promise<Measured>[] = [];
  for (let index = 0; index < total; index += 1) {
    const dueMs = startMs + (index * 1000) / requestsPerSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) {
      await sleep(earlyMs);
    }
    running.push(measure(url, ids, index % 10));
  }
  return Promise.all(running);
}

async function measure(url: string, ids: string[], kind: number): Promise<Measured> {
  const place = Math.floor(Math.random() * ids.length);
  const sessionId = ids[place] as string;
  const startMs = performance.now();
  const labels = encodeURIComponent(JSON.stringify({ team: "load", round: String(startMs) }));
  // Four of ten requests change something. As many sessions are created as released.
  if (kind === 0) {
    ids[place] = await create(url);
    const durationMs = performance.now() - startMs;
    await send(url, "POST", "/mcp/releaseSession", { sessionId });
    return { isWrite: true, durationMs };
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
  return { isWrite: kind <= 3, durationMs: performance.now() - startMs };
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
      // "Not found" for a session that another request has just released is a valid answer.
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
  console.log(`${name.padEnd(7)} ${sorted.length} p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
}

/** Returns the resident memory before, and the live heap after a garbage collection. */
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
