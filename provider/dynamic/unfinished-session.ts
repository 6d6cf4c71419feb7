import type { Labels } from "../api/labels";
import { UnfinishedError } from "./failure";
import { cleanProperties } from "./properties";
import { declaredPart, outputsOf, type SessionProperties } from "./session-properties";

/**
 * The error that keeps a session in the state which exists but is not as declared.
 *
 * @param carried labels that the state shall hold, so that the next `up` sees the difference
 */
export function unfinishedSession(
  id: string,
  known: SessionProperties,
  carried: Labels,
  reason: string,
): UnfinishedError {
  // Pulumi takes these properties as they are: without `__provider` nothing could be done with the session again.
  const properties = { ...outputsOf(known, declaredPart(carried, known), carried), __provider: known.__provider };
  return new UnfinishedError(id, cleanProperties(properties), [reason]);
}
