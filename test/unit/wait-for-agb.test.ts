import { AgbTimeoutError } from "../../provider/api/errors";
import { waitForAgb } from "../../provider/lifecycle/wait-for-agb";
import { FakeClock } from "../support/fake-clock";

/** Waits for 5 s with looks that take 4.95 s and then fail: the limit of the client ended them. */
function waitWith(callTimeoutMs: number, lookMs = 4_950): Promise<boolean> {
  const clock = new FakeClock();
  const look = async () => {
    clock.advance(lookMs);
    throw new AgbTimeoutError("GetContextInfo", callTimeoutMs);
  };
  return waitForAgb(look, { timeoutMs: 5_000 }, clock);
}

test.each([0, 1, 50])("a look for which the operation's limit left %d ms ends the wait", async (callTimeoutMs) => {
  expect(await waitWith(callTimeoutMs)).toBe(false);
});

test("a service that did not answer for long is told", async () => {
  await expect(waitWith(4_900)).rejects.toThrow("AGB did not answer GetContextInfo within 4900 ms");
});

test("a short limit of each call is told, too, while there is time left", async () => {
  await expect(waitWith(50, 50)).rejects.toThrow("AGB did not answer GetContextInfo within 50 ms");
});
