import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EmulatorOptions } from "../../provider/emulator";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { hosts, openHost } from "../support/resource-hosts";
import { declare, failureOf, owner, Stack, sorted } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  // A stack that is pointed at another service finds none of its sessions there, while they live on where they were made.

  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "agb-services-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function open(options: EmulatorOptions = {}) {
    const emulator = await startTestEmulator(options);
    const objects = openHost(host, { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url });
    return { emulator, stack: new Stack(objects, emulator) };
  }

  const openKept = (name = "state.json") => open({ statePath: join(folder, name) });

  const portOf = (url: string) => Number(new URL(url).port);

  test.each([
    ["AGB's default endpoint", undefined, "sdk-api.agb.cloud"],
    ["another endpoint", "https://eu.example.com", "https://eu.example.com"],
  ])(
    "a session that was made at %s is not taken for gone because an emulator does not know it",
    async (_, service, name) => {
      const { stack } = await open();
      const { id, outputs } = await stack.create();
      const { service: _made, ...rest } = outputs;
      const elsewhere = { ...rest, ...(service !== undefined && { service }) };
      await stack.emulator.release(id);

      const refresh = await failureOf(stack.provider.read(id, elsewhere));
      expect(refresh.message).toContain(`but it was created at ${name} and may still exist there`);
      expect(refresh.message).toContain("AGB_ENDPOINT");
      expect(refresh.message).toContain("The session stays in the state.");
      expect((await failureOf(stack.provider.delete(id, elsewhere))).message).toContain("may still exist there");
    },
  );

  describe("two emulators on this machine are two services", () => {
    test.each([
      ["that keep no state", open, open],
      ["with a state file each", () => openKept("a.json"), () => openKept("b.json")],
      ["of which the first has a state file", openKept, open],
      ["of which the second has a state file", open, openKept],
    ])("%s", async (_, openFirst, openSecond) => {
      const first = await openFirst();
      const state = await first.stack.create();
      const second = await openSecond();

      const refresh = await failureOf(second.stack.provider.read(state.id, state.outputs));
      expect(refresh.message).toContain("may still exist there");
      expect(refresh.message).toContain(`the session was not found at ${second.emulator.url}, but it was created at `);
      expect(refresh.message).toContain("The session stays in the state.");
      expect((await failureOf(second.stack.provider.delete(state.id, state.outputs))).message).toContain(
        "may still exist there",
      );
      expect(first.emulator.sessions()).toMatchObject([{ sessionId: state.id, state: "RUNNING" }]);
    });
  });

  describe("an emulator with a state file is one service", () => {
    test("at whatever port it listens: what it released is gone, what it keeps is found and not changed", async () => {
      const before = await openKept();
      const released = await before.stack.create();
      const kept = await before.stack.create();
      await before.emulator.release(released.id);
      await before.emulator.close();

      const after = await openKept();

      expect(after.emulator.url).not.toBe(before.emulator.url);
      expect(await after.stack.provider.read(released.id, released.outputs)).toEqual({});
      expect(sorted((await after.stack.refresh(kept))?.outputs)).toBe(sorted(kept.outputs));
      await after.stack.provider.delete(released.id, released.outputs);
    });

    test("until the file is deleted: the message says how to go on", async () => {
      const before = await openKept();
      const state = await before.stack.create();
      await before.emulator.close();
      rmSync(join(folder, "state.json"));
      const after = await openKept();

      const { message } = await failureOf(after.stack.provider.read(state.id, state.outputs));

      const [, id] = /^local:([a-z0-9]+)$/.exec(String(state.outputs["service"])) ?? [];
      expect(message).toContain(`but it was created at the local emulator with id ${id} and may still exist there`);
      expect(message).toContain(
        "If its state file was deleted, the session is gone: remove it from the state with `pulumi state delete`, then run " +
          "`pulumi up`.",
      );
    });

    test("and a state file without its id is refused: with a new id it would count as another service", async () => {
      const before = await openKept();
      await before.emulator.close();
      const path = join(folder, "state.json");
      const lines = readFileSync(path, "utf8").split("\n");
      writeFileSync(path, lines.filter((line) => !line.includes("emulatorId")).join("\n"));

      await expect(openKept()).rejects.toMatchObject({
        code: "STATE_FILE_BROKEN",
        message: expect.stringContaining("is damaged at emulatorId"),
      });
    });
  });

  test("an emulator without a state file that takes the port of another has replaced it, so that one's sessions are gone", async () => {
    const first = await open();
    const state = await first.stack.create();
    const port = portOf(first.emulator.url);
    await first.emulator.close();

    expect(await (await open({ port })).stack.provider.read(state.id, state.outputs)).toEqual({});
  });

  test("a state of an earlier version, which knew no emulators apart, goes on as before", async () => {
    const first = await open();
    const { id, inputs, outputs } = await first.stack.create();
    const state = { id, inputs, outputs: { ...outputs, service: "local" } };

    expect(sorted((await first.stack.refresh(state))?.outputs)).toBe(sorted(state.outputs));
    expect((await first.stack.diff(state)).changes).not.toBe(true);
    for (const second of [await open(), await openKept()]) {
      expect(await second.stack.provider.read(id, state.outputs)).toEqual({});
    }
  });

  test("which service it is costs no call of its own and at most 20 bytes of state, also when a session is adopted or looked up", async () => {
    const { emulator, stack } = await openKept();
    const made = await stack.create();
    expect(emulator.requestCounts()).toEqual({ ListSession: 1, createSession: 1 });
    const service = String(made.outputs["service"]);
    expect(service.length - "local".length).toBeLessThanOrEqual(20);

    const { props } = await stack.provider.read(made.id, {});
    expect(props).toMatchObject({ service });
    const labelsAll = { "pulumi-stack-id": owner["pulumi-stack-id"] };
    await stack.provider.update(made.id, made.outputs, { ...made.inputs, labels: {}, labelsAll } as never);
    const adopted = await stack.create(declare({ team: "web" }, { adopt: { sessionId: made.id } }));
    expect(adopted.outputs).toMatchObject({ service });
  });
});
