import { existsSync } from "node:fs";
import { linkedPorts } from "../../provider/api/linked-ports";
import { findBlocksOfTest } from "../docs/code-blocks";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { createId } from "../support/emulator-requests";
import { testWithTerminal } from "../support/pseudo-terminal";
import { hosts } from "../support/resource-hosts";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";
import { openEmulator, otherStackId, ownLabels, stackId, stackOf } from "../support/sweep-command";
import { openTerminal } from "../support/terminal-command";

jest.setTimeout(180_000);

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

describe("sessions list", () => {
  test("shows a table with age, owner and the own labels, newest first", async () => {
    const { emulator, make } = await openEmulator();
    const old = await make(ownLabels(125, { team: "web", tier: "1" }));
    const young = await make(ownLabels(3, { "pulumi-resource": "日本" }));
    const foreign = await make({ team: "core" });
    const { run } = await openTerminal(emulator.url);

    const { exitCode, stdout, stderr } = await run("sessions", "list");

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      [
        `SESSION ID                          STATUS    AGE   STACK      RESOURCE   LABELS`,
        `${young}   RUNNING   3m    shop/dev   日本       -`,
        `${old}   RUNNING   2h    shop/dev   web        team=web,tier=1`,
        `${foreign}   RUNNING   -     -          -          team=core`,
        "",
      ].join("\n"),
    );
  });

  test("--output json is a list of the documented shape, and --output ids has one id per line", async () => {
    const { emulator, make } = await openEmulator();
    const labels = ownLabels(3, { team: "web" });
    const owned = await make(labels);
    const foreign = await make({});
    const { run } = await openTerminal(emulator.url);

    const listed = JSON.parse((await run("sessions", "list", "--output", "json")).stdout);
    expect(listed).toEqual([
      {
        sessionId: owned,
        status: "RUNNING",
        createdAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:]+\.000Z$/),
        owner: { project: "shop", stack: "dev", stackId, resource: "web" },
        labels,
      },
      { sessionId: foreign, status: "RUNNING", createdAt: null, owner: null, labels: {} },
    ]);
    expect(lines((await run("sessions", "list", "--output", "ids")).stdout).sort()).toEqual([owned, foreign].sort());
  });

  test("every label of the filter must match, and a filter that matches nothing is a success with empty output", async () => {
    const { emulator, make } = await openEmulator();
    const both = await make({ team: "web", tier: "1" });
    await make({ team: "web", tier: "2" });
    const { run } = await openTerminal(emulator.url);
    const list = (...more: string[]) => run("sessions", "list", "--label", "team=web", "--label", ...more);

    expect((await list("tier=1", "--output", "ids")).stdout).toBe(`${both}\n`);
    const note = "note: No session matches --label team=web --label tier=3.\n";
    expect(await list("tier=3")).toEqual({ exitCode: 0, stdout: "", stderr: note });
    expect(await list("tier=3", "--output", "ids")).toEqual({ exitCode: 0, stdout: "", stderr: note });
    expect(await list("tier=3", "--output", "json")).toEqual({ exitCode: 0, stdout: "[]\n", stderr: note });
  });

  test("of 1,000 sessions it shows 50 and says how many there are; --all reads every page", async () => {
    const emulator = await startTestEmulator();
    for (let count = 0; count < 1_000; count += 1) {
      await createId(emulator.url, { team: "web", count: String(count) }, {}, testKey);
    }
    const calls = () => ({ ...emulator.requestCounts() });
    const { run } = await openTerminal(emulator.url);

    const first = await run("sessions", "list");
    expect(lines(first.stdout)).toHaveLength(51);
    expect(first.stderr).toBe("note: These are 50 of 1000 sessions. Add --all to list every one.\n");
    expect(calls()["ListSession"]).toBe(1);
    expect(calls()["GetLabel"]).toBeLessThanOrEqual(60);

    const before = calls();
    const ids = await run("sessions", "list", "--all", "--output", "ids");
    expect(new Set(lines(ids.stdout)).size).toBe(1_000);
    expect(ids.stderr).toBe("");
    expect(calls()["ListSession"]).toBe((before["ListSession"] ?? 0) + 10);
    expect(calls()["GetLabel"]).toBe(before["GetLabel"]);

    const all = await run("sessions", "list", "--all", "--label", "team=web", "--output", "json");
    const numbers = JSON.parse(all.stdout).map(({ labels }: { labels: Record<string, string> }) => labels["count"]);
    expect(new Set(numbers).size).toBe(1_000);
  });

  test("a session whose labels cannot be read is reported, the others are listed, and the exit code is 1", async () => {
    const server = await startScriptedServer(({ path, query }, response) => {
      const data = [{ sessionId: "session-1" }, { sessionId: "session-2", sessionStatus: "RUNNING" }];
      const labels = query["sessionId"] === "session-1" ? { nested: { a: 1 } } : { a: "1" };
      sendSuccess(response, { data: path.endsWith("ListSession") ? data : { labels: JSON.stringify(labels) } });
    });
    const { run } = await openTerminal(server.url);
    const { exitCode, stdout, stderr } = await run("sessions", "list", "--output", "json");
    expect(JSON.parse(stdout).map(({ sessionId }: { sessionId: string }) => sessionId)).toEqual(["session-2"]);
    expect(stderr).toMatch(/^failed: session-1: unexpected reply to GetLabel: .* \[AGB306\]$/m);
    expect(exitCode).toBe(1);
  });

  test("a list without a count still says that there is more", async () => {
    const server = await startScriptedServer(({ path }, response) => {
      const data = Array.from({ length: 60 }, (_, index) => ({
        sessionId: `session-${index}`,
        sessionStatus: "RUNNING",
      }));
      sendSuccess(response, path.endsWith("ListSession") ? { data, count: "many" } : { data: { labels: "{}" } });
    });
    const { run } = await openTerminal(server.url);
    expect((await run("sessions", "list")).stderr).toBe(
      "note: These are the first 50 sessions. Add --all to list every one.\n",
    );
  });

  test("a reader that stops reading ends it without a message", async () => {
    const emulator = await startTestEmulator();
    for (let count = 0; count < 60; count += 1) {
      await createId(emulator.url, { padding: "x".repeat(250), count: String(count) }, {}, testKey);
    }
    const { sh } = await openTerminal(emulator.url);
    const { stdout, stderr } = await sh(
      "pulumi-agb sessions list --all --output json 2>errors | head -1; cat errors >&2",
    );
    expect({ stdout, stderr }).toEqual({ stdout: "[\n", stderr: "" });
  });

  test("labels of other tools act on neither a terminal nor a CI system", async () => {
    const { emulator, make } = await openEmulator();
    const resource = "\u001b[2J\r\n::add-mask::x\u202e\u009b1m ##[group]";
    const id = await make(ownLabels(3, { "pulumi-resource": resource, [resource]: resource }));
    const { run } = await openTerminal(emulator.url);
    for (const parameters of [["list"], ["list", "--output", "json"], ["show", id], ["show", id, "--output", "json"]]) {
      const { exitCode, stdout, stderr } = await run("sessions", ...parameters);
      expect(exitCode).toBe(0);
      expect(stdout + stderr).not.toMatch(/[^\P{C}\n]|^\s*::|##\[/mu);
    }
  });

  test("colours are only for terminals, unless FORCE_COLOR asks for them; NO_COLOR wins", async () => {
    const { emulator, make } = await openEmulator();
    await make({});
    const { runWith } = await openTerminal(emulator.url);
    const listWith = async (environment: Record<string, string>) =>
      (await runWith(environment, "sessions", "list")).stdout;
    expect(await listWith({})).not.toContain("\u001b");
    expect(await listWith({ FORCE_COLOR: "1" })).toContain("\u001b[32mRUNNING\u001b[39m   ");
    expect(await listWith({ FORCE_COLOR: "1", NO_COLOR: "1" })).not.toContain("\u001b");
  });
});

test("the documentation shows the table and the JSON as they are", async () => {
  const [table, json] = findBlocksOfTest("test/integration/sessions-command.test.ts").map(({ code }) => code);
  const { emulator, make } = await openEmulator();
  await make(ownLabels(3, { team: "storefront" }));
  const { run } = await openTerminal(emulator.url);
  const columns = (line = "") => line.trim().split(/ {2,}/).length;

  const [head, row] = lines((await run("sessions", "list")).stdout);
  const [shownHead, ...shownRows] = lines(table ?? "");
  expect(shownHead).toBe(head);
  expect(shownRows.map(columns)).toEqual(shownRows.map(() => columns(row)));

  const [listed] = JSON.parse((await run("sessions", "list", "--output", "json")).stdout);
  const [shown] = JSON.parse(json ?? "");
  expect(Object.keys(shown)).toEqual(Object.keys(listed));
  expect(Object.keys(shown.owner)).toEqual(Object.keys(listed.owner));
});

describe.each(hosts)("--stack, with the host %s,", (host) => {
  const { ownLabels, stateRow, stateWith, exportOf } = stackOf(host);

  test("lists only the sessions with the stack's id, with the stack's settings, and hides its secret labels", async () => {
    const { emulator, make } = await openEmulator();
    const own = await make(ownLabels(5, { team: "web", token: "s3cret" }));
    const hidden = await make(ownLabels(6, { token: "s3cret" }));
    await make(ownLabels(5, { "pulumi-stack-id": otherStackId }));
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "x" };
    const state = stateWith([
      stateRow(own, { team: "web", token: secret as never }, emulator.url),
      stateRow(hidden, secret as never, emulator.url),
    ]);
    const config = { "agb:apiKey": testKey, "agb:endpoint": emulator.url };
    const { runWith } = await openTerminal("http://127.0.0.1:9", { state, config });
    const list = (output: string) =>
      runWith({ AGB_API_KEY: "wrong" }, "sessions", "list", "--stack", "dev", "--output", output);

    const { stdout, stderr } = await list("table");
    expect(stderr).toBe("");
    expect(lines(stdout)).toHaveLength(3);
    expect(stdout).toContain("team=web,token=[secret]");
    expect((await list("json")).stdout).not.toContain("s3cret");
  });

  test("--resource finds the session of a resource, and prefers the one that the state knows", async () => {
    const { emulator, make } = await openEmulator();
    const current = await make(ownLabels(5));
    const leftOver = await make(ownLabels(50));
    await make(ownLabels(5, { "pulumi-resource": "api" }));
    const show = async (known: readonly string[], resource: string) => {
      const { run } = await openTerminal(emulator.url, { state: exportOf(known), config: {} });
      return run("sessions", "show", "--stack", "dev", "--resource", resource, "--output", "json");
    };

    expect(JSON.parse((await show([current], "web")).stdout).sessionId).toBe(current);
    const both = await show([], "web");
    expect(both.exitCode).toBe(1);
    expect(both.stderr).toContain("2 sessions match --stack dev --resource web:\n");
    expect(both.stderr).toContain(`  ${leftOver} (web)\n`);
    const none = await show([], "cache");
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain("No session matches --stack dev --resource cache.");
  });
});

describe("--stack", () => {
  test("a stack without an id has no sessions that are certainly its own, and none are shown", async () => {
    const { emulator, make } = await openEmulator();
    await make(ownLabels(5));
    const { run } = await openTerminal(emulator.url, { state: '{"deployment":{"resources":[]}}', config: {} });
    const { exitCode, stdout, stderr } = await run("sessions", "list", "--stack", "dev");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain("note: The state of dev has no stack id");
  });

  test("lists the session of no other stack that shares the id of a provider", async () => {
    const { emulator, make } = await openEmulator();
    const { ownLabels, stateWith } = stackOf("plugin");
    const own = await make(ownLabels(5));
    await make(ownLabels(5, { "pulumi-stack": "production" }));
    await make(ownLabels(5, { "pulumi-project": "bank" }));
    const { run } = await openTerminal(emulator.url, { state: stateWith([]), config: {} });
    expect((await run("sessions", "list", "--stack", "dev", "--output", "ids")).stdout).toBe(`${own}\n`);
  });

  test.each([
    [10, 60, "note: These are 50 of 70 sessions. Add --all to list every one.\n"],
    [60, 10, "note: These are the first 50 sessions. Add --all to list every one.\n"],
  ])(
    "lists the sessions of all ids, here %d and %d, and counts no part of them as all",
    async (first, second, note) => {
      const { emulator, make } = await openEmulator();
      const [one, other] = [stackOf("dynamic"), stackOf("plugin")];
      for (let made = 0; made < first + second; made += 1) {
        await make((made < first ? one : other).ownLabels(5));
      }
      const resources = [one, other].flatMap((stack) => JSON.parse(stack.stateWith([])).deployment.resources);
      const state = JSON.stringify({ version: 3, deployment: { resources } });
      const { run } = await openTerminal(emulator.url, { state, config: {} });
      const { stdout, stderr } = await run("sessions", "list", "--stack", "dev", "--output", "ids");
      expect(lines(stdout)).toHaveLength(50);
      expect(stderr).toBe(note);
      expect(lines((await run("sessions", "list", "--stack", "dev", "--all", "--output", "ids")).stdout)).toHaveLength(
        70,
      );
    },
  );
});

test("a session that is being released is not the one that is meant", async () => {
  const server = await startScriptedServer(({ path, query }, response) => {
    const sessions = [
      { sessionId: "session-old", sessionStatus: "DELETING" },
      { sessionId: "session-new", sessionStatus: "RUNNING" },
    ];
    const ofOne = { sessionId: query["sessionId"] ?? "session-new", status: "RUNNING", labels: '{"a":"1"}' };
    sendSuccess(response, { data: path.endsWith("ListSession") ? sessions : ofOne });
  });
  const { run } = await openTerminal(server.url);
  const { exitCode, stdout } = await run("sessions", "show", "--label", "a=1");
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining("session-new") });
});

describe("sessions show", () => {
  test("shows what is known of a session, and never a link or token", async () => {
    const { emulator, make } = await openEmulator();
    const id = await make(ownLabels(5, { team: "web" }));
    const { run } = await openTerminal(emulator.url);
    const { exitCode, stdout, stderr } = await run("sessions", "show", id);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(
      new RegExp(
        `^Session id: {3}${id}\nStatus: {7}RUNNING\nCreated: {6}20\\S+Z \\(5m ago\\)\nStack: {8}shop/dev\nResource: {5}web\n` +
          `Instance id: {2}\\S+\nResource id: {2}\\S+\nLabels:\n(  \\S+=\\S+\n){6}$`,
      ),
    );
    expect(stdout).not.toMatch(/authcode|token|https?:/);
  });

  test("a session that is gone is a clear failure", async () => {
    const { emulator, make } = await openEmulator();
    const id = await make({});
    await emulator.release(id);
    const { run } = await openTerminal(emulator.url);
    const { exitCode, stdout, stderr } = await run("sessions", "show", id);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(`pulumi-agb sessions show: There is no session ${id} at ${emulator.url}.`);
    expect(stderr).toContain("[AGB631]");
  });

  test.each([
    ["list"],
    ["show", "session-1"],
    ["release", "session-1"],
    ["keep-alive", "session-1"],
    ["link", "session-1"],
  ])("a wrong key is never taken for a session that is gone: %s", async (...parameters) => {
    const { emulator } = await openEmulator();
    const { runWith } = await openTerminal(emulator.url);
    const { exitCode, stdout, stderr } = await runWith({ AGB_API_KEY: "wrong-key-0815" }, "sessions", ...parameters);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/\[AGB202\]$/m);
    expect(stderr).not.toContain("wrong-key-0815");
  });
});

describe("sessions link", () => {
  test("prints only the link, and says on standard error that it is secret", async () => {
    const { emulator, make } = await openEmulator();
    const id = await make({});
    const { run } = await openTerminal(emulator.url);
    const link = (...more: string[]) => run("sessions", "link", id, ...more);

    const port = await link("--port", String(linkedPorts.first));
    expect(port.stdout).toMatch(/^https:\/\/\S+-30100\.link\.agb\.invalid\/\?token=\w+\n$/);
    expect(port.stderr).toContain("note: This link holds a token.");
    expect((await link("--port", "30199", "--protocol", "wss")).stdout).toMatch(/^wss:\/\/\S+\n$/);
    expect((await link()).stdout).toMatch(/^https:\/\/\S+authcode=\S+\n$/);
  });

  test.each(["30099", "30200", "80", "0", "-1", "30100.5", "0x7594", "http", ""])(
    "the port %s is refused before a call",
    async (port) => {
      const { run } = await openTerminal("http://127.0.0.1:9");
      const { exitCode, stdout, stderr } = await run("sessions", "link", "session-1", "--port", port);
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
      expect(stderr).toContain("Give a whole number from 30100 to 30199.");
    },
  );
});

describe("sessions release", () => {
  test("releases several sessions, waits until they are gone, and names the stack that will recreate one", async () => {
    const { emulator, make, running } = await openEmulator({ releaseDelayMs: 50 });
    const [owned, other, kept] = [await make(ownLabels(5)), await make({}), await make({})];
    const { run } = await openTerminal(emulator.url);
    const { exitCode, stdout, stderr } = await run("sessions", "release", owned, other, owned, "session-unknown");
    expect(exitCode).toBe(0);
    expect(lines(stdout).sort()).toEqual(
      [`already gone: session-unknown`, `released: ${owned}`, `released: ${other}`].sort(),
    );
    expect(stderr).toBe(
      `note: ${owned} belonged to web of the stack shop/dev. The stack's next \`pulumi up --refresh\` creates a new one.\n`,
    );
    expect(running()).toEqual([kept]);
    expect((await run("sessions", "release", owned)).exitCode).toBe(0);
  });

  test("by labels it needs --yes where nobody can be asked, and then releases exactly what matches", async () => {
    const { emulator, make, running } = await openEmulator();
    const [first, second, kept] = [await make({ a: "1" }), await make({ a: "1" }), await make({ a: "2" })];
    const { run } = await openTerminal(emulator.url);
    const refused = await run("sessions", "release", "--label", "a=1");
    expect({ exitCode: refused.exitCode, stdout: refused.stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain("Nothing was released. Add --yes. [AGB635]");
    expect(running()).toHaveLength(3);

    const { exitCode, stdout } = await run("sessions", "release", "--label", "a=1", "--yes");
    expect(exitCode).toBe(0);
    expect(lines(stdout).sort()).toEqual([`released: ${first}`, `released: ${second}`].sort());
    expect(running()).toEqual([kept]);
    const again = await run("sessions", "release", "--label", "a=1", "--yes");
    expect(again).toEqual({ exitCode: 0, stdout: "", stderr: "note: No session matches --label a=1.\n" });
  });

  test("a reader that stops reading keeps no session from being released", async () => {
    const { emulator, make, running } = await openEmulator({ releaseDelayMs: 50 });
    for (let count = 0; count < 12; count += 1) {
      await make(ownLabels(5, { a: "1" }));
    }
    const { sh } = await openTerminal(emulator.url);
    await sh("pulumi-agb sessions release --label a=1 --yes 2>&1 | head -1");
    expect(running()).toEqual([]);
  });

  test("one release that fails is reported, the others go on, and the exit code is 1", async () => {
    const { emulator, make, running } = await openEmulator();
    const ids = [await make({}), await make({})];
    emulator.addFault({ operation: "releaseSessionAsync", calls: 1, answer: { status: 400 } });
    const { run } = await openTerminal(emulator.url);
    const { exitCode, stdout, stderr } = await run("sessions", "release", ...ids);
    expect(exitCode).toBe(1);
    expect(lines(stdout)).toHaveLength(1);
    expect(stderr).toMatch(/^failed: session-\S+: AGB refused releaseSessionAsync.* \[AGB310\]$/m);
    expect(running()).toHaveLength(1);
  });
});

describe("on a terminal", () => {
  testWithTerminal(
    "labels are cut to its width, statuses are coloured, and a progress line appears and goes",
    async () => {
      const { emulator, make } = await openEmulator();
      for (let count = 0; count < 45; count += 1) {
        await make({ count: String(count), padding: "x".repeat(200) });
      }
      const { inTerminal } = await openTerminal(emulator.url);
      const { exitCode, shown } = await inTerminal("sessions list");
      expect(exitCode).toBe(0);
      expect(shown).toContain(
        "\r\u001b[KReading sessions: 20 of 45\r\u001b[KReading sessions: 40 of 45\r\u001b[K\u001b[1mSESSION",
      );
      const table = lines(shown.slice(shown.lastIndexOf("\u001b[K") + 3));
      expect(table).toHaveLength(46);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
      const seen = table.map((line) => line.replaceAll(/\u001b\[\d+m/g, ""));
      expect(seen.slice(1).map(({ length }) => length)).toEqual(Array(45).fill(100));
      expect(table[1]).toContain("\u001b[32mRUNNING\u001b[39m");
    },
  );

  testWithTerminal("a release by labels asks, and only a yes releases", async () => {
    const { emulator, make, running } = await openEmulator();
    const [id] = [await make({ a: "1" }), await make({ a: "2" })];
    const { inTerminal } = await openTerminal(emulator.url);
    const release = (answer: string) =>
      inTerminal("sessions release --label a=1", { "Release 1 session? [y/N] ": answer });

    for (const answer of ["\n", "no\n", "\u0004"]) {
      const { exitCode, shown } = await release(answer);
      expect({ exitCode, shown }).toEqual({ exitCode: 1, shown: expect.stringContaining("Nothing was released.") });
      expect(running()).toHaveLength(2);
    }
    const { exitCode, shown } = await release("y\n");
    expect({ exitCode, shown }).toEqual({ exitCode: 0, shown: expect.stringContaining(`released: ${id}`) });
    expect(running()).toHaveLength(1);
  });
});

(existsSync("/dev/full") ? test : test.skip)("an output that cannot be written is a failure that says so", async () => {
  const { emulator, make, running } = await openEmulator();
  const id = await make({});
  const { sh } = await openTerminal(emulator.url);
  const message = /^failed: the output: it could not be written: ENOSPC.* \[AGB643\]$/m;
  const listed = await sh("pulumi-agb sessions list > /dev/full");
  expect(listed).toEqual({ exitCode: 1, stdout: "", stderr: expect.stringMatching(message) });
  const released = await sh(`pulumi-agb sessions release ${id} > /dev/full`);
  expect(released).toEqual({ exitCode: 1, stdout: "", stderr: expect.stringMatching(message) });
  expect(running()).toEqual([]);
});

describe("arguments", () => {
  test.each([
    [["show"], "no session is named"],
    [["show", ""], "a session id is empty"],
    [["release"], "no session is named"],
    [["link", "session-1", "--label", "a=1"], "not both"],
    [["link", "session-1", "--protocol", "wss"], "--protocol needs --port"],
    [["keep-alive", "--resource", "web"], "--resource needs --stack NAME"],
    [["keep-alive", "session-1", "--for", "5m"], "--for needs --every"],
    [["keep-alive", "session-1", "--every", "0s"], "Give a time from 1s to 24h."],
    [["keep-alive", "session-1", "--every", "9999h"], "Give a time from 1s to 24h."],
    [["list", "--stack", "a b"], "Give it as NAME or ORGANIZATION/NAME."],
  ])("%j is refused before a call", async (parameters, message) => {
    const { run } = await openTerminal("http://127.0.0.1:9");
    const { exitCode, stdout, stderr } = await run("sessions", ...parameters);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/\[AGB612\]$/m);
  });
});

test("a service that repeats the key and secrets in every reply gets none of them shown", async () => {
  const echoed = `${testKey} ${Buffer.from(testKey).toString("base64")} ${encodeURIComponent(testKey)}`;
  const secrets = { token: "s3cret-token", resourceUrl: "https://s3cret.example", authCode: "s3cret-code" };
  const server = await startScriptedServer(({ path }, response) => {
    if (path.endsWith("releaseSessionAsync") || path.endsWith("refreshSessionIdleTime")) {
      sendRefusal(response, echoed, echoed);
    } else if (path.endsWith("ListSession")) {
      sendSuccess(response, { data: [{ sessionId: `session-${echoed}`, sessionStatus: echoed }], ...secrets });
    } else if (path.endsWith("getLink")) {
      sendSuccess(response, { data: { url: `https://x.example/?${echoed}`, ...secrets } });
    } else {
      const data = { sessionId: "session-1", appInstanceId: echoed, resourceId: echoed, status: echoed, ...secrets };
      sendSuccess(response, { data: { ...data, labels: JSON.stringify({ [echoed]: echoed }) }, message: echoed });
    }
  });
  const { run } = await openTerminal(server.url);
  for (const parameters of [
    ["list"],
    ["list", "--output", "json"],
    ["list", "--output", "ids"],
    ["show", "session-1"],
    ["show", "session-1", "--output", "json"],
    ["link", "session-1", "--port", "30100"],
    ["release", "session-1"],
    ["keep-alive", "session-1"],
  ]) {
    const { stdout, stderr } = await run("sessions", ...parameters);
    expect(stdout + stderr).not.toContain(testKey);
    expect(stdout + stderr).not.toContain(Buffer.from(testKey).toString("base64"));
    expect(stdout + stderr).not.toContain("s3cret");
    expect((stdout + stderr).length).toBeGreaterThan(0);
  }
});
