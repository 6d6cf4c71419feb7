import { z } from "zod";
import type { Labels } from "../../api/labels";
import { printable } from "../../api/outside-text";
import { isReserved } from "../../lifecycle/ownership";
import type { Advice } from "../kind";
import { filledString, mustBe } from "../types";
import type { FunctionProperty } from "./look-up";

/** Labels as AGB returns them, or as it looks for them. */
export const anyLabels = z.record(
  z.string(),
  z.string(),
  mustBe("an object of strings"),
) as unknown as z.ZodType<Labels>;

/** The input that says which session to ask about. */
export const sessionIdInput = {
  description: "AGB's id of the session.",
  type: filledString,
  example: "session-flzgquzm2h9jq6hd1nzethyo3",
} satisfies FunctionProperty;

/** The output that repeats that input. */
export const sessionIdOutput = {
  description: "AGB's id of the session.",
  type: z.string(),
} satisfies FunctionProperty;

/** The output of an address that holds a token. */
export const secretUrl = {
  description: "The address. It holds a token, so it is a secret output.",
  type: z.string(),
  isSecret: true,
} satisfies FunctionProperty;

/** What to do when there is no session with an id. */
export const missingSession: Advice = {
  code: "AGB314",
  text:
    "AGB releases idle sessions. Give the id of a running session. To look for sessions that may not exist, look " +
    "them up by their labels.",
};

/** A session in messages. */
export function sessionWords(sessionId: string): string {
  return `session ${printable(sessionId)}`;
}

/** The labels that people and programs set, without the provider's own. */
export function withoutOwnLabels(labelsAll: Labels): Labels {
  return Object.fromEntries(Object.entries(labelsAll).filter(([key]) => !isReserved(key)));
}
