import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, AgbSession } from "../../provider";
import { providerReference } from "../../provider/resources/reference";
import { outputValue, runProgram, secret } from "../support/pulumi-program";

const imageId = "agb-code-space-1";
const owner = {
  "pulumi-project": "shop",
  "pulumi-stack": "dev",
  "pulumi-stack-id": "agb-id",
  "pulumi-resource": "web",
};
const identity = {
  type: "pulumi-nodejs:dynamic/agb:AgbStackIdentity",
  name: "agb",
  inputs: { __provider: providerReference("stackIdentity") },
  id: undefined,
  provider: undefined,
  environmentMappings: {},
};

test("a session is registered as declared, with the owner's labels beside the declared ones", async () => {
  const run = await runProgram(
    () => new AgbSession("web", { imageId, labels: { team: "web" }, idleTimeoutSeconds: 600, policyId: "long" }),
  );
  expect(run.registrations).toEqual([
    identity,
    {
      type: "pulumi-nodejs:dynamic/agb:AgbSession",
      name: "web",
      inputs: {
        imageId,
        labels: { team: "web" },
        labelsAll: { team: "web", ...owner },
        idleTimeoutSeconds: 600,
        policyId: "long",
        __provider: providerReference("session"),
      },
      id: undefined,
      provider: undefined,
      environmentMappings: {},
    },
  ]);
});

test("a session without labels still has an owner", async () => {
  const run = await runProgram(() => new AgbSession("web", { imageId }));
  expect(run.registration("web").inputs).toEqual({
    imageId,
    labelsAll: owner,
    __provider: providerReference("session"),
  });
});

describe("the stack's identity", () => {
  test("is declared once for all sessions, at the root and by the default provider", async () => {
    class Pair extends pulumi.ComponentResource {
      constructor(opts: pulumi.ComponentResourceOptions) {
        super("shop:index:Pair", "pair", {}, opts);
        new AgbSession("web", { imageId }, { parent: this });
        new AgbSession("db", { imageId }, { parent: this });
      }
    }
    const run = await runProgram(() => new Pair({ providers: [new AgbProvider("europe")] }));
    expect(run.registrations.filter(({ type }) => type.endsWith("AgbStackIdentity"))).toEqual([identity]);
  });

  test("is declared again for each stack that a process runs", async () => {
    for (let run = 0; run < 2; run++) {
      const { registrations } = await runProgram(() => new AgbSession("web", { imageId }));
      expect(registrations).toContainEqual(identity);
    }
  });

  test("is shared by all copies of the package", async () => {
    const run = await runProgram(() => {
      new AgbSession("web", { imageId });
      jest.isolateModules(() => {
        const copy: typeof import("../../provider/resources/stack-identity") = require("../../provider/resources/stack-identity");
        void copy.stackId();
      });
    });
    expect(run.registrations.filter(({ name }) => name === "agb")).toEqual([identity]);
  });

  test("is unknown in the first preview, and hides no label beside it", async () => {
    const program = () => new AgbSession("web", { imageId, labels: { team: "web" } });
    const { inputs } = (await runProgram(program, { preview: true, stackId: "" })).registration("web");
    expect(inputs["labelsAll"]).toEqual({ team: "web", ...owner, "pulumi-stack-id": pulumi.runtime.unknownValue });
  });

  test("is not a dependency, which each session would hold in the state", async () => {
    const run = await runProgram(() => new AgbSession("web", { imageId, labels: { team: "web" } }));
    expect(run.registration("web").dependencies).toEqual([]);
  });

  test("is not declared by a program that only looks a session up", async () => {
    const run = await runProgram(() => AgbSession.get("web", "session-1"));
    expect(run.registrations.map(({ name }) => name)).toEqual(["web"]);
  });
});

test.each([
  [true, { "pulumi-retain": "true" }],
  [false, {}],
  [undefined, {}],
])("a session with retainOnDelete: %s carries the labels %j for it", async (retainOnDelete, more) => {
  const options = retainOnDelete === undefined ? {} : { retainOnDelete };
  const run = await runProgram(() => new AgbSession("web", { imageId }, options));
  expect(run.registration("web").inputs["labelsAll"]).toEqual({ ...owner, ...more });
});

describe("the repository whose preview environment it is", () => {
  test.each(["preview:repository", "agb:repository"])(
    "becomes a label that the program cannot override: %s",
    async (key) => {
      const config = { [key]: "github.com/repositories/81" };
      const labels = { team: "web", "pulumi-repository": "mine" };
      const run = await runProgram(() => new AgbSession("web", { imageId, labels }), { config });
      expect(run.registration("web").inputs["labelsAll"]).toEqual({
        team: "web",
        ...owner,
        "pulumi-repository": "github.com/repositories/81",
      });
    },
  );

  test.each(["", "acme/shop", "github.com/repositories/081", "github.com/repositories/81\n", "a b/projects/7"])(
    "is not read from %j, which may mean something else in another project",
    async (text) => {
      const config = { "preview:repository": text };
      const run = await runProgram(() => new AgbSession("web", { imageId }), { config });
      expect(run.registration("web").inputs["labelsAll"]).toEqual(owner);
    },
  );
});

test("the session's id is an output of its own and the same as the resource's", async () => {
  const { result } = await runProgram(() => new AgbSession("web", { imageId }));
  expect(await outputValue(result.sessionId)).toBe("web-id");
  expect(await outputValue(result.id)).toBe("web-id");
});

test("each declared output of a session resolves", async () => {
  const { result } = await runProgram(
    () => new AgbSession("web", { imageId, labels: { team: "web" }, policyId: "long" }),
  );
  expect(await outputValue(result.imageId)).toBe(imageId);
  expect(await outputValue(result.labels)).toEqual({ team: "web" });
  expect(await outputValue(result.labelsAll)).toEqual({ team: "web", ...owner });
  expect(await outputValue(result.policyId)).toBe("long");
  expect(await outputValue(result.idleTimeoutSeconds)).toBeUndefined();
  expect(await outputValue(result.appInstanceId)).toBeUndefined();
  expect(await outputValue(result.resourceId)).toBeUndefined();
});

describe("a label", () => {
  test("that is secret stays secret in both sets, and the one beside it stays readable", async () => {
    const labels = { token: pulumi.secret("hidden"), team: "web" };
    const { inputs } = (await runProgram(() => new AgbSession("web", { imageId, labels }))).registration("web");
    expect(inputs["labels"]).toEqual({ token: secret("hidden"), team: "web" });
    expect(inputs["labelsAll"]).toEqual({ token: secret("hidden"), team: "web", ...owner });
  });

  test("from another resource's output is resolved", async () => {
    const labels = { team: pulumi.output("web"), cost: Promise.resolve("1") };
    const { inputs } = (await runProgram(() => new AgbSession("web", { imageId, labels }))).registration("web");
    expect(inputs["labelsAll"]).toEqual({ team: "web", cost: "1", ...owner });
  });

  test("cannot override the owner's", async () => {
    const labels = { "pulumi-stack": "other" };
    const { inputs } = (await runProgram(() => new AgbSession("web", { imageId, labels }))).registration("web");
    expect(inputs["labelsAll"]).toEqual(owner);
  });
});

describe("a set of labels", () => {
  test.each([
    ["an output", () => pulumi.output({ team: "web" })],
    ["a promise", () => Promise.resolve({ team: "web" })],
  ])("that is %s gets the owner's labels when it is known", async (_, labels) => {
    const run = await runProgram(() => new AgbSession("web", { imageId, labels: labels() }));
    expect(run.registration("web").inputs["labelsAll"]).toEqual({ team: "web", ...owner });
  });

  test("that is secret as a whole makes the whole of both sets secret", async () => {
    const run = await runProgram(() => new AgbSession("web", { imageId, labels: pulumi.secret({ team: "web" }) }));
    const { inputs } = run.registration("web");
    expect(inputs["labels"]).toEqual(secret({ team: "web" }));
    expect(inputs["labelsAll"]).toEqual(secret({ team: "web", ...owner }));
  });

  test("is secret as a whole where default labels are secret, because the provider adds them", async () => {
    const config = { "agb:defaultLabels": '{"token":"hidden"}' };
    const program = () => new AgbSession("web", { imageId, labels: { team: "web" } });
    const hidden = await runProgram(program, { config, secretKeys: ["agb:defaultLabels"] });
    expect(hidden.registration("web").inputs["labelsAll"]).toEqual(secret({ team: "web", ...owner }));
    const plain = await runProgram(program, { config });
    expect(plain.registration("web").inputs["labelsAll"]).toEqual({ team: "web", ...owner });
  });
});

test("in a preview a label that is not known yet does not hide the ones beside it", async () => {
  const program = () => {
    const other = new AgbSession("other", { imageId });
    const unknown = pulumi.unknown as unknown as string;
    return new AgbSession("web", { imageId, labels: { team: "web", of: other.id.apply(() => unknown) } });
  };
  const { inputs } = (await runProgram(program, { preview: true })).registration("web");
  expect(inputs["labelsAll"]).toMatchObject({ team: "web", ...owner });
});

describe("the output `released`", () => {
  test.each([
    [{ released: true }, true],
    [{}, false],
  ])("of a session with the state %j is %s", async (state, released) => {
    const { result } = await runProgram(() => new AgbSession("web", { imageId, onRelease: "keep" }), { state });
    expect(await outputValue(result.released)).toBe(released);
  });

  test("is no input", async () => {
    const run = await runProgram(() => new AgbSession("web", { imageId }));
    expect(Object.keys(run.registration("web").inputs)).not.toContain("released");
  });
});

test("arguments that only the provider reads are registered as declared", async () => {
  const more = {
    ignoreLabels: ["ci", pulumi.output("bot-*")],
    adopt: { labels: { job: pulumi.output("nightly") } },
    onRelease: "keep" as const,
    timeouts: { create: 60, delete: Promise.resolve(30) },
  };
  const run = await runProgram(() => new AgbSession("web", { imageId, ...more }));
  expect(run.registration("web").inputs).toMatchObject({
    ignoreLabels: ["ci", "bot-*"],
    adopt: { labels: { job: "nightly" } },
    onRelease: "keep",
    timeouts: { create: 60, delete: 30 },
  });
});

describe("a look-up of a session", () => {
  test("reads the session by its id and declares nothing", async () => {
    const run = await runProgram(() => AgbSession.get("web", "session-1"));
    expect(run.registrations).toEqual([
      {
        type: "pulumi-nodejs:dynamic/agb:AgbSession",
        name: "web",
        inputs: { __provider: providerReference("session") },
        id: "session-1",
        provider: undefined,
        environmentMappings: {},
      },
    ]);
    expect(await outputValue(run.result.sessionId)).toBe("session-1");
  });

  test("has a type without the properties that AGB does not return", async () => {
    const run = await runProgram(() => AgbSession.get("web", "session-1"), { state: { labelsAll: { team: "web" } } });
    // @ts-expect-error: the image of a session that was looked up is not known.
    const { imageId: _ } = run.result;
    expect(await outputValue(run.result.labelsAll)).toEqual({ team: "web" });
  });

  test("works with an id that is an output and with a provider", async () => {
    const run = await runProgram(() => {
      const provider = new AgbProvider("europe");
      return AgbSession.get("web", pulumi.output("session-1"), { provider });
    });
    expect(run.registration("web")).toMatchObject({ id: "session-1", provider: expect.stringContaining("europe") });
  });
});

test("an import is refused, and the message says how to look the session up instead", async () => {
  await expect(runProgram(() => new AgbSession("web", { imageId }, { import: "session-1" }))).rejects.toThrow(
    'AgbSession "web": Pulumi cannot import dynamic resources. Use the argument adopt to take a session over, or AgbSession.get("web", id)',
  );
});

test("`customTimeouts` cause a warning, because Pulumi does not pass them on", async () => {
  const warn = jest.spyOn(console, "warn").mockImplementation();
  await runProgram(() => new AgbSession("web", { imageId }, { customTimeouts: { create: "5m" } }));
  expect(warn.mock.calls.flat().join("\n")).toContain('AgbSession "web": customTimeouts');
  warn.mockRestore();
});

test("a component passes its provider on to its sessions", async () => {
  class Preview extends pulumi.ComponentResource {
    constructor(name: string, opts: pulumi.ComponentResourceOptions) {
      super("shop:index:Preview", name, {}, opts);
      new AgbSession(`${name}-web`, { imageId }, { parent: this });
      this.registerOutputs({});
    }
  }
  const run = await runProgram(() => new Preview("pull-request-1", { providers: [new AgbProvider("europe")] }));
  expect(run.registration("pull-request-1-web").provider).toContain("europe");
});
