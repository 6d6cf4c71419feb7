import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// What is built, not the sources: a hundred starts have to be quick. `npm test` builds first.
const root = join(__dirname, "..", "..");
const command = join(root, "dist", "cli", "main.js");
const chainCount = 2;
const killsPerChain = 50;
const clientCount = 6;
const longestLoadMs = 60;

const children = new Set<ChildProcess>();
const agents = new Set<Agent>();
let folder: string;
let isOver = false;

beforeAll(() => {
  if (!existsSync(command)) {
    throw new Error(`${command} is missing. Run npm run build.`);
  }
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
});
afterAll(() => {
  // When one chain has failed, the other one must not go on starting processes.
  isOver = true;
  for (const child of children) {
    child.kill("SIGKILL");
  }
  for (const agent of agents) {
    agent.destroy();
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What may be found of a session after a kill: its labels as last acknowledged, or as a request under way may have left them; undefined for gone. */
type Allowed = (string | undefined)[];

test("being killed at a hundred moments under load loses nothing acknowledged", async () => {
  const killed = await Promise.all(
    Array.from({ length: chainCount }, (_, index) => killAgainAndAgain(`state-${index}`)),
  );

  expect(killed).toEqual(new Array(chainCount).fill(killsPerChain));
}, 120_000);

async function killAgainAndAgain(name: string): Promise<number> {
  const allowed = new Map<string, Allowed>();
  let kills = 0;
  let acknowledgedInAll = 0;
  while (kills < killsPerChain && !isOver) {
    const emulator = await startBuilt(join(folder, `${name}.json`));
    await compare(emulator.url, emulator.agent, allowed);
    const load = Array.from({ length: clientCount }, () => changeUntilGone(emulator.url, emulator.agent, allowed));
    // The moment is the point of the test; nothing waits for it to be long enough.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestLoadMs));
    emulator.child.kill("SIGKILL");
    await once(emulator.child, "exit");
    acknowledgedInAll += (await Promise.all(load)).reduce((sum, count) => sum + count, 0);
    emulator.agent.destroy();
    children.delete(emulator.child);
    kills += 1;
  }
  expect(acknowledgedInAll).toBeGreaterThan(killsPerChain);
  const last = await startBuilt(join(folder, `${name}.json`));
  await compare(last.url, last.agent, allowed);
  last.child.kill("SIGKILL");
  return kills;
}

async function startBuilt(statePath: string): Promise<{ child: ChildProcess; url: string; agent: Agent }> {
  const child = spawn(
    process.execPath,
    [
      "--require",
      join(root, "tools", "quick-start", "exit-with-parent.cjs"),
      command,
      "emulator",
      "--state",
      statePath,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  children.add(child);
  const agent = new Agent({ keepAlive: true });
  agents.add(agent);
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
    return { child, url: line.slice(line.lastIndexOf(" ") + 1), agent };
  }
  throw new Error("The emulator ended before it listened.");
}

/** Compares what the emulator has with what it may have, and from then on expects what was found. */
async function compare(url: string, agent: Agent, allowed: Map<string, Allowed>): Promise<void> {
  const { sessions } = (await send(url, agent, "GET", "/_emulator/sessions")) as {
    sessions: { sessionId: string; state: string; labels: Record<string, string> }[];
  };
  const found = new Map(
    sessions.filter(({ state }) => state === "RUNNING").map((each) => [each.sessionId, each.labels["round"]]),
  );
  for (const [sessionId, states] of allowed) {
    expect(states).toContain(found.get(sessionId));
    allowed.set(sessionId, [found.get(sessionId)]);
  }
}

/** One client: makes, labels and releases sessions, each only after the last was acknowledged. @returns how many were */
async function changeUntilGone(url: string, agent: Agent, allowed: Map<string, Allowed>): Promise<number> {
  let acknowledged = 0;
  const own: string[] = [];
  const change = async (sessionId: string, path: string, body: object, after: string | undefined) => {
    const before = allowed.get(sessionId) as Allowed;
    allowed.set(sessionId, [...before, after]);
    await send(url, agent, "POST", path, body);
    allowed.set(sessionId, [after]);
    acknowledged += 1;
  };
  try {
    for (let round = 0; ; round += 1) {
      const sessionId = own[Math.floor(Math.random() * own.length)];
      if (sessionId === undefined || round % 3 === 0) {
        const body = { labels: JSON.stringify({ round: "made" }) };
        const reply = await send(url, agent, "POST", "/mcp/createSession?imageId=agb-code-space-1", body);
        const created = (reply as { data: { sessionId: string } }).data.sessionId;
        allowed.set(created, ["made"]);
        own.push(created);
        acknowledged += 1;
      } else if (round % 3 === 1) {
        const labels = encodeURIComponent(JSON.stringify({ round: String(round) }));
        await change(sessionId, `/sdk/SetLabel?sessionId=${sessionId}&Labels=${labels}`, {}, String(round));
      } else {
        own.splice(own.indexOf(sessionId), 1);
        await change(sessionId, "/mcp/releaseSessionAsync", { sessionId }, undefined);
      }
    }
  } catch (error) {
    if (!(error instanceof ConnectionEnded)) {
      throw error;
    }
    return acknowledged;
  }
}

class ConnectionEnded extends Error {}

/** Rejects with ConnectionEnded when no whole reply arrives, which is all that a kill may cause. */
function send(url: string, agent: Agent, method: string, path: string, body: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new ConnectionEnded());
    const { hostname, port } = new URL(url);
    const headers = { authorization: "Bearer any" };
    const outgoing = request({ agent, hostname, port, method, path, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("error", ended);
      incoming.on("end", () =>
        incoming.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`${method} ${path}: ${text}`)),
      );
    });
    outgoing.on("error", ended);
    outgoing.end(method === "GET" ? "" : JSON.stringify(body));
  });
}
