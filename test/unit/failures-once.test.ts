import { ResourceError } from "../../provider/dynamic/failure";
import { showFailuresOnce } from "../../provider/dynamic/failures-once";

/** A provider that fails, in a process that prints what some methods throw, as Pulumi's does. */
function processOf(failure: unknown) {
  const printed: unknown[][] = [];
  const print = { error: (...given: unknown[]) => void printed.push(given) };
  const fail = () => Promise.reject(failure);
  const provider = showFailuresOnce({ read: fail, delete: fail, create: fail }, print);
  const call = async (name: "read" | "delete" | "create") => {
    const error = await provider[name]().catch((thrown: Error) => thrown);
    print.error(`${error}: ${error.stack}`);
    return error;
  };
  return { printed, print, call };
}

const failure = new ResourceError("could not refresh AgbSession", "AGB did not answer");

test.each(["read", "delete"] as const)("the print of what %s throws is left out, each time", async (name) => {
  const { printed, call } = processOf(failure);
  expect(await call(name)).toBe(failure);
  expect(await call(name)).toBe(failure);
  expect(printed).toEqual([]);
});

test("whatever else is printed stays, also the same words at another time", async () => {
  const { printed, print, call } = processOf(failure);
  print.error("a line", 1);
  await call("read");
  print.error(failure.message);
  expect(printed).toEqual([["a line", 1], [failure.message]]);
});

test("an error that Pulumi does not print, and one that is not ours, are left to it", async () => {
  const ours = processOf(failure);
  await ours.call("create");
  expect(ours.printed).toEqual([[failure.message]]);
  const others = processOf(new TypeError("x"));
  await others.call("read");
  expect(others.printed).toHaveLength(1);
});
