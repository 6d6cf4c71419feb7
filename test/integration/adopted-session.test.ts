import { createOwnedSession } from "../../provider/lifecycle/session";
import { openClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { openTestRuntime } from "../support/create-runtime";
import { createId } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import {
  declare,
  failureOf,
  type Labels,
  openProvider,
  openStack,
  owner,
  type Properties,
  provider,
  type State,
  sorted,
} from "../support/session-stack";

withoutRetryDelay();

const adopting = (adopt: unknown, more: Record<string, unknown> = {}) => declare({ team: "web" }, { adopt, ...more });

describe.each(hosts)("served by the %s host", (host) => {
  /** A session that somebody made by other means. */
  async function openRunning(labels: Labels = { job: "nightly" }, options = {}) {
    const opened = await openStack({ host, ...options });
    const sessionId = await createId(opened.emulator.url, labels, {}, testKey);
    return { ...opened, sessionId };
  }

  test.each([
    ["its id", (sessionId: string) => ({ sessionId })],
    ["its labels", () => ({ labels: { job: "nightly" } })],
  ])(
    "a running session is taken over by %s: no session is made, its labels become the declared ones",
    async (_, by) => {
      const { stack, emulator, sessionId } = await openRunning();
      const news = adopting(by(sessionId));
      const state = await stack.create(news);
      const [session, ...others] = emulator.sessions();
      expect(others).toEqual([]);
      expect(state.id).toBe(sessionId);
      expect(session?.labels).toEqual({
        team: "web",
        ...owner,
        "pulumi-create": expect.stringMatching(/^20261122T164726Z-/),
      });
      expect(state.outputs).toMatchObject({
        labelsAll: session?.labels,
        appInstanceId: session?.appInstanceId,
        resourceId: session?.resourceId,
      });
      expect(sorted(await stack.refresh(state))).toBe(sorted(state));
      expect(await stack.diff(state, news)).toEqual({ changes: false });
      await stack.provider.delete(state.id, state.outputs);
      expect(emulator.sessions()).toEqual([]);
    },
  );

  test("removing `adopt` later changes only the state", async () => {
    const { stack, emulator, sessionId } = await openRunning();
    const state = await stack.create(adopting({ sessionId }));
    expect(await stack.diff(state)).toEqual({ replaces: [] });
    const before = emulator.requests().length;
    const updated = await stack.update(state);
    expect(Object.keys(updated.outputs)).not.toContain("adopt");
    expect(emulator.requests()).toHaveLength(before);
  });

  test("labels of other tools survive the adoption", async () => {
    const { stack, sessionId } = await openRunning({ job: "nightly", "bot-seen": "y" });
    const state = await stack.create(adopting({ sessionId }, { ignoreLabels: ["bot-*"] }));
    expect(stack.labelsOf(state)).toMatchObject({ team: "web", "bot-seen": "y" });
    expect(stack.labelsOf(state)).not.toHaveProperty("job");
  });

  describe("a failed adoption changes nothing and says why", () => {
    test("with labels that no session carries", async () => {
      const { stack } = await openRunning();
      const error = await failureOf(stack.create(adopting({ labels: { job: "other" } })));
      expect(error.message).toBe(
        'could not create AgbSession "web": no running session carries the labels of `adopt`. Correct `adopt`, or remove it to create a new session. [AGB405]',
      );
    });

    test("with labels that several carry, the error names all of them", async () => {
      const { stack, emulator, sessionId } = await openRunning();
      const second = await createId(emulator.url, { job: "nightly" }, {}, testKey);
      const { message } = await failureOf(stack.create(adopting({ labels: { job: "nightly" } })));
      expect(message).toContain("several sessions carry the labels of `adopt`");
      expect(message).toContain(sessionId);
      expect(message).toContain(second);
      expect(emulator.requestCounts()["SetLabel"]).toBeUndefined();
    });

    test("with labels that very many carry, the error names ten of them", async () => {
      const { stack, emulator } = await openRunning();
      await Promise.all(Array.from({ length: 11 }, () => createId(emulator.url, { job: "nightly" }, {}, testKey)));
      const { message } = await failureOf(stack.create(adopting({ labels: { job: "nightly" } })));
      expect(message).toContain(" and more. Name one");
      expect(emulator.sessions().filter(({ sessionId }) => message.includes(sessionId))).toHaveLength(10);
    });

    test("with a session whose labels have control characters, the error has none", async () => {
      const { stack, sessionId } = await openRunning({ ...owner, "pulumi-resource": "\u001b[2J\n::error::x\u202e" });
      const { message } = await failureOf(stack.create(adopting({ sessionId })));
      expect(message).toContain("belongs to resource \\u001b[2J\\n::error::x\\u202e of");
      expect(message).not.toMatch(/\p{C}/u);
    });

    test.each([
      ["project", { "pulumi-project": "bank" }],
      ["stack", { "pulumi-stack": "production" }],
      ["resource", { "pulumi-resource": "browser" }],
      ["repository", { "pulumi-repository": "github.com/repositories/99" }],
    ])("a session of another %s", async (_, other) => {
      const labels = { ...owner, ...other };
      const { stack, emulator, sessionId } = await openRunning(labels);
      const { message } = await failureOf(stack.create(adopting({ sessionId })));
      expect(message).toContain(`session ${sessionId} belongs to resource ${labels["pulumi-resource"]} of`);
      expect(emulator.sessions()[0]?.labels).toEqual(labels);
    });

    test("with an id that is not running, the error says to remove `adopt`", async () => {
      const { stack } = await openRunning();
      const { message } = await failureOf(stack.create(adopting({ sessionId: "session-that-never-was" })));
      expect(message).toContain("The session that `adopt` names is not running. Remove `adopt` to create a new one.");
    });

    test("when AGB refuses the labels", async () => {
      const { stack, emulator, sessionId } = await openRunning();
      emulator.addFault({ operation: "SetLabel", answer: { status: 400 } });
      const error = await failureOf(stack.create(adopting({ sessionId })));
      expect(error["id"]).toBeUndefined();
      expect(error.message).toContain("AGB refused SetLabel");
    });

    test("with someone else's session from a list that does not filter", async () => {
      const server = await startScriptedServer(({ path }, response) => {
        if (path.endsWith("ListSession")) {
          sendSuccess(response, { data: [{ sessionId: "session-of-another" }] });
        } else {
          sendSuccess(response, { data: { labels: "{}", sessionId: "session-of-another" } });
        }
      });
      const failing = openProvider(server.url, new FakeClock(), {}, host).session.create(
        adopting({ labels: { job: "nightly" } }),
      );
      expect((await failureOf(failing)).message).toContain("does not carry the labels of `adopt`");
      expect(server.operations()).toEqual(["ListSession", "GetLabel"]);
    });
  });

  test("if labels differ from what was set, the session is in the state, to be finished by the next run", async () => {
    const { stack, sessionId } = await openRunning({ job: "nightly" }, { setLabel: "merge" });
    const error = await failureOf(stack.create(adopting({ sessionId })));
    expect(error).toMatchObject({
      id: sessionId,
      reasons: [expect.stringContaining('"job" is still there, although it was removed')],
      properties: { adopt: { sessionId }, labels: { team: "web", job: "nightly" }, __provider: provider },
    });
  });

  test.each([
    ["the connection breaks while the labels are set", "SetLabel", "after"],
    ["the labels cannot be set", "SetLabel", "before"],
    ["the labels cannot be read back", "GetLabel", "before"],
  ] as const)("when %s, the session is in the state, and the next run finishes it", async (_, operation, when) => {
    const { stack, emulator, sessionId } = await openRunning();
    // The first GetLabel finds the owner out.
    const calls = operation === "GetLabel" ? [2, 3, 4, 5, 6] : "every";
    const fault = emulator.addFault({ operation, when, calls, answer: { status: 500 } });
    jest.spyOn(console, "error").mockImplementation();
    const news = adopting({ labels: { job: "nightly" } });
    const error = await failureOf(stack.create(news));
    expect(error).toMatchObject({
      id: sessionId,
      reasons: [expect.stringContaining("was taken over, but its labels may not have been set")],
    });
    fault.remove();
    const state: State = {
      id: sessionId,
      inputs: await stack.check(news),
      outputs: JSON.parse(JSON.stringify(error["properties"])) as Properties,
    };
    const seen = (await stack.refresh(state)) as State;
    const finished = await stack.update(seen, news);
    expect(stack.labelsOf(state)).toMatchObject({ team: "web", ...owner });
    await stack.provider.delete(sessionId, finished.outputs);
    expect(emulator.sessions()).toEqual([]);
  });

  test("a session that its replacement has adopted is not released with its predecessor", async () => {
    const { stack, emulator, sessionId } = await openRunning();
    const log = jest.spyOn(console, "error").mockImplementation();
    const old = await stack.create(adopting({ sessionId }));
    const renewed = await stack.create(adopting({ sessionId }, { imageId: "agb-browser-use-1" }));
    expect(renewed.id).toBe(old.id);
    await stack.provider.delete(old.id, old.outputs);
    expect(log.mock.calls.flat()).toEqual([expect.stringContaining(`session ${sessionId} was taken over`)]);
    expect(emulator.sessions()).toHaveLength(1);
    await stack.provider.delete(renewed.id, renewed.outputs);
    expect(emulator.sessions()).toEqual([]);
  });

  test("a delete of an adopted session that is gone is a success", async () => {
    const { stack, emulator, sessionId } = await openRunning();
    const state = await stack.create(adopting({ sessionId }));
    await emulator.release(sessionId);
    await expect(stack.provider.delete(state.id, state.outputs)).resolves.toBeUndefined();
  });

  test("the create label of a session that changed hands is new, so that its age counts from then", async () => {
    const { stack, emulator, clock } = await openStack({ host });
    const client = openClient(emulator.url);
    const made = await createOwnedSession(
      client,
      { imageId: "agb-code-space-1", labels: owner },
      openTestRuntime(clock),
    );
    clock.advance(60_000);
    const state = await stack.create(adopting({ sessionId: made.sessionId }));
    expect(made.labels["pulumi-create"]).toMatch(/^20261122T164726Z-/);
    expect(state.outputs.labelsAll["pulumi-create"]).toMatch(/^20261122T164826Z-/);
  });

  describe("a former owner", () => {
    /** A session that one resource adopted, and then another half of the same resource. */
    async function openTakenOver() {
      const opened = await openRunning();
      jest.spyOn(console, "error").mockImplementation();
      const old = await opened.stack.create(adopting({ sessionId: opened.sessionId }));
      const renewed = await opened.stack.create(
        adopting({ sessionId: opened.sessionId }, { imageId: "agb-browser-use-1" }),
      );
      return { ...opened, old, renewed };
    }

    test("does not release the session after a refresh saw the new owner's labels", async () => {
      const { stack, emulator, old, renewed } = await openTakenOver();
      const seen = (await stack.refresh((await stack.refresh(old)) as State)) as State;
      await stack.provider.delete(seen.id, seen.outputs);
      expect(emulator.sessions()).toHaveLength(1);
      await stack.provider.delete(renewed.id, renewed.outputs);
      expect(emulator.sessions()).toEqual([]);
    });

    test("that made the session does not release it in the run that replaces its resource with an adoption", async () => {
      const { stack, emulator } = await openStack({ host });
      jest.spyOn(console, "error").mockImplementation();
      const old = await stack.create();
      const renewed = await stack.create(adopting({ sessionId: old.id }, { imageId: "agb-browser-use-1" }));
      await stack.provider.delete(old.id, old.outputs);
      expect(emulator.sessions()).toHaveLength(1);
      await stack.provider.delete(renewed.id, renewed.outputs);
      expect(emulator.sessions()).toEqual([]);
    });

    test("that made the session does not release it after such a refresh", async () => {
      const { stack, emulator } = await openStack({ host });
      jest.spyOn(console, "error").mockImplementation();
      const old = await stack.create();
      await stack.create(adopting({ sessionId: old.id }));
      const seen = (await stack.refresh(old)) as State;
      await stack.provider.delete(seen.id, seen.outputs);
      expect(emulator.sessions()).toHaveLength(1);
    });

    test.each([true, false])("cannot update the session (after a refresh: %s)", async (refreshes) => {
      const { stack, emulator, sessionId, old, renewed } = await openTakenOver();
      const state = refreshes ? ((await stack.refresh(old)) as State) : old;
      const news = adopting({ sessionId }, { labels: { team: "ops" }, labelsAll: { team: "ops", ...owner } });
      const { message } = await failureOf(stack.update(state, news));
      expect(message).toContain(
        "another resource took over the session by `adopt` or an import, so its labels were not changed.",
      );
      expect(message).toContain("Remove this resource from the program");
      expect(emulator.sessions()[0]?.labels).toEqual(renewed.outputs.labelsAll);
    });

    test("can have the session back when someone removes the create label of the other", async () => {
      const { stack, emulator, sessionId, old } = await openTakenOver();
      const seen = (await stack.refresh(old)) as State;
      await emulator.setLabels(sessionId, { team: "web", ...owner });
      const free = (await stack.refresh(seen)) as State;
      expect(sorted((await stack.update(free, adopting({ sessionId }))).outputs)).toBe(sorted(old.outputs));
      expect(stack.labelsOf(old)).toEqual(old.outputs.labelsAll);
    });

    test("whose state knows no create label does not release a session that has one", async () => {
      const { stack, emulator, old } = await openTakenOver();
      const { "pulumi-create": _, ...labelsAll } = old.outputs.labelsAll;
      await stack.provider.delete(old.id, { ...old.outputs, labelsAll });
      expect(emulator.sessions()).toHaveLength(1);
    });

    test("sees a difference after a refresh, though all other labels are equal", async () => {
      const { stack, sessionId, old } = await openTakenOver();
      const seen = (await stack.refresh(old)) as State;
      expect(await stack.diff(seen, adopting({ sessionId }))).toEqual({ changes: true });
    });

    test("owns the session again when its create label is back", async () => {
      const { stack, emulator, old } = await openTakenOver();
      const seen = (await stack.refresh(old)) as State;
      await emulator.setLabels(old.id, old.outputs.labelsAll);
      const again = (await stack.refresh(seen)) as State;
      expect(sorted(again)).toBe(sorted(old));
      await stack.provider.delete(again.id, again.outputs);
      expect(emulator.sessions()).toEqual([]);
    });
  });

  test("of two resources that adopt one session at the same moment, only the winner can release it", async () => {
    const { stack, emulator, sessionId } = await openRunning();
    jest.spyOn(console, "error").mockImplementation();
    const named = (name: string) =>
      adopting({ sessionId }, { labelsAll: { team: "web", ...owner, "pulumi-resource": name } });
    const names = ["one", "two"];
    const outcomes = await Promise.allSettled(names.map((name) => stack.create(named(name))));
    const winner = emulator.sessions()[0]?.labels["pulumi-resource"];
    for (const [index, outcome] of outcomes.entries()) {
      if (names[index] !== winner) {
        const { properties } = (outcome as PromiseRejectedResult).reason as { properties: Properties };
        await stack.provider.delete(sessionId, properties);
      }
    }
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
    expect(emulator.sessions()).toMatchObject([{ sessionId, state: "RUNNING" }]);
  });

  test("an unfinished adoption of a session that has an older create label is finished by the next run", async () => {
    const { stack, emulator } = await openStack({ host });
    jest.spyOn(console, "error").mockImplementation();
    const made = await stack.create();
    const fault = emulator.addFault({ operation: "SetLabel", when: "before", answer: { status: 500 } });
    const news = adopting({ sessionId: made.id });
    const error = await failureOf(stack.create(news));
    fault.remove();
    const unfinished: State = {
      id: made.id,
      inputs: await stack.check(news),
      outputs: JSON.parse(JSON.stringify(error["properties"])) as Properties,
    };
    const seen = (await stack.refresh(unfinished)) as State;
    for (const state of [unfinished, seen]) {
      const finished = await stack.update(state, news);
      expect(stack.labelsOf(finished)).toEqual(finished.outputs.labelsAll);
      expect(Object.keys(finished.outputs)).not.toEqual(expect.arrayContaining(["ownToken"]));
      expect(finished.outputs.labelsAll["pulumi-create"]).not.toBe(made.outputs.labelsAll["pulumi-create"]);
    }
  });

  test("a session whose create label someone removed gets the same one back", async () => {
    const { stack, emulator, sessionId } = await openRunning();
    const news = adopting({ sessionId });
    const state = await stack.create(news);
    await emulator.setLabels(sessionId, { team: "web", ...owner });
    const seen = (await stack.refresh(state)) as State;
    expect(await stack.diff(seen, news)).toEqual({ changes: true });
    expect(sorted((await stack.update(seen, news)).outputs)).toBe(sorted(state.outputs));
    expect(stack.labelsOf(state)).toEqual(state.outputs.labelsAll);
  });
});
