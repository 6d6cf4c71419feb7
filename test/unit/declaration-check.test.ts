import * as fc from "fast-check";
import { declarationProblems, isDeclarable } from "../../provider/kinds/check";
import { cleanProperties } from "../../provider/kinds/clean-properties";
import { commandKind } from "../../provider/kinds/command";
import { contextKind } from "../../provider/kinds/context";
import { CreatesInFlight } from "../../provider/kinds/creates-in-flight";
import { differenceOf } from "../../provider/kinds/diff";
import { fileKind } from "../../provider/kinds/file";
import type { ResourceKind } from "../../provider/kinds/kind";
import { sessionKind } from "../../provider/kinds/session";
import { unknownValue } from "../../provider/kinds/unknown";
import { systemClock } from "../../provider/lifecycle/wait";
import { type Problem, propertyPath } from "../../provider/messages/problem";

// What must hold for every kind and every declaration, so that a new property or kind need not prove it again.

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Declaration = { [name: string]: Json };
type Path = readonly (string | number)[];

/** A kind with a sound declaration of all its properties, and faults that each spoil a place of their own. */
interface Example {
  readonly kind: ResourceKind<object>;
  readonly sound: Declaration;
  readonly faults: readonly (readonly [place: Path, value: Json, reportedAt?: string])[];
  /** Objects whose keys the user chooses. */
  readonly maps: readonly string[];
}

const runtime = { clock: systemClock, creates: new CreatesInFlight(), say: () => {} };
const settings = { defaultLabels: { cost: "1" }, ignoreLabels: [] };

const session: Example = {
  kind: sessionKind(runtime) as unknown as Example["kind"],
  sound: {
    imageId: "image-value",
    labels: { team: "label-value", "a b": "other-label-value" },
    idleTimeoutSeconds: 600,
    policyId: "policy-value",
    ignoreLabels: ["pattern-value*"],
    contextSyncs: [
      {
        contextId: "context-value",
        path: "/path-value",
        policy: {
          uploadPolicy: { autoUpload: true, uploadStrategy: "UploadBeforeResourceRelease", uploadMode: "File" },
          downloadPolicy: { autoDownload: true, downloadStrategy: "DownloadAsync" },
          deletePolicy: { syncLocalFile: true },
          extractPolicy: { extract: true, deleteSrcFile: true, extractCurrentFolder: false },
          recyclePolicy: { lifecycle: "Lifecycle_Forever", paths: ["/recycled-value"] },
          bwList: { whiteLists: [{ path: "/white-value", excludePaths: ["/excluded-value"] }] },
          mappingPolicy: { path: "/mapped-value" },
        },
      },
      { contextId: "second-context-value", path: "/second-path-value" },
      { contextId: "third-context-value", path: "/third-path-value" },
    ],
    releaseWithoutUpload: true,
    keepAlive: true,
    onRelease: "keep",
    timeouts: { create: 60, update: 60, delete: 60 },
  },
  faults: [
    [["imageId"], 5],
    [["labels", "team"], " "],
    [["labels", "a b"], ["a"]],
    [["labels", "pulumi-mine"], "x"],
    [["idleTimeoutSeconds"], 0.5],
    [["policyId"], ""],
    [["ignoreLabels", 0], "*x"],
    [["contextSyncs", 0, "contextId"], "second-context-value", "contextSyncs[1].contextId"],
    [["contextSyncs", 0, "policy", "uploadPolicy", "uploadMode"], "mode-value"],
    [["contextSyncs", 0, "policy", "uploadPolicy", "autoUplod"], true],
    [["contextSyncs", 0, "policy", "downloadPolicy"], "download-value"],
    [["contextSyncs", 0, "policy", "recyclePolicy", "paths", 0], "/recycled-value/*"],
    [["contextSyncs", 0, "policy", "bwList", "whiteLists", 0, "path"], 7],
    [["contextSyncs", 1, "path"], "relative-value"],
    [["contextSyncs", 2, "path"], " "],
    [["contextSyncs", 2, "policy"], [1]],
    [["releaseWithoutUpload"], "yes-value"],
    [["keepAlive"], "always-value"],
    [["onRelease"], "release-value"],
    [["timeouts", "create"], -1],
    [["timeouts", "creat"], 5],
    [["nothingLikeIt"], "x"],
    [["strange name"], "x"],
  ],
  maps: ["labels", "adopt.labels"],
};

const adoption: Example = {
  kind: session.kind,
  sound: { imageId: "image-value", adopt: { labels: { job: "adopted-value" } } },
  faults: [
    [["imageId"], null],
    [["adopt", "labels", "job"], ""],
    [["adopt", "sessionId"], "id-value", "adopt"],
    [["adopt", "labels", "other"], true],
  ],
  maps: session.maps,
};

const context: Example = {
  kind: contextKind(runtime) as unknown as Example["kind"],
  sound: {
    name: "name-value",
    adopt: false,
    forceDestroy: true,
    timeouts: { create: 60, update: 60, delete: 60 },
  },
  faults: [
    [["name"], " name-value"],
    [["adopt"], "adopt-value"],
    [["forceDestroy"], 1],
    [["timeouts", "delete"], "delete-value"],
    [["timeouts", "udpate"], 5],
    [["fourthly"], {}],
  ],
  maps: [],
};

const command: Example = {
  kind: commandKind(runtime) as unknown as Example["kind"],
  sound: {
    sessionId: "session-value",
    create: "create-value",
    update: "update-value",
    delete: "delete-value",
    environment: { NAME: "variable-value", OTHER_NAME: "other-variable-value" },
    stdin: "stdin-value",
    triggers: ["trigger-value", ["inner-value"], 1],
    workingDirectory: "/directory-value",
    timeoutSeconds: 60,
    logging: "stderr",
    sensitive: true,
    addPreviousOutputInEnv: false,
  },
  faults: [
    [["sessionId"], " "],
    [["create"], "nul-\0-value"],
    [["update"], ""],
    [["delete"], ["delete-value"]],
    [["environment", "NAME"], 5],
    [["environment", "OTHER_NAME"], "nul-\0-value"],
    [["environment", "two words"], "named-value"],
    [["stdin"], "nul-\0-value"],
    [["triggers"], "trigger-value"],
    [["workingDirectory"], "relative-value"],
    [["timeoutSeconds"], 86_401],
    [["logging"], "all-value"],
    [["sensitive"], "yes-value"],
    [["addPreviousOutputInEnv"], 1],
    [["enviroment"], {}],
  ],
  maps: ["environment"],
};

const file: Example = {
  kind: fileKind() as unknown as Example["kind"],
  sound: {
    sessionId: "session-value",
    source: { archive: { "a-value": { text: "text-value" }, "folder/b-value": { text: "" } } },
    path: "/path-value",
    permissions: "0640",
    timeouts: { create: 60, update: 60, delete: 60 },
  },
  faults: [
    [["sessionId"], ""],
    [["source"], "source-value"],
    [["path"], "relative-value"],
    [["permissions"], "9-value"],
    [["timeouts", "delete"], "delete-value"],
    [["sources"], {}],
  ],
  maps: ["source.archive"],
};

const examples = [
  ["AgbSession", session],
  ["AgbSession with adopt", adoption],
  ["AgbContext", context],
  ["AgbCommand", command],
  ["AgbFile", file],
] as const;

function problemsOf({ kind }: Example, news: Declaration): Problem[] {
  return [
    ...declarationProblems(kind.name, kind.properties, news),
    ...(kind.problems?.(news, settings, undefined) ?? []),
  ];
}

/** All places in a value that hold something, from the outside in. */
function placesIn(value: Json, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) {
    return [path];
  }
  const entries: (readonly [string | number, Json])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : Object.entries(value);
  return [...(path.length > 0 ? [path] : []), ...entries.flatMap(([step, item]) => placesIn(item, [...path, step]))];
}

function valueAt(value: Json, path: Path): Json | undefined {
  return path.reduce<Json | undefined>((found, step) => (found as Declaration | undefined)?.[step], value);
}

/** A copy with another value at a place; `undefined` takes the place out. Where the place has gone, nothing changes. */
function withValue(declaration: Declaration, path: Path, value: Json | undefined): Declaration {
  const copy = structuredClone(declaration);
  const holder = valueAt(copy, path.slice(0, -1));
  const last = path.at(-1) as string;
  if (typeof holder !== "object" || holder === null) {
    return copy;
  }
  if (value === undefined) {
    delete (holder as Declaration)[last];
  } else {
    (holder as Declaration)[last] = value;
  }
  return copy;
}

function isAtOrBelow(path: string, place: Path): boolean {
  const above = propertyPath(place);
  return path === above || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
}

const isAboutName = ({ reason }: Problem) =>
  reason.startsWith("unknown property") || reason.startsWith("keys that begin with") || reason.startsWith("the key ");

/** Values of any type, none of which a reason would hold by chance. */
const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.stringMatching(/^[a-z]{20}-value$/),
    fc.maxSafeNat().map((number) => number + 10_000_000_000),
    fc.boolean(),
    fc.constant(null),
    fc.constant(" "),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("path", "paths", "labels", "create", "policy", "a b"), tie("value"), { maxKeys: 3 }),
  ),
})).value;

/** The sound declaration with some of its values replaced by any others. */
function spoiltDeclaration({ sound, faults }: Example): fc.Arbitrary<Declaration> {
  const spoiling = fc.oneof(
    fc.constantFrom(...faults).map(([place, value]) => [place, value] as const),
    fc.tuple(fc.constantFrom(...placesIn(sound)), anyValue),
  );
  return fc
    .array(spoiling, { maxLength: 5 })
    .map((changes) => changes.reduce((news, [place, value]) => withValue(news, place, value), sound));
}

describe.each(examples)("%s", (_, example) => {
  test("has no problem in its sound declaration", () => {
    expect(problemsOf(example, example.sound)).toEqual([]);
  });

  test("lets values pass that are not known yet, at any depth, and still finds all other problems", () => {
    const declarations = spoiltDeclaration(example).chain((before) =>
      fc.tuple(fc.constant(before), fc.uniqueArray(fc.constantFrom(...placesIn(before)), { maxLength: 4 })),
    );
    fc.assert(
      fc.property(declarations, ([before, places]) => {
        const after = places.reduce((news, place) => withValue(news, place, unknownValue), before);
        const isAboutUnknown = (path: string) => places.some((place) => isAtOrBelow(path, place));
        const [found, expected] = [problemsOf(example, after), problemsOf(example, before)];

        expect(found.filter((problem) => isAboutUnknown(problem.path) && !isAboutName(problem))).toEqual([]);
        // A problem that compares two values, or concerns a whole object, may go when a part of it is unknown.
        const stays = ({ path, reason }: Problem) => {
          const compared = /^is the same as in (\S+)$/.exec(reason)?.[1];
          const others = compared === undefined ? [] : [`${compared}.${path.split(".").at(-1)}`];
          const isWhole = places.some((place) => isAtOrBelow(propertyPath(place), [path]));
          return ![path, ...others].some(isAboutUnknown) && !isWhole;
        };
        expect(found).toEqual(expect.arrayContaining(expected.filter(stays)));
        const paths = expected.map(({ path }) => path);
        expect(found.map(({ path }) => path).filter((path) => !paths.includes(path))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("takes a value that is not known yet for a change, at any depth", () => {
    const { kind, sound } = example;
    const inputsOf = (news: Declaration) => kind.normalize?.({ ...news }, settings) ?? news;
    const isInput = ([name]: Path) => name !== undefined && kind.properties[name]?.change !== "output";
    const inputPlaces = placesIn(sound).filter(isInput);
    fc.assert(
      fc.property(fc.subarray(inputPlaces, { minLength: 1, maxLength: Math.min(4, inputPlaces.length) }), (places) => {
        const news = places.reduce((found, place) => withValue(found, place, unknownValue), sound);
        const { changed, replaces } = differenceOf(kind, inputsOf(sound), inputsOf(news));
        const expected = places.map(([name]) => String(name));
        expect(changed).toEqual(expect.arrayContaining(expected));
        const replacing = expected.filter((name) => kind.properties[name]?.change === "replaces");
        expect(replaces).toEqual(expect.arrayContaining(replacing));
      }),
      { numRuns: 300 },
    );
  });

  test("shows no declared value in any reason", () => {
    const leavesOf = (news: Declaration) =>
      placesIn(news)
        .map((place) => valueAt(news, place))
        .filter(
          (leaf) =>
            (typeof leaf === "string" && leaf.includes("-value")) ||
            (typeof leaf === "number" && leaf >= 10_000_000_000),
        );
    fc.assert(
      fc.property(spoiltDeclaration(example), (news) => {
        const reasons = problemsOf(example, news)
          .map(({ reason }) => reason)
          .join("\n");
        expect(leavesOf(news).filter((leaf) => reasons.includes(String(leaf)))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("finds as many problems as there are independent faults, each with its Pulumi property path", () => {
    fc.assert(
      fc.property(fc.subarray([...example.faults]), (faults) => {
        const news = faults.reduce((spoilt, [place, value]) => withValue(spoilt, place, value), example.sound);
        const expected = faults.map(([place, , reportedAt]) => reportedAt ?? propertyPath(place));
        expect(
          problemsOf(example, news)
            .map(({ path }) => path)
            .sort(),
        ).toEqual(expected.sort());
      }),
      { numRuns: 300 },
    );
  });

  const named = placesIn(example.sound).filter(
    (place) => typeof place.at(-1) === "string" && !example.maps.includes(propertyPath(place.slice(0, -1))),
  );

  test.each(named.map((place) => [propertyPath(place), place] as const))(
    "asks whether %s was meant where it is misspelt, and says nothing else",
    (path, place) => {
      const name = String(place.at(-1));
      const misspelt = `${name.slice(0, -2)}${name.at(-1)}${name.at(-2)}`;
      const spoilt = [...place.slice(0, -1), misspelt === name ? `${name}x` : misspelt];
      const value = valueAt(example.sound, place) as Json;
      const news = withValue(withValue(example.sound, place, undefined), spoilt, value);
      expect(path).not.toBe(propertyPath(spoilt));
      expect(problemsOf(example, news)).toEqual([
        { path: propertyPath(spoilt), reason: `unknown property; did you mean ${name}?`, code: "AGB101" },
      ]);
    },
  );

  test("never makes the check itself fail, whatever JSON is declared", () => {
    const names = [...Object.keys(example.kind.properties), "__proto__", "constructor", "toString", "", "length"];
    const { value } = fc.letrec<{ value: Json }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
        fc.constant(unknownValue),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names, "sessionId", "contextId", "path", "policy"), tie("value"), {
          maxKeys: 4,
        }),
      ),
    }));
    const declarations = fc.oneof(
      fc.dictionary(fc.constantFrom(...names), value),
      fc
        .tuple(spoiltDeclaration(example), fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 2 }))
        .map(([news, more]) => ({ ...news, ...more })),
    );
    fc.assert(
      fc.property(declarations, (declaration) => {
        const news = JSON.parse(JSON.stringify(declaration)) as Declaration;
        const problems = problemsOf(example, news);
        expect(problems.every(({ path, reason }) => path !== "" && reason !== "")).toBe(true);
        if (problems.length === 0) {
          const inputs = cleanProperties(example.kind.normalize?.(news, settings) ?? news);
          expect(JSON.parse(JSON.stringify(inputs))).toEqual(inputs);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("the sound declarations hold each property that a program may declare", () => {
  const declared = new Set(
    examples.flatMap(([, { kind, sound }]) => Object.keys(sound).map((name) => `${kind.name}.${name}`)),
  );
  const declarable = examples.flatMap(([, { kind }]) =>
    Object.entries(kind.properties)
      .filter(([, property]) => isDeclarable(property))
      .map(([name]) => `${kind.name}.${name}`),
  );
  expect([...declared].sort()).toEqual([...new Set(declarable)].sort());
});
