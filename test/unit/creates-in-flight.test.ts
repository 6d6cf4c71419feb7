import { AbandonedCreateError, CreatesInFlight } from "../../provider/kinds/creates-in-flight";

/** Something to be made whose end the test decides. */
function pendingMake() {
  let finish: (made: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const outcome = new Promise<string>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  return { make: () => outcome, finish, fail };
}

const neverUndo = () => Promise.reject(new Error("must not be undone"));

test("what is made while the run goes on is kept", async () => {
  const creates = new CreatesInFlight();
  expect(await creates.run(async () => "session-1", neverUndo)).toBe("session-1");
  await creates.abandon();
});

test("what is made after the run has ended is undone before the end is told", async () => {
  const creates = new CreatesInFlight();
  const { make, finish } = pendingMake();
  const undone: string[] = [];
  const running = creates.run(make, async (made) => {
    undone.push(made);
  });
  const ended = creates.abandon().then(() => undone.push("ended"));
  finish("session-1");
  await expect(running).rejects.toBeInstanceOf(AbandonedCreateError);
  await ended;
  expect(undone).toEqual(["session-1", "ended"]);
});

test("a create that begins after the run has ended makes nothing", async () => {
  const creates = new CreatesInFlight();
  await creates.abandon();
  const make = jest.fn(async () => "session-1");
  await expect(creates.run(make, neverUndo)).rejects.toBeInstanceOf(AbandonedCreateError);
  expect(make).not.toHaveBeenCalled();
});

test("a create that fails, or one that cannot be undone, does not keep the process from ending", async () => {
  const creates = new CreatesInFlight();
  const [failing, stuck] = [pendingMake(), pendingMake()];
  const failed = creates.run(failing.make, neverUndo);
  const left = creates.run(stuck.make, () => Promise.reject(new Error("AGB is away")));
  const ended = creates.abandon();
  failing.fail(new Error("refused"));
  stuck.finish("session-2");
  await expect(failed).rejects.toThrow("refused");
  await expect(left).rejects.toThrow("AGB is away");
  await expect(ended).resolves.toBeUndefined();
});

test("nothing under way ends at once", async () => {
  await expect(new CreatesInFlight().abandon()).resolves.toBeUndefined();
});
