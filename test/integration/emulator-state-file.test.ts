import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { SessionRecord } from "../../provider/emulator/sessions/session";
import { EmulatorState } from "../../provider/emulator/state/emulator-state";
import { StateFile } from "../../provider/emulator/state/state-file";
import {
  contextCall,
  createContext,
  createId,
  fileUrl,
  getLabels,
  labelsOf,
  list,
  listAll,
  setLabels,
  upload,
} from "../support/emulator-requests";
import { useStateFolder } from "../support/state-folder";

const state = useStateFolder();

const contextFile = {
  fileId: "a",
  contextId: "c",
  path: "/a",
  blob: "x".repeat(32),
  sizeBytes: 1,
  createdAtMs: 0,
  modifiedAtMs: 0,
};

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

/** Removes the state file, and makes a folder in place of the temporary file that would replace it. */
function preventWrites(): void {
  rmSync(state.statePath);
  mkdirSync(`${state.statePath}.tmp`);
}

function allowWrites(): void {
  rmdirSync(`${state.statePath}.tmp`);
}

describe("the file", () => {
  test("is private, leaves no temporary file behind, and its folder is created", async () => {
    state.statePath = join(state.folder, "deeper", "still", "state.json");
    const emulator = await state.start();
    await createId(emulator.url, { team: "a" });
    await emulator.close();

    expect(statSync(state.statePath).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(state.folder, "deeper", "still"))).toEqual(["state.json"]);
  });

  test("holds no access code", async () => {
    const emulator = await state.start();
    await createId(emulator.url);

    expect(readFileSync(state.statePath, "utf8")).not.toMatch(/authcode|resourceUrl/i);
  });

  const head = '{"format":"agb-emulator-state","version":3}\n';
  const line = (kind: string, id: string, value: unknown) => `${JSON.stringify([{ kind, id, value }])}\n`;
  const values = [
    line("nextSequence", "", 1),
    line("emulatorId", "", "abc"),
    line("fileSecret", "", "x".repeat(32)),
    line("clockOffsetMs", "", 0),
  ].join("");

  test.each([
    ["empty", "", "is not valid JSON"],
    ["cut off", '{"format":"agb-emulator-state","version":3', "is not valid JSON"],
    ["somebody else's", '{"name":"package"}', "was not written by this emulator"],
    ["of an earlier version", '{"format":"agb-emulator-state","version":2}\n[]\n', "has version 2"],
    ["of a later version", '{"format":"agb-emulator-state","version":4}\n[]\n', "has version 4"],
    ["without content", head, "is damaged at nextSequence"],
    ["broken in a line", `${head}[{"kind"\n[]\n`, "is damaged at line 2"],
    ["not made of changes", `${head}[]\n[7]\n`, "is damaged at line 3"],
    [
      "damaged in a session",
      head + values + line("sessions", "a", { sessionId: 7 }),
      "is damaged at sessions.a.sessionId",
    ],
    [
      "damaged in a context",
      head + values + line("contexts", "a", { contextId: "a" }),
      "is damaged at contexts.a.sequence",
    ],
    [
      "mixed up",
      head + values + line("contextFiles", "a", { ...contextFile, fileId: "b" }),
      "is damaged at contextFiles.a",
    ],
    [
      "made to lead out of its folder",
      head + values + line("contextFiles", "a", { ...contextFile, blob: "../../etc/passwd" }),
      "is damaged at contextFiles.a.blob",
    ],
  ])("when it is %s is an error that says so, and is left as it is", async (_what, content, problem) => {
    writeFileSync(state.statePath, content);

    await expect(state.start()).rejects.toMatchObject({
      name: "EmulatorStartError",
      code: "STATE_FILE_BROKEN",
      message: expect.stringMatching(new RegExp(`${state.statePath} ${problem}.*delete it`)),
    });
    expect(readFileSync(state.statePath, "utf8")).toBe(content);
    expect(readdirSync(state.folder)).toEqual(["state.json"]);
  });

  test("is appended to, and replaced by a short one when it has grown", async () => {
    const content = new EmulatorState(true);
    const file = new StateFile(state.statePath, content, 10_000);
    let largestBytes = 0;
    let isInodeKept = true;
    try {
      await file.save();
      const inode = statSync(state.statePath).ino;
      for (let round = 0; round < 200; round += 1) {
        content.sessions.clear();
        content.sessions.put(sessionRecord(`session-${round}`));
        await file.save();
        largestBytes = Math.max(largestBytes, statSync(state.statePath).size);
        isInodeKept &&= round > 5 || statSync(state.statePath).ino === inode;
      }
      const read = new EmulatorState(true);
      file.release();
      const again = new StateFile(state.statePath, read);
      await again.open();
      again.release();
      expect(read.allAsChanges()).toEqual(content.allAsChanges());
    } finally {
      file.release();
    }

    expect(isInodeKept).toBe(true);
    expect(largestBytes).toBeGreaterThan(9_000);
    expect(largestBytes).toBeLessThan(12_000);
    expect(statSync(state.statePath).mode & 0o777).toBe(0o600);
  });

  test.each(["", "[", '[{"kind":"sessions","id":"session-a","value":{"sess', "\0\0\0"])(
    "that ends in the commit %j, cut off by a kill, is read up to there and goes on",
    async (rest) => {
      const first = await state.start();
      const kept = await createId(first.url, { team: "a" });
      await first.close();
      writeFileSync(state.statePath, readFileSync(state.statePath, "utf8") + rest);

      const second = await state.start();
      expect(await listAll(second.url)).toEqual([kept]);
      const added = await createId(second.url);
      await second.close();

      expect(await listAll((await state.start()).url)).toEqual([added, kept]);
    },
  );

  test("that somebody deleted or cut meanwhile is written again as a whole", async () => {
    const emulator = await state.start();
    const sessionId = await createId(emulator.url, { team: "a" });

    rmSync(state.statePath);
    await setLabels(emulator.url, sessionId, { team: "b" });
    expect((await state.startOnCopy()).sessions()).toMatchObject([{ sessionId, labels: { team: "b" } }]);

    truncateSync(state.statePath, 60);
    await setLabels(emulator.url, sessionId, { team: "c" });
    expect((await state.startOnCopy()).sessions()).toMatchObject([{ sessionId, labels: { team: "c" } }]);
  });

  test("that cannot be a file is an error that names it", async () => {
    state.statePath = state.folder;

    await expect(state.start()).rejects.toMatchObject({
      code: "STATE_FILE_UNUSABLE",
      message: expect.stringContaining(state.folder),
    });
  });

  test("that can no longer be written makes changes fail, and they are not lost", async () => {
    const emulator = await state.start();
    const sessionId = await createId(emulator.url, { team: "a" });
    preventWrites();

    const answer = await setLabels(emulator.url, sessionId, { team: "b" });

    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ success: false, code: "StateNotSaved" });
    allowWrites();
    expect(await labelsOf(emulator.url, sessionId)).toEqual({ team: "b" });
    expect((await state.startOnCopy()).sessions()).toMatchObject([{ sessionId, labels: { team: "b" } }]);
    preventWrites();
    await setLabels(emulator.url, sessionId, { team: "c" });
    await expect(emulator.close()).rejects.toThrow("state.json");
  });

  test("that can no longer be written makes no reply show what is not on disk", async () => {
    const { url } = await state.start();
    const sessionId = await createId(url, { team: "a" });
    const contextId = await createContext(url, "data");
    await upload(url, contextId, "/a", "old");
    const ofFile = { contextId, filePath: "/a" };
    const [uploadUrl, downloadUrl] = [
      await fileUrl(url, "Upload", contextId, "/a"),
      await fileUrl(url, "Download", contextId, "/a"),
    ];
    preventWrites();

    const statuses = [
      (await fetch(uploadUrl, { method: "PUT", body: "new" })).status,
      (await fetch(downloadUrl)).status,
      (await contextCall(url, "DeleteContextFile", ofFile)).status,
      (await contextCall(url, "DeleteContextFile", ofFile)).status,
      (await fetch(downloadUrl)).status,
      (await setLabels(url, sessionId, { team: "b" })).status,
      (await getLabels(url, sessionId)).status,
      (await list(url)).status,
    ];

    expect(statuses).toEqual(statuses.map(() => 503));
    allowWrites();
    expect((await contextCall(url, "DeleteContextFile", ofFile)).body.code).toBe("InvalidContextFile.NotFound");
    expect((await state.startOnCopy()).contexts()).toMatchObject([{ contextId, files: [] }]);
  });

  test("makes a refusal wait for the change that it comes from", async () => {
    const { url } = await state.start();
    const contextId = await createContext(url, "data");
    await upload(url, contextId, "/a", "text");
    const address = await fileUrl(url, "Download", contextId, "/a");
    const deleteFile = () => contextCall(url, "DeleteContextFile", { contextId, filePath: "/a" });
    const countFiles = async () => (await contextCall(url, "DescribeContextFiles", { contextId })).body.count;
    preventWrites();
    // The next write begins, but ends only when somebody reads.
    execFileSync("mkfifo", [state.statePath]);

    const first = deleteFile();
    while ((await countFiles()) > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const others = [deleteFile(), fetch(address)];
    // These replies come after those of the requests above, if those do not wait.
    await countFiles();
    await countFiles();
    closeSync(openSync(state.statePath, constants.O_RDONLY | constants.O_NONBLOCK));

    const statuses = (await Promise.all([first, ...others])).map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 503]);
  });

  test("is not touched by an emulator that is closed", async () => {
    const emulator = await state.start();
    const sessionId = await createId(emulator.url, { team: "a" });
    await emulator.close();
    const content = readFileSync(state.statePath, "utf8");

    await expect(emulator.setLabels(sessionId, { team: "b" })).rejects.toThrow("closed");

    expect(readFileSync(state.statePath, "utf8")).toBe(content);
  });
});
