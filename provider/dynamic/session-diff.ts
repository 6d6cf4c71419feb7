import type * as pulumi from "@pulumi/pulumi";
import { sameLabels } from "../lifecycle/labels";
import { withoutCreateToken } from "../lifecycle/ownership";
import { tokenOf } from "./own-token";
import { fixedProperties, instructionProperties, type SessionProperties } from "./session-properties";

/**
 * Says what a change means. Where inputs differ `changes` is left undefined: Pulumi then compares them itself, shows
 * the detail and honours `replaceOnChanges`. Labels of a released session are no difference: nothing can set them any
 * more, and the session that replaces it gets the declared ones.
 */
export async function diffSession(
  _id: string,
  olds: Partial<SessionProperties>,
  news: SessionProperties,
): Promise<pulumi.dynamic.DiffResult> {
  const replaces: string[] = fixedProperties.filter((name) => olds[name] !== news[name]);
  if (olds.released && news.onRelease !== "keep") {
    replaces.push("onRelease");
  }
  const carried = olds.labelsAll ?? {};
  const labelsDiffer =
    !sameLabels(olds.labels ?? {}, news.labels) || !sameLabels(withoutCreateToken(carried), news.labelsAll);
  const inputsDiffer =
    replaces.length > 0 ||
    (labelsDiffer && !olds.released) ||
    instructionProperties.some((name) => !isSameValue(olds[name], news[name]));
  if (inputsDiffer) {
    return { replaces };
  }
  // The create label is no input, so only the outputs show that the session does not carry its own.
  return { changes: !olds.released && (olds.ownToken !== undefined || tokenOf(carried) === undefined) };
}

// The values are what Pulumi carries: JSON without order in its objects.
function isSameValue(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
