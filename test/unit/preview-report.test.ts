import fc from "fast-check";
import { codeBlock, link, literal, rowsWithin } from "../../provider/forge/markdown";
import { commentMarker, downReport, sessionLines, type UpReport, upReport } from "../../provider/previews/report";
import { sweepReport } from "../../provider/previews/sweep-report";
import type { StateSession } from "../../provider/pulumi/stack-state";

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("|", "`", "\\", "<", ">", "@", "[", "]", "(", ")", "\n", "\r", "#", "a", " ", "&"),
  }),
);

const session: StateSession = {
  name: "web",
  urn: "urn:pulumi:pr-12::shop::agb:AgbSession::web",
  sessionId: "session-1",
  imageId: "agb-code-space-1",
  labels: { team: "shop", "pulumi-create": "20261122T164726Z-9f86d081884c", "pulumi-stack": "pr-12" },
  idleTimeoutSeconds: undefined,
  isReleased: false,
  isExternal: false,
  service: undefined,
};

function report(more: Partial<UpReport> = {}): string {
  return upReport({
    request: 12,
    commit: "9f3c2e1",
    stack: "pr-12",
    outcome: "ready",
    sessions: [session],
    apps: [],
    job: { url: "https://forge.test/jobs/1?a=(b)", repeatCommand: "gh run rerun 1" },
    ...more,
  });
}

test("the comment has the table, the commit, the lifetime, the command and the job", () => {
  expect(report()).toBe(
    [
      "### The preview environment of request 12 is ready",
      "",
      "| Resource | Session | Image | Labels | Since |",
      "| --- | --- | --- | --- | --- |",
      "| `web` | `session-1` | `agb-code-space-1` | `team=shop` | 2026-11-22 16:47 UTC |",
      "",
      "Commit `9f3c2e1`, stack `pr-12`, created by [this job](https://forge.test/jobs/1?a=%28b%29).",
      "",
      "AGB releases each session after 5 minutes without use, and at the latest 30 minutes after its creation, unless a policy says otherwise.",
      "",
      "A new push recreates it, and so does this command:",
      "",
      "```sh",
      "gh run rerun 1",
      "```",
    ].join("\n"),
  );
});

test("secret labels are shown as [secret], one or all of them, in the comment and in the log", () => {
  const secretLabels: StateSession = { ...session, labels: "[secret]" };
  expect(report({ sessions: [{ ...session, labels: { token: "[secret]" } }] })).toContain("| `token=[secret]` |");
  expect(report({ sessions: [secretLabels] })).toContain("| `[secret]` |  |");
  expect(sessionLines([session, secretLabels])).toEqual([
    "RESOURCE   SESSION     IMAGE              LABELS",
    "web        session-1   agb-code-space-1   team=shop",
    "web        session-1   agb-code-space-1   [secret]",
  ]);
});

test.each([
  ["failed", "could not be created or updated"],
  ["cancelled", "was cancelled before it was ready"],
] as const)("the report of an `up` that %s links to the job and says what exists", (outcome, words) => {
  const text = report({ outcome, sessions: undefined });
  expect(text).toContain(`request 12 ${words}\n\nSee [the job](https://forge.test/jobs/1?a=%28b%29) for the reason.`);
  expect(text).toContain("The sessions are unknown");
  expect(text).not.toContain("AGB releases");
  expect(text).toContain("A new push tries again, and so does this command:\n\n```sh\ngh run rerun 1");
  expect(report({ outcome, job: undefined })).toMatch(/A new push tries again\.$/);
});

test("the log has no table when there are no sessions", () => {
  expect(sessionLines([])).toEqual([]);
});

test("declared idle times are shown", () => {
  const idle = (...seconds: number[]) =>
    report({ sessions: seconds.map((idleTimeoutSeconds) => ({ ...session, idleTimeoutSeconds })) });
  expect(idle(600, 600)).toContain("after 10 minutes without use");
  expect(idle(60)).toContain("after 1 minute without use");
  expect(idle(90)).toContain("after 90 seconds without use");
  expect(idle(60, 600)).toContain("when it has been idle for its idle timeout");
});

test("the comment still reads well without sessions, a job or a command", () => {
  const text = report({ sessions: [], job: undefined });
  expect(text).toContain("There are no sessions.\n\nCommit `9f3c2e1`, stack `pr-12`.\n\nA new push recreates it.");
});

test("a session that AGB has released and that is kept in the state is marked", () => {
  expect(report({ sessions: [{ ...session, isReleased: true }] })).toContain("| `session-1` (released) |");
});

test("the report of a `down` says what is gone", () => {
  const job = { url: "https://forge.test/j", repeatCommand: undefined };
  expect(downReport({ request: 12, stack: "acme/pr-12", job, areSessionsGone: true })).toBe(
    "### The preview environment of request 12 is gone\n\n" +
      "Stack `acme/pr-12` and its sessions were removed by [this job](https://forge.test/j).",
  );
});

test("the report of a `down` gives the reason, if there is one", () => {
  const report = { request: 12, stack: "pr-12", job: undefined, note: "It was idle." };
  expect(downReport({ ...report, areSessionsGone: true })).toMatch(/sessions were removed\.\n\nIt was idle\.$/);
});

test("the report of a `down` says when some sessions may still run", () => {
  const report = { request: 12, stack: "pr-12", job: undefined };
  expect(downReport({ ...report, areSessionsGone: false })).toMatch(/\n\n.*may run until AGB releases them\.$/);
});

test("a comment is found again by its project", () => {
  expect(commentMarker("shop")).not.toBe(commentMarker("shop-2"));
});

test("no value can end its code, its cell or its line", () => {
  fc.assert(
    fc.property(anyText, (value) => {
      expect(literal(value)).toMatch(/^$|^`[^`|\p{Cc}]+`$/u);
    }),
  );
});

test("no value adds a row, a cell or a line to the comment", () => {
  fc.assert(
    fc.property(
      fc.array(anyText, { minLength: 5, maxLength: 5 }),
      ([name = "", id = "", image = "", key = "", value = ""]) => {
        const lines = report({
          sessions: [{ ...session, name, sessionId: id, imageId: image, labels: { [key]: value } }],
        }).split("\n");
        expect(lines).toHaveLength(15);
        expect(lines[4]?.split("|")).toHaveLength(7);
      },
    ),
  );
});

test("the comment stays below the forges' limit, however long its table is", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => ({
    ...session,
    name: `web-${index}`,
    labels: Object.fromEntries(Array.from({ length: 16 }, (__, each) => [`${each}`.repeat(128), "x".repeat(256)])),
  }));
  const text = report({ sessions: many });
  expect(text.length).toBeLessThan(60_000);
  expect(text).toMatch(/^… and \d+ more\.$/m);
});

test("the comment stays below the forges' limit, however many apps there are", () => {
  const app = {
    sessionId: "s".repeat(200),
    port: 30100,
    healthPath: `/${"h".repeat(999)}`,
    command: undefined,
    log: undefined,
  };
  const health = { app, state: "up", reason: "", code: "AGB731" } as const;
  const text = report({ apps: Array.from({ length: 1_000 }, () => health) });
  expect(text.length).toBeLessThan(60_000);
  expect(text).toMatch(/^… and \d+ more\.$/m);
});

test("long values are cut off, whole characters at a time", () => {
  expect(literal("😀".repeat(300))).toBe(`\`${"😀".repeat(199)}…\``);
});

test("a command cannot end its block", () => {
  expect(codeBlock("a\u0007b ```` c", "sh")).toBe("`````sh\nab ```` c\n`````");
});

test("only web addresses become links, and they cannot break out", () => {
  expect(link("job", "javascript:alert(1)")).toBe("job");
  expect(link("job", "not an address")).toBe("job");
  expect(link("job", undefined)).toBe("job");
  expect(link("job", "https://forge.test/a)b](c|`d")).toBe("[job](https://forge.test/a%29b%5D%28c%7C%60d)");
});

test("rows that do not fit are counted", () => {
  expect(rowsWithin(["abc", "def", "ghi"], 8)).toEqual(["abc", "def", "", "… and 1 more."]);
  expect(rowsWithin(["abc", "def"], 8)).toEqual(["abc", "def"]);
});

test("the sweep's summary lists stacks, sessions and what failed, with codes", () => {
  const text = sweepReport(
    {
      stacks: [{ stack: "pr-1", action: "would remove", reason: "its request is closed" }],
      sessions: [
        {
          sessionId: "s-1",
          stack: "pr-2",
          resource: null,
          createdAt: null,
          action: "left",
          reason: "its age is unknown",
          code: "AGB625",
        },
      ],
      failures: [{ text: "Request 3: GitHub says no | `nothing`", code: "AGB712" }],
    },
    false,
  );
  expect(text).toContain("(dry run)");
  expect(text).toContain("| `pr-1` | would remove | `its request is closed` |");
  expect(text).toContain("| `s-1` | `pr-2` |  | left | `its age is unknown` [AGB625] |");
  expect(text).toContain("- `Request 3: GitHub says no \u2223 \u02cbnothing\u02cb` [AGB712]");
  const long = { text: "x".repeat(300), code: "AGB712" } as const;
  expect(sweepReport({ stacks: [], sessions: [], failures: [long] }, true)).toMatch(/…` \[AGB712\]$/);
  expect(sweepReport({ stacks: [], sessions: [], failures: [] }, true)).toContain("No stack of a request exists.");
});
