import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

// The build without the command line, because a hundred starts have to be quick. `npm test` builds first.
const root = join(__dirname, "..", "..");
const emulatorModule = join(root, "dist", "emulator", "index.js");
const program = `
  const { startEmulator } = require(${JSON.stringify(emulatorModule)});
  startEmulator({ statePath: process.argv[1] }).then(({ url }) => console.log(url));
`;
const chainCount = 2;
const killsPerChain = 50;
const clientCount = 6;
const longestLoadMs = 60;

const children = new Set<ChildProcess>();
const agents = new Set<Agent>();
let folder: string;
let isOver = false;

beforeAll(() => {
  if (!existsSync(emulatorModule)) {
    throw new Error(`${emulatorModule} is missing. Run npm run build.`);
  }
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
});
afterAll(() => {
  // When one chain has failed, the other one must not start more processes.
  isOver = true;
  for (const child of children) {
    child.kill("SIGKILL");
  }
  for (const agent of agents) {
    agent.destroy();
  }
  rmSync(folder, { recursive: true, force: true });
});

/**
 * What may be found of a session or file after a kill: its label or content as last acknowledged, or as an unanswered
 * request may have left it; undefined for gone.
 */
type Allowed = (string | undefined)[];

test("a kill at any of a hundred moments under load loses nothing acknowledged", async () => {
  const killed = await Promise.all(
    Array.from({ length: chainCount }, (_, index) => killAgainAndAgain(`state-${index}`)),
  );

  expect(killed).toEqual(new Array(chainCount).fill(killsPerChain));
}, 600_000);

async function killAgainAndAgain(name: string): Promise<number> {
  const allowed = new Map<string, Allowed>();
  const allowedFiles = new Map<string, Allowed>();
  let kills = 0;
  let acknowledgedInAll = 0;
  while (kills < killsPerChain && !isOver) {
    const emulator = await startBuilt(join(folder, `${name}.json`));
    await compare(emulator.url, emulator.agent, allowed);
    const contextId = await compareFiles(emulator.url, emulator.agent, allowedFiles);
    const { url, agent } = emulator;
    const busy = countdown(2);
    const load = Array.from({ length: clientCount }, () => changeUntilGone(url, agent, allowed, busy.count));
    load.push(...[1, 2].map((client) => changeFilesUntilGone(url, agent, contextId, client, allowedFiles, busy.count)));
    // A random moment is the point of the test. On a busy machine it may be too early for any change.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * longestLoadMs));
    await Promise.race([busy.done, Promise.all(load)]);
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
  await compareFiles(last.url, last.agent, allowedFiles);
  last.child.kill("SIGKILL");
  return kills;
}

/** Resolves when something has been counted so many times. */
function countdown(times: number): { readonly done: Promise<void>; count(): void } {
  let left = times;
  let resolve: () => void = () => undefined;
  const done = new Promise<void>((end) => {
    resolve = end;
  });
  return {
    done,
    count: () => {
      left -= 1;
      if (left === 0) {
        resolve();
      }
    },
  };
}

async function startBuilt(statePath: string): Promise<{ child: ChildProcess; url: string; agent: Agent }> {
  const child = spawn(
    process.execPath,
    ["--require", join(root, "tools", "quick-start", "exit-with-parent.cjs"), "-e", program, statePath],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  children.add(child);
  const agent = new Agent({ keepAlive: true });
  agents.add(agent);
  for await (const line of createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })) {
    return { child, url: line, agent };
  }
  throw new Error("The emulator ended before it listened.");
}

/** Compares what the emulator has with what it may have, and afterwards expects what was found. */
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

/** Compares the files of the context with what it may have. @returns the context's id */
async function compareFiles(url: string, agent: Agent, allowed: Map<string, Allowed>): Promise<string> {
  const created = await send(url, agent, "GET", "/sdk/GetContext?name=data&allowCreate=true");
  const contextId = (created as { data: { id: string } }).data.id;
  for (const [path, contents] of allowed) {
    const address = await fileAddress(url, agent, "Download", contextId, path);
    const answer = await exchange(url, agent, "GET", address);
    const found = answer.status === 200 ? answer.text : undefined;
    expect([path, contents.includes(found)]).toEqual([path, true]);
    allowed.set(path, [found]);
  }
  return contextId;
}

/** One client: uploads and deletes five files in turn. @returns how many changes were acknowledged */
async function changeFilesUntilGone(
  url: string,
  agent: Agent,
  contextId: string,
  client: number,
  allowed: Map<string, Allowed>,
  onAcknowledged: () => void,
): Promise<number> {
  let acknowledged = 0;
  try {
    for (let round = 0; ; round += 1) {
      const path = `/${client}-${round % 5}`;
      const content = round % 3 === 2 ? undefined : `${Math.random()} `.repeat(500);
      const before = allowed.get(path) ?? [undefined];
      const upload = content === undefined ? "" : await fileAddress(url, agent, "Upload", contextId, path);
      allowed.set(path, [...before, content]);
      if (content !== undefined) {
        expect((await exchange(url, agent, "PUT", upload, content)).status).toBe(200);
      } else {
        await exchange(url, agent, "POST", `/sdk/DeleteContextFile?contextId=${contextId}&filePath=${path}`);
      }
      allowed.set(path, [content]);
      acknowledged += 1;
      onAcknowledged();
    }
  } catch (error) {
    if (!(error instanceof ConnectionEnded)) {
      throw error;
    }
    return acknowledged;
  }
}

async function fileAddress(url: string, agent: Agent, way: "Upload" | "Download", contextId: string, path: string) {
  const query = `contextId=${contextId}&filePath=${path}`;
  const reply = await send(url, agent, "POST", `/sdk/GetContextFile${way}Url?${query}`);
  const address = new URL((reply as { data: { url: string } }).data.url);
  return `${address.pathname}${address.search}`;
}

/** One client: creates, labels and releases sessions, each only after the last was acknowledged. @returns how many were */
async function changeUntilGone(
  url: string,
  agent: Agent,
  allowed: Map<string, Allowed>,
  onAcknowledged: () => void,
): Promise<number> {
  let acknowledged = 0;
  const own: string[] = [];
  const change = async (sessionId: string, path: string, body: object, after: string | undefined) => {
    const before = allowed.get(sessionId) as Allowed;
    allowed.set(sessionId, [...before, after]);
    await send(url, agent, "POST", path, body);
    allowed.set(sessionId, [after]);
    acknowledged += 1;
    onAcknowledged();
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
        onAcknowledged();
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

/** Rejects if the reply is not HTTP 200, or as `exchange` does. */
async function send(url: string, agent: Agent, method: string, path: string, body: object = {}): Promise<unknown> {
  const { status, text } = await exchange(url, agent, method, path, method === "GET" ? "" : JSON.stringify(body));
  if (status !== 200) {
    throw new Error(`${method} ${path}: ${text}`);
  }
  return JSON.parse(text);
}

/** Rejects with ConnectionEnded when no whole reply arrives, which is all that a kill may cause. */
function exchange(
  url: string,
  agent: Agent,
  method: string,
  path: string,
  body = "",
): Promise<{ status: number; text: string }> {
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
      incoming.on("end", () => (incoming.complete ? resolve({ status: incoming.statusCode ?? 0, text }) : ended()));
    });
    outgoing.on("error", ended);
    outgoing.end(body);
  });
}
