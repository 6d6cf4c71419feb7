import { Connection } from "../../provider/dynamic/connection";
import { SessionProvider } from "../../provider/dynamic/session";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { closeAfterTest } from "../support/close-after-test";
import { FakeClock } from "../support/fake-clock";
import { failureOf, Stack } from "../support/session-stack";

// A stack that is pointed at another service finds none of its sessions there, while they live on where they were made.

async function openElsewhere() {
  const emulator = await startTestEmulator();
  const connection = closeAfterTest(new Connection({ AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url }));
  return { emulator, stack: new Stack(new SessionProvider(connection, new FakeClock()), emulator) };
}

test.each([
  ["AGB's default endpoint", undefined, "sdk-api.agb.cloud"],
  ["another endpoint", "https://eu.example.com", "https://eu.example.com"],
])(
  "a session that was made at %s is not taken for gone because an emulator does not know it",
  async (_, service, name) => {
    const { stack } = await openElsewhere();
    const { id, outputs } = await stack.create();
    const { service: _made, ...rest } = outputs;
    const elsewhere = { ...rest, ...(service !== undefined && { service }) };
    await stack.emulator.release(id);

    const refresh = await failureOf(stack.provider.read(id, elsewhere));
    expect(refresh.message).toContain(`the session was made at ${name} and may still run there`);
    expect(refresh.message).toContain("AGB_ENDPOINT");
    expect(refresh.message).toContain("The session stays in the state.");
    expect((await failureOf(stack.provider.delete(id, elsewhere))).message).toContain("may still run there");
  },
);

test("an emulator that listens on another port is the same service, so a session that it released is made again", async () => {
  const first = await openElsewhere();
  const state = await first.stack.create();
  const second = await openElsewhere();
  expect(await second.stack.provider.read(state.id, state.outputs)).toEqual({});
});
