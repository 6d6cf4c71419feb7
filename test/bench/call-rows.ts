import type { CallCounts, OperationCalls } from "./api-calls";
import { notMeasured } from "./life-tables";
import { comparedNames, type SubjectName } from "./subject";

const operations: readonly { readonly key: keyof OperationCalls; readonly title: string; readonly target: string }[] = [
  { key: "create", title: "create", target: "1" },
  { key: "unchanged", title: "unchanged refresh", target: "2" },
  { key: "labelEdit", title: "label edit", target: "2" },
  { key: "delete", title: "delete", target: "1 + looks" },
  { key: "oncePerUp", title: "once per `up`", target: "1" },
];

/** Rows of a table of API calls: for each operation the sum, then one row for each of AGB's names. */
export function callRows(calls: ReadonlyMap<SubjectName, OperationCalls>): string[][] {
  const cells = (measure: (calls: OperationCalls) => number) =>
    comparedNames.map((name) => {
      const ofSubject = calls.get(name);
      return ofSubject === undefined ? notMeasured : String(measure(ofSubject));
    });
  const rows = operations.flatMap(({ key, title, target }) => {
    const callNames = new Set([...calls.values()].flatMap((each) => Object.keys(each[key])));
    return [
      [title, ...cells((each) => sum(each[key])), target],
      ...[...callNames].map((callName) => [`  ${callName}`, ...cells((each) => each[key][callName] ?? 0)]),
    ];
  });
  return [["operation", ...comparedNames, "target"], ...rows];
}

function sum(counts: CallCounts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
