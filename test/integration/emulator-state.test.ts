import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, type EmulatorOptions, ManualClock, startEmulator } from "../../provider/emulator";
import type { SessionRecord } from "../../provider/emulator/session";
import { StateFile } from "../../provider/emulator/state-file";
import type { StoredState } from "../../provider/emulator/store";
import {
  ask,
  create,
  createId,
  keepAlive,
  labelsOf,
  listAll,
  release,
  setLabels,
  status,
} from "../support/emulator-requests";

let folder: string;
let statePath: string;
const running: Emulator[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agb-emulator-"));
  statePath = join(folder, "state.json");
});
afterEach(async () => {
  await Promise.allSettled(running.splice(0).map((emulator) => emulator.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ statePath, ...options });
  running.push(emulator);
  return emulator;
}

function sessionRecord(sessionId: string): SessionRecord {
  return {
    sessionId,
    sequence: 1,
    imageId: "agb-code-space-1",
    labels: {},
    appInstanceId: "ai-a",
    resourceId: "p-a",
    idleTimeoutSeconds: 300,
    maximumLifetimeSeconds: 1800,
    createdAtMs: 0,
    lastActivityAtMs: 0,
  };
}

/** Starts an emulator on a copy of the state file, as it would find it had the first one been killed at this moment. */
async function startOnCopy(options: EmulatorOptions = {}): Promise<Emulator> {
  const copyPath = join(folder, `copy-${running.length}.json`);
  writeFileSync(copyPath, readFileSync(statePath));
  return start({ ...options, statePath: copyPath });
}

describe("the id of an emulator", () => {
  const idIn = async (url: string, key?: string) =>
    (
      await ask(url, "POST", "/mcp/getSession", { body: { sessionId: "none" }, ...(key !== undefined && { key }) })
    ).headers.get("x-agb-emulator-id");

  test("is in every reply, also in failures, and the same after a restart, a reset and a kill at any moment", async () => {
    const first = await start();
    const id = await idIn(first.url);
    expect(id).toMatch(/^[a-z0-9]{12}$/);
    // Killed before anything was asked of it, the file has the id already.
    expect(await idIn((await startOnCopy()).url)).toBe(id);
    first.setApiKeys(["other"]);
    expect(await idIn(first.url)).toBe(id);
    first.addFault({ operation: "*", answer: { status: 503 } });
    expect(await idIn(first.url, "other")).toBe(id);
    await first.reset();
    await first.close();

    expect(await idIn((await start()).url)).toBe(id);
  });

  test("is another one for another state file, and there is none without", async () => {
    const first = await start();
    const second = await start({ statePath: join(folder, "other.json") });
    expect(await idIn(second.url)).not.toBe(await idIn(first.url));

    expect(await idIn((await start({ statePath: undefined } as never)).url)).toBeNull();
  });
});

test("a restart keeps sessions, labels and order", async () => {
  const clock = new ManualClock();
  const first = await start({ clock });
  const ids: string[] = [];
  for (const team of ["a", "b", "__proto__"]) {
    ids.push(await createId(first.url, JSON.parse(`{"team":"${team}","__proto__":"own","ü":"🙂"}`)));
  }
  const before = first.sessions();
  await first.close();

  const second = await start({ clock });

  expect(second.sessions()).toEqual(before);
  expect(await listAll(second.url)).toEqual(ids.reverse());
  expect(Object.entries(await labelsOf(second.url, ids[0] as string))).toEqual([
    ["team", "__proto__"],
    ["__proto__", "own"],
    ["ü", "🙂"],
  ]);
  const newest = await createId(second.url);
  expect((await listAll(second.url))[0]).toBe(newest);
});

test("every acknowledged change is on disk at once", async () => {
  const clock = new ManualClock();
  const first = await start({ clock });
  const url = first.url;

  const kept = await createId(url, { team: "a" });
  expect((await startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await setLabels(url, kept, { team: "b" });
  expect((await startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  clock.advance(1_000);
  await keepAlive(url, kept);
  expect((await startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await first.setLabels(kept, { team: "c" });
  expect((await startOnCopy({ clock })).sessions()).toEqual(first.sessions());
  await release(url, kept);
  expect((await startOnCopy({ clock })).sessions()).toMatchObject([{ sessionId: kept, state: "DELETING" }]);
  await first.reset();
  expect((await startOnCopy({ clock })).sessions()).toEqual([]);
});

test("many changes at once are all on disk when they are acknowledged", async () => {
  const first = await start();

  await Promise.all(Array.from({ length: 200 }, () => create(first.url)));

  expect(await listAll((await startOnCopy()).url, { maxResults: "100" })).toEqual(
    await listAll(first.url, { maxResults: "100" }),
  );
});

test("a session that is being released stays so over a restart, and then is gone for good", async () => {
  const clock = new ManualClock();
  const first = await start({ clock });
  const sessionId = await createId(first.url);
  await release(first.url, sessionId);
  await first.close();

  const second = await start({ clock });
  expect(await status(second.url, sessionId)).toBe("DELETING");
  clock.advance(200);
  expect(await status(second.url, sessionId)).toBe("InvalidMcpSession.NotFound");
  await second.close();

  expect((await start({ clock })).sessions()).toEqual([]);
});

test("idle time runs on while the emulator is not running", async () => {
  const clock = new ManualClock();
  const first = await start({ clock });
  const short = await createId(first.url, {}, { timeout: 60 });
  const long = await createId(first.url, {}, { timeout: 600 });
  await first.close();

  clock.advance(120_000);
  const second = await start({ clock, defaultIdleTimeoutSeconds: 1, maximumLifetimeSeconds: 1 });

  expect(await status(second.url, short)).toBe("InvalidMcpSession.NotFound");
  expect(await listAll(second.url)).toEqual([long]);
});

test("a released session does not come back when the clock is set back", async () => {
  let nowMs = 1_000_000;
  const first = await start({ clock: { now: () => nowMs } });
  const idle = await createId(first.url, {}, { timeout: 60 });
  const gone = await createId(first.url, {}, { timeout: 30 });
  nowMs += 60_000;
  expect(await status(first.url, idle)).toBe("DELETING");
  expect(await status(first.url, gone)).toBe("InvalidMcpSession.NotFound");
  nowMs -= 60_000;

  expect(await listAll(first.url)).toEqual([]);
  expect(await status(first.url, gone)).toBe("InvalidMcpSession.NotFound");
});

describe("the file", () => {
  test("is private, leaves no temporary file behind, and its folder is made", async () => {
    statePath = join(folder, "deeper", "still", "state.json");
    const emulator = await start();
    await createId(emulator.url, { team: "a" });
    await emulator.close();

    expect(statSync(statePath).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "deeper", "still"))).toEqual(["state.json"]);
  });

  test("holds no access code", async () => {
    const emulator = await start();
    await createId(emulator.url);

    expect(readFileSync(statePath, "utf8")).not.toMatch(/authcode|resourceUrl/i);
  });

  test.each([
    ["empty", "", "is not valid JSON"],
    ["cut off", '{"format":"agb-emulator-state","version":1,"sess', "is not valid JSON"],
    ["somebody else's", '{"name":"package"}', "was not written by this emulator"],
    ["of a later version", '{"format":"agb-emulator-state","version":3}\n[]\n', "has version 3"],
    ["without its end", '{"format":"agb-emulator-state","version":2}\n', "is damaged at nextSequence"],
    ["broken in a line", '{"format":"agb-emulator-state","version":2}\n[{"kind"\n[]\n', "is damaged at line 2"],
    ["not made of changes", '{"format":"agb-emulator-state","version":2}\n[]\n[7]\n', "is damaged at line 3"],
    [
      "damaged",
      '{"format":"agb-emulator-state","version":1,"nextSequence":1,"sessions":[{"sessionId":7}]}',
      "is damaged at sessions.0.sessionId",
    ],
  ])("when it is %s is an error that says so, and is left as it is", async (_what, content, problem) => {
    writeFileSync(statePath, content);

    await expect(start()).rejects.toMatchObject({
      name: "EmulatorStartError",
      code: "STATE_FILE_BROKEN",
      message: expect.stringMatching(new RegExp(`${statePath} ${problem}.*delete it`)),
    });
    expect(readFileSync(statePath, "utf8")).toBe(content);
    expect(readdirSync(folder)).toEqual(["state.json"]);
  });

  test("is added to, and becomes short again when it has grown", async () => {
    let sessions: StoredState["sessions"] = [];
    const file = new StateFile(statePath, () => ({ nextSequence: 1, sessions }), 10_000);
    let largestBytes = 0;
    let isInodeKept = true;
    try {
      await file.save();
      const inode = statSync(statePath).ino;
      for (let round = 0; round < 200; round += 1) {
        sessions = [sessionRecord(`session-${round}`)];
        await file.save();
        largestBytes = Math.max(largestBytes, statSync(statePath).size);
        isInodeKept &&= round > 5 || statSync(statePath).ino === inode;
      }
      expect(file.load()).toMatchObject({ sessions });
    } finally {
      await file.close();
    }

    expect(isInodeKept).toBe(true);
    expect(largestBytes).toBeGreaterThan(9_000);
    expect(largestBytes).toBeLessThan(12_000);
    expect(statSync(statePath).mode & 0o777).toBe(0o600);
  });

  test.each(["", "[", '[{"kind":"sessions","id":"session-a","value":{"sess', "\0\0\0"])(
    "that ends in the commit %j, cut off by a kill, is read up to there and goes on",
    async (rest) => {
      const first = await start();
      const kept = await createId(first.url, { team: "a" });
      await first.close();
      writeFileSync(statePath, readFileSync(statePath, "utf8") + rest);

      const second = await start();
      expect(await listAll(second.url)).toEqual([kept]);
      const added = await createId(second.url);
      await second.close();

      expect(await listAll((await start()).url)).toEqual([added, kept]);
    },
  );

  test("of an emulator that wrote the whole state as one object is read", async () => {
    const record = { ...sessionRecord("session-old"), createdAtMs: Date.now(), lastActivityAtMs: Date.now() };
    const head = '{"format":"agb-emulator-state","version":1,"nextSequence":7,"sessions":[';
    writeFileSync(statePath, `${head}\n${JSON.stringify(record)}\n]}\n`, { mode: 0o644 });

    const emulator = await start();
    const newer = await createId(emulator.url);
    expect(await listAll(emulator.url)).toEqual([newer, "session-old"]);
    await emulator.close();

    expect(statSync(statePath).mode & 0o777).toBe(0o600);
    expect(await listAll((await start()).url)).toEqual([newer, "session-old"]);
  });

  test("that somebody deleted or cut meanwhile is written whole again", async () => {
    const emulator = await start();
    const sessionId = await createId(emulator.url, { team: "a" });

    rmSync(statePath);
    await setLabels(emulator.url, sessionId, { team: "b" });
    expect((await startOnCopy()).sessions()).toMatchObject([{ sessionId, labels: { team: "b" } }]);

    truncateSync(statePath, 60);
    await setLabels(emulator.url, sessionId, { team: "c" });
    expect((await startOnCopy()).sessions()).toMatchObject([{ sessionId, labels: { team: "c" } }]);
  });

  test("that cannot be one is an error that names it", async () => {
    statePath = folder;

    await expect(start()).rejects.toMatchObject({
      code: "STATE_FILE_UNUSABLE",
      message: expect.stringContaining(folder),
    });
  });

  test("that can no longer be written makes changes fail, not vanish", async () => {
    const emulator = await start();
    const sessionId = await createId(emulator.url, { team: "a" });
    rmSync(folder, { recursive: true });

    const answer = await setLabels(emulator.url, sessionId, { team: "b" });
    const read = await labelsOf(emulator.url, sessionId);

    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ success: false, code: "StateNotSaved" });
    expect(read).toEqual({ team: "b" });
    await expect(emulator.close()).rejects.toThrow("state.json");
  });

  test("is not touched by an emulator that is closed", async () => {
    const emulator = await start();
    const sessionId = await createId(emulator.url, { team: "a" });
    await emulator.close();
    const content = readFileSync(statePath, "utf8");

    await expect(emulator.setLabels(sessionId, { team: "b" })).rejects.toThrow("closed");

    expect(readFileSync(statePath, "utf8")).toBe(content);
  });
});

describe("the lock", () => {
  const hasProcessTimes = existsSync("/proc/self/stat");

  test("refuses a second emulator, naming file and process", async () => {
    await start();

    await expect(start()).rejects.toMatchObject({
      code: "STATE_FILE_IN_USE",
      message: expect.stringMatching(new RegExp(`${statePath} .*process ${process.pid}`)),
    });
  });

  test("is found under another name of the file", async () => {
    await (await start()).close();
    const link = join(folder, "link.json");
    symlinkSync(statePath, link);
    await start();

    await expect(start({ statePath: link })).rejects.toMatchObject({ code: "STATE_FILE_IN_USE" });
  });

  test("is given back by close, and by a start that fails", async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);
    const otherPath = join(folder, "other.json");
    await expect(start({ statePath: otherPath, port })).rejects.toMatchObject({ code: "PORT_UNAVAILABLE" });
    await first.close();

    await start();
    await start({ statePath: otherPath });
  });

  test("of a process that is gone is taken over", async () => {
    // The largest process id of Linux is 2^22.
    writeFileSync(`${statePath}.lock`, JSON.stringify({ pid: 2 ** 22 + 1 }));

    await start();

    expect(JSON.parse(readFileSync(`${statePath}.lock`, "utf8")).pid).toBe(process.pid);
    expect(readdirSync(folder).sort()).toEqual(["state.json", "state.json.lock"]);
  });

  (hasProcessTimes ? test : test.skip)("of an earlier process with the same number is taken over", async () => {
    writeFileSync(`${statePath}.lock`, JSON.stringify({ pid: process.pid, processStart: "1" }));

    await expect(start()).resolves.toBeDefined();
  });

  (hasProcessTimes ? test : test.skip)("of a process that is dead but not buried is taken over", async () => {
    // The shell turns into a `sleep` that never asks for its child's exit code; the child ends only when it has.
    const child = "sh -c 'until grep -q sleep /proc/$PPID/comm; do :; done'";
    const shell = spawn("sh", ["-c", `${child} & echo $!; exec sleep 60`], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [printed] = await once(shell.stdout, "data");
      const pid = Number(String(printed));
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      writeFileSync(`${statePath}.lock`, JSON.stringify({ pid }));

      await expect(start()).resolves.toBeDefined();
    } finally {
      shell.kill("SIGKILL");
      await once(shell, "exit");
    }
  });

  test("that says nothing readable is left to its owner to delete", async () => {
    writeFileSync(`${statePath}.lock`, "{");

    await expect(start()).rejects.toThrow(/state\.json\.lock.*delete/);
  });

  test("that is empty, as an earlier version left it on a full disk, is taken over", async () => {
    writeFileSync(`${statePath}.lock`, "");

    await expect(start()).resolves.toBeDefined();
  });
});
