import { DiffResponse, PropertyDiff } from "@pulumi/pulumi/proto/provider_pb";
import type { DetailedDifference, Difference, Properties } from "../../kinds/hosted-kind";
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
  const { changed, replaces, deleteBeforeReplace, before } = difference;
  const names = [...new Set([...changed, ...replaces])];
  const isChange = hasChanges(difference);
  const response = new DiffResponse()
    .setChanges(isChange ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE)
    // The display shows nothing of a list with paths in it.
    .setDiffsList(names)
    .setReplacesList([...replaces])
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(isChange);
  for (const name of names) {
    const found = [...differencesAt(name, before[name], news[name], partsOf(marks, name))];
    // A replacement may have a reason that no value shows.
    const shown: (readonly [string, Way])[] = found.length > 0 ? found : [[name, "UPDATE"]];
    for (const [path, way] of shown) {
      const kind = PropertyDiff.Kind[replaces.includes(name) ? (`${way}_REPLACE` as const) : way];
      response.getDetaileddiffMap().set(path, new PropertyDiff().setKind(kind));
    }
  }
  return response;
}

/** Whether there is anything to do. */
export function hasChanges({ changed, replaces, isUnfinished }: Difference): boolean {
  return changed.length > 0 || replaces.length > 0 || isUnfinished;
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
      const inside = pathOf(path, key);
      const [former, next] = [ownValue(before, key), ownValue(after, key)];
      if (inside !== undefined) {
        yield* differencesAt(inside, former, next, partsOf(marks, key));
      } else if (!isSameData(former, next)) {
        yield [path, "UPDATE"];
      }
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index += 1) {
      yield* differencesAt(`${path}[${index}]`, before[index], after[index], partsOf(marks, String(index)));
    }
  } else {
    yield [path, "UPDATE"];
  }
}

/** The value of a key. Every object has a `constructor` that is none of its own. */
function ownValue(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function partsOf(marks: readonly (Mark | undefined)[], key: string): (Mark | undefined)[] {
  return marks.map((mark) => mark?.parts?.get(key));
}

/**
 * The path of a key inside of another path; `undefined` when there is none: in quotes, Pulumi takes a backslash at the end of a
 * key for the escape of the quote, and fails. A key without quotes ends at a dot or a bracket.
 */
function pathOf(path: string, key: string): string | undefined {
  if (/^[A-Za-z_$][\w$]*$/.test(key) || /^[^.[\]"]*\\$/.test(key)) {
    return `${path}.${key}`;
  }
  return key.endsWith("\\") ? undefined : `${path}["${key.replaceAll('"', '\\"')}"]`;
}
