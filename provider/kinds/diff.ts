import type { Difference, Properties } from "./hosted-kind";
import type { Property, ResourceKind } from "./kind";
import { inputNames, inputsOf } from "./state";

/** Determines what a change from a state to new inputs means, from the declarations of the kind's properties. */
export function differenceOf<State extends object>(
  kind: ResourceKind<State>,
  olds: Properties,
  news: Properties,
): Difference {
  const special = kind.differences?.(olds as Partial<State>, news as State) ?? {};
  const before = inputsOf(kind, olds);
  const changed = inputNames(kind.properties).filter(
    (name) => !special.ignored?.includes(name) && !isSameValue(before[name], news[name]),
  );
  const replaces = changed.filter(
    (name) => kind.properties[name]?.change === "replaces" && !isNotTold(kind.properties[name], before[name]),
  );
  return {
    changed,
    replaces: [...replaces, ...(special.replaces ?? [])],
    isUnfinished: special.isUnfinished ?? false,
    deleteBeforeReplace: special.deleteBeforeReplace ?? false,
  };
}

/** Whether a value only stands for one that AGB did not tell when the resource was imported. */
export function isNotTold(property: Property | undefined, value: unknown): boolean {
  return property?.importedAs !== undefined && isSameValue(value, property.importedAs);
}

// The values come from Pulumi: JSON whose objects have no order.
function isSameValue(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/** Encodes a value from Pulumi so that equal values are equal strings. */
export function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
