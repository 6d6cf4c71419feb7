import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import type { DetailedDifference, Properties } from "../../kinds/hosted-kind";
import { isObject, isSameData, type Mark } from "./property-values";

/** How a value differs. */
type Way = "ADD" | "DELETE" | "UPDATE";

/**
 * Writes a difference as the engine wants it: names of properties, and each path at which a value differs.
 *
 * @param marks marks of both sides; a path never leads into a secret, whose keys may be secret too
 */
export function diffResponse(
  difference: DetailedDifference,
  news: Properties,
  marks: readonly (Mark | undefined)[] = [],
): DiffResponse {
  const { changed, replaces, isUnfinished, deleteBeforeReplace, before } = difference;
  const names = [...new Set([...changed, ...replaces])];
  const hasChanges = names.length > 0 || isUnfinished;
  const response = new DiffResponse()
    .setChanges(hasChanges ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE)
    // The display shows nothing of a list with paths in it.
    .setDiffsList(names)
    .setReplacesList([...replaces])
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(hasChanges);
  for (const name of names) {
    const found = [...differencesAt(pathOf("", name), before[name], news[name], partsOf(marks, name))];
    // A replacement may have a reason that no value shows.
    const shown: (readonly [string, Way])[] = found.length > 0 ? found : [[pathOf("", name), "UPDATE"]];
    for (const [path, way] of shown) {
      const kind = PropertyDiff.Kind[replaces.includes(name) ? (`${way}_REPLACE` as const) : way];
      response.getDetaileddiffMap().set(path, new PropertyDiff().setKind(kind));
    }
  }
  return response;
}

/** Yields the paths at which two values differ, as deep as both have the same shape. */
function* differencesAt(
  path: string,
  before: unknown,
  after: unknown,
  marks: readonly (Mark | undefined)[],
): Generator<readonly [string, Way]> {
  if (isSameData(before, after)) {
    return;
  }
  if (before === undefined || before === null) {
    yield [path, "ADD"];
  } else if (after === undefined || after === null) {
    yield [path, "DELETE"];
  } else if (marks.some((mark) => mark?.isSecret)) {
    yield [path, "UPDATE"];
  } else if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* differencesAt(pathOf(path, key), before[key], after[key], partsOf(marks, key));
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      yield* differencesAt(`${path}[${index}]`, before[index], after[index], partsOf(marks, String(index)));
    }
  } else {
    yield [path, "UPDATE"];
  }
}

function partsOf(marks: readonly (Mark | undefined)[], key: string): (Mark | undefined)[] {
  return marks.map((mark) => mark?.parts?.get(key));
}

function pathOf(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) {
    return `${path}["${key.replaceAll('"', '\\"')}"]`;
  }
  return path === "" ? key : `${path}.${key}`;
}
