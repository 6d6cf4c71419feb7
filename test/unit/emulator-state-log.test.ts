import { changePerLine, commitLine, readCommits } from "../../provider/emulator/state/state-log";

function read(text: string): unknown {
  const result = readCommits(text.split("\n").slice(0, -1));
  if (!("logged" in result)) {
    return result;
  }
  return Object.fromEntries([...result.logged].map(([kind, entries]) => [kind, [...entries]]));
}

const session = JSON.parse('{"labels":{"__proto__":"own","line":"a\\nb"}}');
const first = [
  { kind: "nextSequence", id: "", value: 3 },
  { kind: "sessions", id: "a", value: session },
  { kind: "sessions", id: "b", value: 1 },
];

test("a whole state has a line for each change and is read back", () => {
  const text = changePerLine(first);

  expect(text.trimEnd().split("\n")).toHaveLength(3);
  expect(read(text)).toEqual({
    nextSequence: [["", 3]],
    sessions: [
      ["a", session],
      ["b", 1],
    ],
  });
});

test("a commit is one line; what it replaces comes last, what has no value is gone", () => {
  const commit = commitLine([
    { kind: "sessions", id: "a", value: 2 },
    { kind: "sessions", id: "c", value: 3 },
    { kind: "sessions", id: "b" },
  ]);

  expect(commit.trimEnd().split("\n")).toHaveLength(1);
  expect(read(changePerLine(first) + commit)).toEqual({
    nextSequence: [["", 3]],
    sessions: [
      ["a", 2],
      ["c", 3],
    ],
  });
});

test("no changes are no line", () => {
  expect(commitLine([])).toBe("");
});

test.each(['[{"kind":7,"id":""}]', "{}", "[7]", '[{"kind"'])(
  "the damaged line %s is reported by its number",
  (line) => {
    expect(read(`${line}\n${changePerLine(first)}`)).toEqual({ damagedLine: 2 });
    expect(read(`${changePerLine(first)}${line}\n`)).toEqual({ damagedLine: 5 });
  },
);
