import { showFailuresOnce } from "../../provider/hosts/dynamic/failures-once";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { ShownFailure } from "../../provider/hosts/dynamic/shown-failure";
import { ResourceError, UnfinishedError } from "../../provider/kinds/hosted-kind";

/** A provider that fails, in a process that prints what some methods throw, as Pulumi's does. */
function processOf(failure: unknown) {
  const printed: unknown[][] = [];
  const print = { error: (...given: unknown[]) => void printed.push(given) };
  const fail = () => Promise.reject(failure);
  const methods = { check: fail, diff: fail, read: fail, delete: fail, create: fail, update: fail };
  const provider = { ...methods, configure: async () => {} } as DynamicProvider;
  showFailuresOnce([provider], print);
  const call = async (name: "read" | "delete" | "create") => {
    const error = await (provider[name] as () => Promise<never>)().catch((thrown: Error) => thrown);
    print.error(`${error}: ${error.stack}`);
    return error;
  };
  return { printed, print, call };
}

const failure = new ShownFailure(new ResourceError("could not refresh AgbSession", "AGB did not answer", "AGB305"), {});

test.each(["read", "delete"] as const)("the print of an error of %s is left out, each time", async (name) => {
  const { printed, call } = processOf(failure);
  expect(await call(name)).toBe(failure);
  expect(await call(name)).toBe(failure);
  expect(printed).toEqual([]);
});

test("the prints of two resources that fail in the same words are both left out", async () => {
  const { printed, call } = processOf(failure);
  await Promise.all([call("read"), call("read")]);
  expect(printed).toEqual([]);
});

test("all other output stays, the same words at another time too", async () => {
  const { printed, print, call } = processOf(failure);
  print.error("a line", 1);
  await call("read");
  print.error(failure.message);
  expect(printed).toEqual([["a line", 1], [failure.message]]);
});

test("errors that Pulumi does not print, and errors of others, stay as they are", async () => {
  const ours = processOf(failure);
  await ours.call("create");
  expect(ours.printed).toEqual([[failure.message]]);
  const others = processOf(new TypeError("x"));
  await others.call("read");
  expect(others.printed).toHaveLength(1);
});

test("what the process prints of a failure is its message", () => {
  const errors = [
    new ResourceError("x", "y", "AGB305"),
    new UnfinishedError("AgbSession session-1", "session-1", {}, "x", "AGB410"),
  ];
  for (const error of errors.map((thrown) => new ShownFailure(thrown, {}))) {
    expect(`${error}: ${error.stack}`).toBe(error.message);
  }
});

test("the failure of an unfinished resource keeps the properties that the program added for the host", () => {
  const state = { imageId: "a" };
  const unfinished = new UnfinishedError("AgbSession session-1", "session-1", state, "labels differ", "AGB410");
  expect(new ShownFailure(unfinished, { __provider: "text" })).toMatchObject({
    id: "session-1",
    properties: { imageId: "a", __provider: "text" },
    reasons: ["labels differ [AGB410]"],
  });
});
