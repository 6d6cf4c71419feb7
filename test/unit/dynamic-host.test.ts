import { type DynamicProvider, dynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import {
  type Difference,
  type HostedKind,
  type Properties,
  ResourceError,
  UnfinishedError,
} from "../../provider/kinds/hosted-kind";

// The host serves any kind. This one keeps notes and has nothing of AGB.

type Call = readonly [method: keyof HostedKind, ...given: unknown[]];

const nothingChanged: Difference = { changed: [], replaces: [], isUnfinished: false, deleteBeforeReplace: false };

const added = { __provider: "exports.handler=…", __resource: "greeting" };

/** A kind of notes, the calls that reached it, and the object that Pulumi's process would drive. */
function serveNotes(parts: Partial<HostedKind> = {}) {
  const calls: Call[] = [];
  const said: string[] = [];
  const settings: (string | undefined)[] = [];
  const note = (...call: Call) => void calls.push(call);
  const kind: HostedKind = {
    check: async (news, caller) => {
      note("check", news, caller.resource);
      return { inputs: { ...news, language: "en" }, problems: [] };
    },
    diff: async (id, olds, news, caller) => {
      note("diff", id, olds, news, caller.resource);
      return nothingChanged;
    },
    create: async (inputs, caller) => {
      note("create", inputs, caller.resource);
      return { id: "note-1", outputs: { ...inputs, pages: 1 } };
    },
    read: async (id, known, caller) => {
      note("read", id, known, caller.resource);
      return { outputs: { text: "found" }, inputs: { text: "found" } };
    },
    update: async (id, olds, news, caller) => {
      note("update", id, olds, news, caller.resource);
      return { ...news, pages: 2 };
    },
    delete: async (id, known, caller) => {
      note("delete", id, known, caller.resource);
      caller.say(`${id} is deleted`);
    },
    ...parts,
  };
  const provider = dynamicProvider(kind, {
    configure: (config) => void settings.push(config("notes:shelf"), config("notes:absent")),
    say: (message) => void said.push(message),
  });
  return { provider, calls, said, settings };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Each method with properties that hold what the program added. */
const methods: [keyof HostedKind, (provider: DynamicProvider, properties: Properties) => Promise<unknown>][] = [
  ["check", (provider, properties) => provider.check({}, properties)],
  ["diff", (provider, properties) => provider.diff("note-1", properties, properties)],
  ["create", (provider, properties) => provider.create(properties)],
  ["read", (provider, properties) => provider.read("note-1", properties)],
  ["update", (provider, properties) => provider.update("note-1", properties, properties)],
  ["delete", (provider, properties) => provider.delete("note-1", properties)],
];

describe("properties that the program adds for the host", () => {
  test.each(methods)("never reach the kind's %s", async (name, call) => {
    const { provider, calls } = serveNotes();
    // What a check is given comes from a program, everything else may come from the state of a later version.
    const later = name === "check" ? {} : { __later: { text: "x" } };
    await call(provider, { text: "hello", ...added, ...later });
    expect(calls.map(([method]) => method)).toEqual([name]);
    expect(JSON.stringify(calls)).not.toMatch(/__|exports/);
    expect(JSON.stringify(calls)).toContain('"text":"hello"');
  });

  test("stay in the inputs and the outputs", async () => {
    const { provider } = serveNotes();
    const properties = { text: "hello", ...added };
    expect(await provider.check({}, properties)).toEqual({
      inputs: { text: "hello", language: "en", ...added },
      failures: [],
    });
    expect(await provider.create(properties)).toEqual({
      id: "note-1",
      outs: { text: "hello", pages: 1, ...added },
    });
    expect(await provider.read("note-1", properties)).toEqual({
      id: "note-1",
      props: { text: "found", ...added },
      inputs: { text: "found", ...added },
    });
    const olds = { text: "old", __provider: "old", __resource: "old" };
    expect(await provider.update("note-1", olds, properties)).toEqual({
      outs: { text: "hello", pages: 2, ...added },
    });
  });

  test("tell the kind the name of the resource, where there is one", async () => {
    const { provider, calls } = serveNotes();
    await provider.create({ text: "hello", ...added });
    await provider.create({ text: "hello" });
    expect(calls.map(([, , resource]) => resource)).toEqual(["greeting", undefined]);
  });
});

test("a problem is shown by its path in the reason, because Pulumi prints the value of a property that is named", async () => {
  const problems = [
    { path: 'lines["a b"][0]', reason: "must be a string", code: "AGB103" },
    { path: "", reason: "no shelf is configured", code: "AGB204" },
  ] as const;
  const { provider } = serveNotes({ check: async (inputs) => ({ inputs, problems }) });
  expect((await provider.check({}, { lines: "s3cret", ...added })).failures).toEqual([
    { property: "", reason: 'lines["a b"][0]: must be a string [AGB103]' },
    { property: "", reason: "no shelf is configured [AGB204]" },
  ]);
});

test("only the two added names are the host's: the kind checks all others and may refuse them", async () => {
  const { provider, calls } = serveNotes();
  await provider.check({}, { ...added, __other: 1 });
  expect(calls).toEqual([["check", { __other: 1 }, "greeting"]]);
});

test("a resource that an alias renamed is updated, so that the state has its new name", async () => {
  const { provider } = serveNotes();
  expect(await provider.diff("note-1", added, { ...added, __resource: "farewell" })).toEqual({ changes: true });
  expect(await provider.diff("note-1", added, { ...added, __provider: "other" })).toEqual({ changes: false });
});

describe("a difference", () => {
  test.each<[string, Partial<Difference>, object]>([
    ["none is an explicit no, although the added properties may differ", {}, { changes: false }],
    ["something to finish is a change that no input shows", { isUnfinished: true }, { changes: true }],
    ["a changed input is left to Pulumi to compare and show", { changed: ["text"] }, { replaces: [] }],
    [
      "a changed input beside something to finish is left to Pulumi too",
      { changed: ["text"], isUnfinished: true },
      { replaces: [] },
    ],
    ["an input that replaces", { changed: ["text", "shelf"], replaces: ["shelf"] }, { replaces: ["shelf"] }],
    ["a replacement that no changed input asks for", { replaces: ["shelf"] }, { replaces: ["shelf"] }],
    [
      "a replacement whose old resource goes first",
      { changed: ["shelf"], replaces: ["shelf"], deleteBeforeReplace: true },
      { replaces: ["shelf"], deleteBeforeReplace: true },
    ],
    ["none, of a kind that always deletes first", { deleteBeforeReplace: true }, { changes: false }],
  ])("%s", async (_, difference, expected) => {
    const { provider } = serveNotes({ diff: async () => ({ ...nothingChanged, ...difference }) });
    expect(await provider.diff("note-1", { __provider: "old" }, { __provider: "new" })).toEqual(expected);
  });
});

describe("a read", () => {
  test("of a resource that is gone returns nothing, which takes it out of the state", async () => {
    const { provider } = serveNotes({ read: async () => undefined });
    expect(await provider.read("note-1", { text: "hello", ...added })).toEqual({});
  });

  test("without inputs leaves those that Pulumi has", async () => {
    const { provider } = serveNotes({ read: async () => ({ outputs: { text: "found" }, inputs: undefined }) });
    const result = await provider.read("note-1", added);
    expect(result).toEqual({ id: "note-1", props: { text: "found", ...added } });
    expect(result).not.toHaveProperty("inputs");
  });

  test("by the id alone tells the kind that nothing is known", async () => {
    const { provider, calls } = serveNotes();
    await provider.read("note-1");
    expect(calls).toEqual([["read", "note-1", {}, undefined]]);
  });
});

describe("a failure", () => {
  const failing = (error: Error) => {
    const fail = async () => {
      throw error;
    };
    return serveNotes({ check: fail, create: fail, read: fail, update: fail, delete: fail });
  };
  const failable = methods.filter(([name]) => name !== "diff");

  test.each(failable)("of %s is shown as headline and details, without a stack", async (_, call) => {
    const failure = new ResourceError("could not keep Note", "no paper", "AGB508");
    const error = await failureOf(call(failing(failure).provider, added));
    expect(error).toMatchObject({
      message: "could not keep Note: no paper [AGB508]",
      stack: "no paper [AGB508]",
      // With these it would stay in the state.
      id: undefined,
      properties: undefined,
      reasons: undefined,
    });
    expect(String(error)).toBe("could not keep Note");
  });

  test.each(failable)("of %s that no kind explains keeps its stack", async (_, call) => {
    const defect = new TypeError("undefined is not a note");
    expect(await failureOf(call(failing(defect).provider, added))).toBe(defect);
  });

  test.each(failable.filter(([name]) => name === "create" || name === "update"))(
    "of %s that leaves a resource behind keeps it in the state, with what the program added",
    async (_, call) => {
      const unfinished = new UnfinishedError("Note note-1", "note-1", { text: "half" }, "no more ink", "AGB413");
      expect(await failureOf(call(failing(unfinished).provider, { text: "whole", ...added }))).toMatchObject({
        id: "note-1",
        properties: { text: "half", ...added },
        reasons: ["no more ink [AGB413]"],
      });
    },
  );
});

test("the configuration of the stack is handed on, absent keys too", async () => {
  const { provider, settings } = serveNotes();
  const config: Record<string, string> = { "notes:shelf": "upper" };
  const get = (key: string) => config[key];
  await provider.configure({ config: { get, require: (key) => get(key) ?? "" } });
  expect(settings).toEqual(["upper", undefined]);
});

test("what a kind says to the user is said by the host", async () => {
  const { provider, said } = serveNotes();
  await provider.delete("note-1", added);
  expect(said).toEqual(["note-1 is deleted"]);
});
