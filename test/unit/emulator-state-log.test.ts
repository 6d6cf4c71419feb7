import { readCommits, writeCommit, writeWhole } from "../../provider/emulator/state-log";
import type { StoredState } from "../../provider/emulator/store";

function session(sessionId: string, label: string) {
  return {
    sessionId,
    sequence: 1,
    imageId: "agb-code-space-1",
    labels: JSON.parse(`{"__proto__":${JSON.stringify(label)},"line":"a\\nb"}`),
    appInstanceId: "ai-a",
    resourceId: "p-a",
    idleTimeoutSeconds: 300,
    maximumLifetimeSeconds: 1800,
    createdAtMs: 1,
    lastActivityAtMs: 1,
  };
}

function read(text: string): unknown {
  const result = readCommits(text.split("\n").slice(0, -1));
  return "state" in result ? result.state : result;
}

const [a, b, c] = [session("a", "1"), session("b", "1"), session("c", "1")];
const first: StoredState = { nextSequence: 3, clockOffsetMs: 0, sessions: [a, b] };

test("a whole state is read back", () => {
  expect(read(writeWhole(first).text)).toEqual(first);
});

test("a commit holds only what changed, in one line, and brings the log to the new state", () => {
  const { text, logged } = writeWhole(first);
  const changed = session("b", "2");
  const second: StoredState = { nextSequence: 4, clockOffsetMs: 0, sessions: [changed, c] };

  const commit = writeCommit(logged, second);

  expect(commit.trimEnd().split("\n")).toHaveLength(1);
  expect(JSON.parse(commit)).toEqual([
    { kind: "nextSequence", id: "", value: 4 },
    { kind: "sessions", id: "b", value: changed },
    { kind: "sessions", id: "c", value: c },
    { kind: "sessions", id: "a" },
  ]);
  expect(read(text + commit)).toEqual(second);
  expect(writeCommit(logged, second)).toBe("");
  const third = { ...second, sessions: [] };
  expect(read(text + commit + writeCommit(logged, third))).toEqual(third);
});

test("a damaged line is told by its number in the file", () => {
  const { text } = writeWhole(first);

  expect(read(`${text}[{"kind":7,"id":""}]\n`)).toEqual({ damagedLine: 6 });
  expect(read(`{}\n${text}`)).toEqual({ damagedLine: 2 });
});
