import { systemClock, waitUntil } from "../../provider/lifecycle/wait";

afterEach(() => {
  jest.restoreAllMocks();
});

test("a wait by the machine's clock ends even if someone sets the clock back", async () => {
  let wallMs = Date.now();
  jest.spyOn(Date, "now").mockImplementation(() => wallMs);
  let looks = 0;
  const look = async () => {
    wallMs -= 3_600_000;
    looks += 1;
    if (looks > 1_000) {
      throw new Error("the wait goes on and on");
    }
    return false;
  };
  const options = { timeoutMs: 20, firstDelayMs: 1, longestDelayMs: 2 };
  expect(await waitUntil(look, options, systemClock)).toBe(false);
});

test("the machine's clock gives the time since 1970 for labels", () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(60_000);
});
