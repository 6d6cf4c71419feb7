import * as fc from "fast-check";
import { declarationProblems } from "../../provider/kinds/check";
import { CreatesInFlight } from "../../provider/kinds/creates-in-flight";
import type { LabelSettings } from "../../provider/kinds/kind";
import { sessionKind } from "../../provider/kinds/session";
import { unknownValue } from "../../provider/kinds/unknown";
import { systemClock } from "../../provider/lifecycle/wait";
import type { Problem } from "../../provider/messages/problem";

const kind = sessionKind({ clock: systemClock, creates: new CreatesInFlight(), say: () => {} });

function sessionProblems(news: Record<string, unknown>, defaultLabels: Record<string, string>): Problem[] {
  const ofTypes = declarationProblems(kind.name, kind.properties, news);
  return [...ofTypes, ...(kind.problems?.(news, settingsWith(defaultLabels), "web") ?? [])];
}

function sessionInputs(news: Record<string, unknown>, settings: LabelSettings): Record<string, unknown> {
  return kind.normalize?.(news, settings) ?? news;
}

const owner = {
  "pulumi-project": "shop",
  "pulumi-stack": "dev",
  "pulumi-stack-id": "0123456789abcdef",
  "pulumi-resource": "web",
};

/** What the resource class hands over for the given declaration. */
function declared(args: Record<string, unknown>) {
  const labels = args["labels"];
  const labelsAll = labels === unknownValue ? unknownValue : { ...(labels as object), ...owner };
  return { imageId: "agb-code-space-1", labelsAll, ...args };
}

function settingsWith(defaultLabels: Record<string, string> = {}, ignoreLabels: string[] = []): LabelSettings {
  return { defaultLabels, ignoreLabels };
}

function manyLabels(count: number, prefix = "label"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, "x"]));
}

test.each([
  ["the least", {}],
  ["everything", { labels: { team: "web" }, idleTimeoutSeconds: 600, policyId: "longDuration-policy" }],
  ["fifteen labels beside the provider's five", { labels: manyLabels(15) }],
])("a sound declaration has no problem: %s", (_, args) => {
  expect(sessionProblems(declared(args), {})).toEqual([]);
});

test("all problems are reported together, with their paths", () => {
  const problems = sessionProblems(
    declared({
      imageId: " ",
      imagId: "agb-code-space-1",
      labels: { "a b": "", "": "x", "pulumi-create": "mine" },
      idleTimeoutSeconds: 0.5,
      policyId: 7,
    }),
    {},
  );
  expect(problems).toEqual([
    { path: "imagId", reason: "unknown property; did you mean imageId?", code: "AGB101" },
    { path: "imageId", reason: "must not be blank", code: "AGB104" },
    { path: 'labels["a b"]', reason: "the value is blank; leave the label out instead", code: "AGB105" },
    { path: 'labels[""]', reason: "the key is blank", code: "AGB105" },
    {
      path: 'labels["pulumi-create"]',
      reason: 'keys that begin with "pulumi-" are reserved for the provider; choose another key',
      code: "AGB106",
    },
    { path: "idleTimeoutSeconds", reason: "must be a whole number of seconds, 1 or more", code: "AGB104" },
    { path: "policyId", reason: "must be a string, not a number", code: "AGB103" },
  ]);
});

test("a missing image is a problem that gives an example", () => {
  const { imageId: _, ...news } = declared({});
  expect(sessionProblems(news, {})).toEqual([
    { path: "imageId", reason: "is required, such as agb-code-space-1", code: "AGB102" },
  ]);
});

test.each([
  ["imageID", "imageId"],
  ["imagId", "imageId"],
  ["lables", "labels"],
  ["Labels", "labels"],
  ["idleTimeoutSecond", "idleTimeoutSeconds"],
  ["idleTimeout", undefined],
  ["size", undefined],
])("a property called %s is one problem, which asks whether %s was meant", (name, meant) => {
  const { imageId, ...news } = declared({});
  const reason =
    meant === undefined ? expect.stringMatching(/^unknown property; AgbSession has imageId, labels, /) : null;
  expect(sessionProblems({ ...news, ...(meant !== "imageId" && { imageId }), [name]: "x" }, {})).toEqual([
    { path: name, reason: reason ?? `unknown property; did you mean ${meant}?`, code: "AGB101" },
  ]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "600", true, null, [600]])(
  "an idle time of %j is a problem",
  (idleTimeoutSeconds) => {
    const problems = sessionProblems(declared({ idleTimeoutSeconds }), {});
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path).toBe("idleTimeoutSeconds");
  },
);

test.each([5, null, "team=web", ["team"], true])("labels given as %j are one problem", (labels) => {
  const problems = sessionProblems({ ...declared({}), labels }, {});
  expect(problems.map(({ path }) => path)).toEqual(["labels"]);
});

test.each([5, null, "x", ["a"]])("a reserved label with the value %j is a problem, not a crash", (value) => {
  const problems = sessionProblems(declared({ labels: { "pulumi-mine": value } }), {});
  expect(problems[0]).toEqual({
    path: 'labels["pulumi-mine"]',
    reason: 'keys that begin with "pulumi-" are reserved for the provider; choose another key',
    code: "AGB106",
  });
});

test("a resource name that is too long for a label is a problem", () => {
  const news = { ...declared({}), labelsAll: { ...owner, "pulumi-resource": "w".repeat(257) } };
  expect(sessionProblems(news, {})).toEqual([
    {
      path: 'labelsAll["pulumi-resource"]',
      reason: "the name is too long for a label; the limit is 256 characters",
      code: "AGB108",
    },
  ]);
});

describe("the limit of twenty labels", () => {
  const reason = (declaredCount: number, defaults: number) =>
    `21 labels in total (${declaredCount} declared, ${defaults} default, 5 of the provider); the limit is 20`;

  test("counts declared ones, default ones and the provider's own", () => {
    expect(sessionProblems(declared({ labels: manyLabels(10) }), manyLabels(6, "default"))).toEqual([
      { path: "labels", reason: reason(10, 6), code: "AGB107" },
    ]);
  });

  test.each([
    ["the repository's label in a preview environment", { "pulumi-repository": "github.com/repositories/81" }],
    ["the label of a session that its program retains", { "pulumi-retain": "true" }],
  ])("leaves room for %s only where it is present", (_, more) => {
    const news = (count: number) => {
      const { labelsAll, ...others } = declared({ labels: manyLabels(count) });
      return { ...others, labelsAll: { ...(labelsAll as object), ...more } };
    };
    expect(sessionProblems(news(14), {})).toEqual([]);
    expect(sessionProblems(news(15), {})).toEqual([
      {
        path: "labels",
        reason: reason(15, 0).replace("20 labels", "21 labels").replace("5 of the", "6 of the"),
        code: "AGB107",
      },
    ]);
  });

  test("counts a default label that is declared too only once", () => {
    expect(sessionProblems(declared({ labels: manyLabels(15) }), manyLabels(15))).toEqual([]);
  });

  test("holds for default labels where none are declared", () => {
    expect(sessionProblems(declared({}), manyLabels(15))).toEqual([]);
    expect(sessionProblems(declared({}), manyLabels(16))).toEqual([
      { path: "labels", reason: reason(0, 16), code: "AGB107" },
    ]);
  });
});

describe("values that a preview does not know yet", () => {
  const sound = { labels: { team: "web" }, idleTimeoutSeconds: 600, policyId: "p" };

  test.each(["imageId", "labels", "idleTimeoutSeconds", "policyId", "labelsAll"])("pass in place of %s", (name) => {
    expect(sessionProblems({ ...declared(sound), [name]: unknownValue }, { cost: "1" })).toEqual([]);
  });

  test("pass as the value of a label", () => {
    const news = declared({ labels: { team: unknownValue } });
    expect(sessionProblems(news, {})).toEqual([]);
    expect(sessionInputs(news, settingsWith({ cost: "1" }))["labelsAll"]).toEqual({
      cost: "1",
      team: unknownValue,
      ...owner,
    });
  });

  test("do not hide the problems beside them", () => {
    const problems = sessionProblems(declared({ imageId: unknownValue, labels: { team: unknownValue, " ": "x" } }), {});
    expect(problems.map(({ path }) => path)).toEqual(['labels[" "]']);
  });

  test("make all labels unknown when the declared set is", () => {
    const news = declared({ labels: unknownValue });
    expect(sessionInputs(news, settingsWith({ cost: "1" }))).toMatchObject({
      labels: unknownValue,
      labelsAll: unknownValue,
    });
  });
});

test("no declaration makes the check itself fail", () => {
  const anything = fc.oneof(fc.anything({ maxDepth: 2 }), fc.constant(unknownValue));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("imageId", "labels", "policyId", "other"), anything), (args) => {
      const labels = args["labels"];
      const spreadable = typeof labels === "object" ? labels : {};
      const news = { ...args, labelsAll: { ...spreadable, ...owner } };
      expect(Array.isArray(sessionProblems(news, { cost: "1" }))).toBe(true);
      expect(typeof sessionInputs(news, settingsWith({ cost: "1" }))).toBe("object");
    }),
  );
});

describe("the inputs that Pulumi stores", () => {
  test("hold all labels of the session: default ones, declared ones that win, the owner's", () => {
    const inputs = sessionInputs(declared({ labels: { team: "web" } }), settingsWith({ team: "all", cost: "1" }));
    expect(inputs["labels"]).toEqual({ team: "web" });
    expect(inputs["labelsAll"]).toEqual({ team: "web", cost: "1", ...owner });
  });

  test("hold an empty set where no labels are declared, as a refresh finds it", () => {
    expect(sessionInputs(declared({}), settingsWith())["labels"]).toEqual({});
  });

  test("take only the owner's labels from `labelsAll`, so that ignored changes stay ignored", () => {
    // With ignoreChanges on `labels` Pulumi puts the old labels back, but not those inside labelsAll.
    const news = { ...declared({ labels: { team: "new" } }), labels: { team: "old" } };
    expect(sessionInputs(news, settingsWith())["labelsAll"]).toEqual({ team: "old", ...owner });
  });

  test("hold everything else unchanged", () => {
    expect(sessionInputs(declared({ policyId: "p", idleTimeoutSeconds: 60 }), settingsWith())).toMatchObject({
      imageId: "agb-code-space-1",
      policyId: "p",
      idleTimeoutSeconds: 60,
    });
  });
});

describe("ignored labels", () => {
  test.each([
    ["ci", "ignoreLabels: must be a list of keys, not a string"],
    [{ ci: "x" }, "ignoreLabels: must be a list of keys, not an object"],
    [[5], "ignoreLabels[0]: must be a string, not a number"],
    [["ci", " "], "ignoreLabels[1]: is blank"],
    [["*x"], "ignoreLabels[0]: may have * only at its end"],
  ])("given as %j are a problem", (ignoreLabels, problem) => {
    const problems = sessionProblems(declared({ ignoreLabels }), {});
    expect(problems.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([problem]);
  });

  test("are those of the session and of the settings, without repetition", () => {
    const news = declared({ ignoreLabels: ["ci", "bot-*"] });
    expect(sessionInputs(news, settingsWith({}, ["bot-*", "x"]))["ignoreLabels"]).toEqual(["ci", "bot-*", "x"]);
    expect(sessionInputs(declared({}), settingsWith({}, ["x"]))["ignoreLabels"]).toEqual(["x"]);
    expect(sessionInputs(declared({}), settingsWith())["ignoreLabels"]).toBeUndefined();
  });

  test("stay unknown in a preview that does not know them", () => {
    const news = declared({ ignoreLabels: unknownValue });
    expect(sessionInputs(news, settingsWith({}, ["x"]))["ignoreLabels"]).toBe(unknownValue);
    expect(sessionProblems(declared({ ignoreLabels: [unknownValue] }), {})).toEqual([]);
  });
});

describe("a session to adopt", () => {
  test.each([
    { sessionId: "session-1" },
    { labels: { job: "nightly" } },
    { labels: { job: unknownValue } },
    { sessionId: unknownValue },
    { labels: unknownValue },
    unknownValue,
  ])("is sound as %j", (adopt) => {
    expect(sessionProblems(declared({ adopt }), {})).toEqual([]);
  });

  test.each([
    ["session-1", "adopt: must be an object with sessionId or labels, not a string"],
    [null, "adopt: must be an object with sessionId or labels, not null"],
    [{}, "adopt: must hold either sessionId or at least one of labels"],
    [{ sessionId: "a", labels: { b: "c" } }, "adopt: must hold either sessionId or at least one of labels"],
    [{ labels: {} }, "adopt: must hold either sessionId or at least one of labels"],
    [{ labels: ["a"] }, "adopt.labels: must be an object, not a list"],
    [{ sessionId: "a", force: true }, "adopt.force: unknown property; it has sessionId, labels"],
    [{ sesionId: "a", labels: { b: "c" } }, "adopt.sesionId: unknown property; did you mean sessionId?"],
    [{ sessionId: " " }, "adopt.sessionId: must not be blank"],
    [{ sessionId: 5 }, "adopt.sessionId: must be a string, not a number"],
    [{ labels: { "a b": 5 } }, 'adopt.labels["a b"]: must be a string, not a number'],
  ])("is a problem as %j", (adopt, problem) => {
    const problems = sessionProblems(declared({ adopt }), {});
    expect(problems.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([problem]);
  });
});

test.each([[undefined], ["recreate"], ["keep"], [unknownValue]])("`onRelease` may be %j", (onRelease) => {
  expect(sessionProblems(declared({ onRelease }), {})).toEqual([]);
});

test.each(["Keep", "", null, true])("`onRelease` cannot be %j", (onRelease) => {
  expect(sessionProblems(declared({ onRelease }), {})).toEqual([
    { path: "onRelease", reason: 'must be "recreate" or "keep"', code: "AGB104" },
  ]);
});

test.each([{}, { create: 0.5 }, { create: 60, update: 5, delete: unknownValue }, unknownValue])(
  "limits are sound as %j",
  (timeouts) => {
    expect(sessionProblems(declared({ timeouts }), {})).toEqual([]);
  },
);
