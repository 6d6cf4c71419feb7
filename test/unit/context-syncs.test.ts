import * as fc from "fast-check";
import { declarationProblems } from "../../provider/kinds/check";
import { CreatesInFlight } from "../../provider/kinds/creates-in-flight";
import { differenceOf } from "../../provider/kinds/diff";
import { sessionKind } from "../../provider/kinds/session";
import { unknownValue } from "../../provider/kinds/unknown";
import { systemClock } from "../../provider/lifecycle/wait";

const kind = sessionKind({ clock: systemClock, creates: new CreatesInFlight(), say: () => {} });
const settings = { defaultLabels: {}, ignoreLabels: [] };
const mount = { contextId: "SdkCtx-1", path: "/home/user/data" };

/** The labels of a session that carries its create label. */
const labelsAll = { "pulumi-create": "20261122T164726Z-0123456789ab" };

const declare = (contextSyncs: unknown, more: Record<string, unknown> = {}) => ({
  imageId: "agb-code-space-1",
  labels: {},
  labelsAll: {},
  contextSyncs,
  ...more,
});

/** What a check says of these mounts, as Pulumi shows it. */
function problems(contextSyncs: unknown, more: Record<string, unknown> = {}): string[] {
  const news = declare(contextSyncs, more);
  return [
    ...declarationProblems(kind.name, kind.properties, news),
    ...(kind.problems?.(news, settings, "web") ?? []),
  ].map(({ path, reason }) => `${path}: ${reason}`);
}

/** What the change from one list of mounts to another means. */
function difference(before: unknown, after: unknown) {
  const normalized = (contextSyncs: unknown) => kind.normalize?.(declare(contextSyncs), settings) ?? {};
  return differenceOf(kind, { ...normalized(before), labelsAll }, normalized(after));
}

const wholePolicy = {
  uploadPolicy: { autoUpload: false, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "Archive" },
  downloadPolicy: { autoDownload: false, downloadStrategy: "DownloadAsync" },
  deletePolicy: { syncLocalFile: false },
  extractPolicy: { extract: false, deleteSrcFile: false, extractCurrentFolder: true },
  recyclePolicy: { lifecycle: "Lifecycle_30Days", paths: ["/logs"] },
  bwList: { whiteLists: [{ path: "/src", excludePaths: ["/src/tmp"] }] },
  mappingPolicy: { path: "/home/other/data" },
};

/** Every default written out. */
const defaultPolicy = {
  uploadPolicy: { autoUpload: true, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "File" },
  downloadPolicy: { autoDownload: true, downloadStrategy: "DownloadAsync" },
  deletePolicy: { syncLocalFile: true },
  extractPolicy: { extract: true, deleteSrcFile: true, extractCurrentFolder: false },
  recyclePolicy: { lifecycle: "Lifecycle_Forever", paths: [""] },
  bwList: { whiteLists: [] },
};

describe("check", () => {
  test.each([
    ["none", undefined],
    ["an empty list", []],
    ["a mount without a policy", [mount]],
    ["a whole policy", [{ ...mount, policy: wholePolicy }]],
    ["two contexts at two paths", [mount, { contextId: "SdkCtx-2", path: "/home/user/data2" }]],
    ["a folder whose name begins with dots", [{ ...mount, path: "/home/.cache/..data" }]],
    ["one path inside of the other", [mount, { contextId: "SdkCtx-2", path: `${mount.path}/more` }]],
  ])("accepts %s", (_, contextSyncs) => {
    expect(problems(contextSyncs)).toEqual([]);
  });

  const policyProblem = (policy: unknown) => problems([{ ...mount, policy }]);

  test.each([
    ["a relative path", [{ ...mount, path: "data" }], "contextSyncs[0].path: must be an absolute path"],
    ["a path through ..", [{ ...mount, path: "/home/../data" }], "contextSyncs[0].path: must not go through . or .."],
    ["a path through .", [{ ...mount, path: "/data/." }], "contextSyncs[0].path: must not go through . or .."],
    ["a blank id", [{ ...mount, contextId: " " }], "contextSyncs[0].contextId: must not be blank"],
    ["no id", [{ path: "/data" }], "contextSyncs[0].contextId: is required"],
    ["no path", [{ contextId: "SdkCtx-1" }], "contextSyncs[0].path: is required"],
    ["an object in place of the list", mount, "contextSyncs: must be a list of { contextId, path, policy? }"],
    ["a string in the list", ["/data"], "contextSyncs[0]: must be an object, not a string"],
    ["a misspelt property", [{ ...mount, polcy: {} }], "contextSyncs[0].polcy: unknown property; did you mean policy?"],
  ])("refuses %s", (_, contextSyncs, problem) => {
    expect(problems(contextSyncs)).toEqual([expect.stringContaining(problem)]);
  });

  test.each(["/data", "/data/", "//data", "/data//"])(
    "refuses two mounts at one path, written /data and %s",
    (path) => {
      expect(
        problems([
          { contextId: "SdkCtx-1", path: "/data" },
          { contextId: "SdkCtx-2", path },
        ]),
      ).toEqual(["contextSyncs[1].path: is the same as in contextSyncs[0]"]);
    },
  );

  test("refuses a context that is mounted twice", () => {
    expect(problems([mount, { contextId: "SdkCtx-2", path: "/b" }, { ...mount, path: "/c" }])).toEqual([
      "contextSyncs[2].contextId: is the same as in contextSyncs[0]",
    ]);
  });

  test.each(["/a*", "/a?", "/[a]"])("refuses the wildcards of %s where AGB does", (path) => {
    const reason = "must not hold wildcards (* ? [ ])";
    expect(policyProblem({ recyclePolicy: { paths: ["/logs", path] } })).toEqual([
      `contextSyncs[0].policy.recyclePolicy.paths[1]: ${reason}`,
    ]);
    expect(policyProblem({ bwList: { whiteLists: [{ path, excludePaths: [path] }] } })).toEqual([
      `contextSyncs[0].policy.bwList.whiteLists[0].path: ${reason}`,
      `contextSyncs[0].policy.bwList.whiteLists[0].excludePaths[0]: ${reason}`,
    ]);
    expect(problems([{ ...mount, path: `/home${path}` }])).toEqual([]);
  });

  test.each([
    ["recyclePolicy.lifecycle", { recyclePolicy: { lifecycle: "Lifecycle_7Days" } }, '"Lifecycle_5Days"'],
    ["uploadPolicy.uploadMode", { uploadPolicy: { uploadMode: "Zip" } }, 'must be "File" or "Archive"'],
    ["uploadPolicy.autoUpload", { uploadPolicy: { autoUpload: "no" } }, "must be true or false, not a string"],
    ["uploadPolicy.uploadStrategy", { uploadPolicy: { uploadStrategy: "Never" } }, '"UploadBeforeResourceRelease"'],
    ["downloadPolicy.downloadStrategy", { downloadPolicy: { downloadStrategy: "Sync" } }, '"DownloadAsync"'],
    [
      "extractPolicy.extractToCurrentFolder",
      { extractPolicy: { extractToCurrentFolder: true } },
      "extractCurrentFolder?",
    ],
    ["uploadPolcy", { uploadPolcy: {} }, "did you mean uploadPolicy?"],
    ["mappingPolicy.path", { mappingPolicy: {} }, "is required"],
  ])("refuses a policy whose %s is wrong, and says what is right", (path, policy, hint) => {
    expect(policyProblem(policy)).toEqual([expect.stringMatching(`^contextSyncs\\[0\\].policy.${path}: `)]);
    expect(policyProblem(policy)[0]).toContain(hint);
  });

  test("refuses mounts of a session that adopt takes over, unless the preview does not know adopt yet", () => {
    const adopt = { sessionId: "session-1" };
    expect(problems([mount], { adopt })).toEqual([
      expect.stringMatching(/^contextSyncs: .*remove contextSyncs or adopt/),
    ]);
    expect(problems([], { adopt })).toEqual([]);
    expect(problems(unknownValue, { adopt })).toEqual([]);
    expect(problems([mount], { adopt: unknownValue })).toEqual([]);
  });

  test("names all problems at the same time and repeats no value", () => {
    const found = problems([
      { contextId: "", path: "secret-path" },
      {
        contextId: "SdkCtx-2",
        path: "/b",
        policy: { recyclePolicy: { lifecycle: "secret-life", paths: ["secret*"] } },
      },
    ]);
    expect(found).toHaveLength(4);
    expect(found.join()).not.toContain("secret");
  });
});

/** Every way to replace one value at any depth with one that a preview does not know. */
function* withUnknowns(value: unknown): Generator<unknown> {
  yield unknownValue;
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const other of withUnknowns(item)) {
        yield Array.isArray(value)
          ? value.map((old, index) => (String(index) === key ? other : old))
          : { ...value, [key]: other };
      }
    }
  }
}

describe("a value that a preview does not know", () => {
  const known = [
    { ...mount, policy: wholePolicy },
    { contextId: "SdkCtx-2", path: "/b", policy: defaultPolicy },
  ];
  const variants = [...withUnknowns(known)];

  test("passes the check and is a difference that replaces, wherever it stands", () => {
    expect(variants.length).toBeGreaterThan(40);
    for (const contextSyncs of variants) {
      expect({ contextSyncs, problems: problems(contextSyncs) }).toEqual({ contextSyncs, problems: [] });
      expect({ contextSyncs, ...difference(known, contextSyncs) }).toEqual({
        contextSyncs,
        changed: ["contextSyncs"],
        replaces: ["contextSyncs"],
        isUnfinished: false,
        deleteBeforeReplace: true,
      });
    }
  });

  test("passes several times in one list", () => {
    expect(problems([unknownValue, { contextId: unknownValue, path: unknownValue }, unknownValue])).toEqual([]);
  });

  test("hides no problem of the values beside it", () => {
    expect(problems([unknownValue, { contextId: unknownValue, path: "data" }])).toEqual([
      expect.stringContaining("contextSyncs[1].path: must be an absolute path"),
    ]);
  });
});

describe("diff", () => {
  test("takes another order of the mounts for no change", () => {
    const mounts = ["/c", "/a", "/b"].map((path) => ({ contextId: `SdkCtx-${path}`, path }));
    fc.assert(
      fc.property(fc.shuffledSubarray(mounts, { minLength: 3 }), (shuffled) => {
        expect(difference(mounts, shuffled)).toMatchObject({ changed: [], replaces: [] });
      }),
    );
  });

  test("takes a default that is written out for no change, and each other value for one", () => {
    expect(difference([mount], [{ ...mount, policy: defaultPolicy }]).changed).toEqual([]);
    expect(difference([{ ...mount, policy: defaultPolicy }], [{ ...mount, policy: {} }]).changed).toEqual([]);
    for (const [part, value] of Object.entries(wholePolicy)) {
      for (const [name, field] of Object.entries(value)) {
        const policy = { [part]: { [name]: field } };
        const isDefault = ["uploadStrategy", "downloadStrategy"].includes(name);
        expect(difference([mount], [{ ...mount, policy }]).replaces).toEqual(isDefault ? [] : ["contextSyncs"]);
      }
    }
  });

  test("takes them for no change of a session that AGB has released and that stays in the state, too", () => {
    const kept = { labelsAll, onRelease: "keep", released: true };
    const news = declare([{ ...mount, policy: defaultPolicy }], { onRelease: "keep" });
    expect(differenceOf(kind, declare([mount], kept), news)).toMatchObject({ changed: [], replaces: [] });
    expect(differenceOf(kind, declare([], kept), news).replaces).toEqual(["contextSyncs"]);
  });

  test("takes no mounts and an empty list for the same", () => {
    expect(difference(undefined, []).changed).toEqual([]);
    expect(difference([], undefined).changed).toEqual([]);
  });

  test("replaces a session with mounts after it is released, and one without mounts before", () => {
    const other = [{ ...mount, path: "/b" }];
    expect(difference([mount], other)).toMatchObject({ replaces: ["contextSyncs"], deleteBeforeReplace: true });
    expect(difference([mount], [])).toMatchObject({ replaces: ["contextSyncs"], deleteBeforeReplace: true });
    expect(difference([], [mount])).toMatchObject({ replaces: ["contextSyncs"], deleteBeforeReplace: false });
  });

  test("takes whether to release without an upload for an update that stays in the state", () => {
    const news = declare([mount], { releaseWithoutUpload: true });
    expect(differenceOf(kind, declare([mount], { labelsAll }), news)).toMatchObject({
      changed: ["releaseWithoutUpload"],
      replaces: [],
    });
  });
});
