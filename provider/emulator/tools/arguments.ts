import { z } from "zod";
import { invalidRequest } from "../failures";

/**
 * Checks a tool's arguments.
 *
 * @throws ApiFailure (HTTP 400) that names the argument at fault as `args.NAME`
 */
export function checkArguments<Schema extends z.ZodType>(schema: Schema, args: unknown): z.output<Schema> {
  const result = schema.safeParse(args);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${["args", ...issue.path].join(".")}: ${issue.message}`);
    throw invalidRequest(problems.join("; "));
  }
  return result.data;
}

// The most that Linux takes.
const longestPath = 4096;

/** A path in a session. */
export const pathArgument = z
  .string({ error: "is required and must be a string" })
  .min(1, { error: "must not be empty" })
  .max(longestPath, { error: `must have at most ${longestPath} characters` })
  .refine((path) => !path.includes("\0"), { error: "must not contain a NUL character" });
