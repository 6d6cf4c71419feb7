/**
 * Types of properties that several kinds use, with the reasons that users see. `meta` says in JSON Schema what a rule in code
 * hides; the schema of a plugin follows from it.
 */
import { z } from "zod";
import type { Labels } from "../api/labels";
import { ignorePatternProblem, labelProblems } from "../lifecycle/labels";
import type { MessageCode } from "../messages/message-codes";
import { describeType } from "../messages/problem";
import type { LimitedOperation } from "./hosted-kind";
import type { Property } from "./kind";
import { blankProblem, secondsProblem } from "./value-rules";

/** The reason for a value of the wrong type. */
export function mustBe(what: string): { error: (issue: { code: string; input?: unknown }) => string | undefined } {
  return {
    // Other codes are about what is inside the value.
    error: ({ code, input }) => (code === "invalid_type" ? `must be ${what}, not ${describeType(input)}` : undefined),
  };
}

/**
 * Lets a rule of a whole object or list run although something inside of it is wrong or not known yet, so that all problems
 * show together. The rule is given values of any type there.
 */
export const despiteInnerIssues = {
  when: ({ issues }: { issues: readonly { readonly path?: readonly PropertyKey[] | undefined }[] }) =>
    issues.every(({ path = [] }) => path.length > 0),
};

/** Gives a rule of a type a code of its own. Without one, a broken rule has the code of any value that is not allowed. */
export function ruleCode(code: MessageCode): { params: { messageCode: MessageCode } } {
  return { params: { messageCode: code } };
}

/** Says the type of an asset or an archive in the schema of a plugin. */
export const assetSchema = { $ref: "pulumi.json#/Asset" } as const;

/** The code that `ruleCode` gave a rule, from the parameters of its issue. */
export function codeOfRule(parameters: Readonly<Record<string, unknown>> | undefined): MessageCode | undefined {
  return parameters?.["messageCode"] as MessageCode | undefined;
}

/**
 * Makes a check of a type out of a rule of `value-rules`.
 *
 * @param code code of the rule, see `ruleCode`
 */
export function obey<Value>(rule: (value: Value) => string | undefined, code?: MessageCode): z.core.CheckFn<Value> {
  return ({ value, issues }) => {
    const message = rule(value);
    if (message !== undefined) {
      issues.push({ code: "custom", input: value, message, continue: true, ...(code !== undefined && ruleCode(code)) });
    }
  };
}

/** A string that is not blank. */
export const filledString = z.string().check(obey(blankProblem));

/** A time in whole seconds, 1 or more. */
export const wholeSeconds = z
  .number(mustBe("a number of seconds"))
  .check(obey((seconds) => secondsProblem(seconds)))
  .meta({ type: "integer" });

/** A set of labels. */
export const labelSet = z
  .record(z.string(), z.unknown(), mustBe("an object of strings"))
  .superRefine((labels, context) => {
    for (const { key, reason, code, isAboutKey } of labelProblems(labels)) {
      const params = { ...ruleCode(code).params, isAboutKey };
      context.addIssue({ code: "custom", path: [key], message: reason, params });
    }
  })
  .meta({ additionalProperties: { type: "string" } }) as unknown as z.ZodType<Labels>;

/** Keys of labels, or prefixes that end in `*`. */
export const labelPatterns = z
  .array(z.unknown(), mustBe("a list of keys"))
  .superRefine((patterns, context) => {
    patterns.forEach((pattern, index) => {
      const message = ignorePatternProblem(pattern);
      if (message !== undefined) {
        context.addIssue({ code: "custom", path: [index], message, ...ruleCode("AGB109") });
      }
    });
  })
  .meta({ items: { type: "string" } }) as unknown as z.ZodType<string[]>;

// The longest delay of Node's timers.
const longestTimeoutSeconds = 2_147_483;

const timeoutRule = `must be a number of seconds, more than 0 and at most ${longestTimeoutSeconds}`;

const timeout = z
  .number(timeoutRule)
  .refine((seconds) => seconds > 0 && seconds <= longestTimeoutSeconds, timeoutRule)
  .optional();

const operationTimeouts = z.strictObject(
  { create: timeout, update: timeout, delete: timeout } satisfies Record<LimitedOperation, unknown>,
  mustBe("an object with create, update or delete in seconds"),
);

/** Property of each kind that lives at AGB. `operations.ts` sets it. */
export const serviceOutput = {
  description: "Where the resource was created, see `serviceName`; absent for AGB's default endpoint.",
  type: z.string().optional(),
  change: "output",
  isInternal: true,
} satisfies Property;

/** Property of each kind whose operations may take long. */
export const timeoutsInput = {
  description: "Limits of whole operations, in seconds.",
  type: operationTimeouts.optional(),
  example: { create: 120, delete: 600 },
  change: "stored",
} satisfies Property;
