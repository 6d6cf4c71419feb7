import { z } from "zod";
import { describeType } from "../messages/problem";
import type { PropertiesOfKind, StateOf } from "./kind";
import { filledString, mustBe, ruleCode, serviceOutput } from "./types";

/** Time limit of a command when none is declared, in seconds. */
export const defaultTimeoutSeconds = 600;

const longestTimeoutSeconds = 86_400;
const timeoutRule = `must be a whole number of seconds, 1 to ${longestTimeoutSeconds}`;

const nulRule = "must not contain a NUL character";

/**
 * The longest script and the longest standard input, in bytes of UTF-8. Pulumi stores both in the state, twice, and each
 * 50 KiB take a call to AGB.
 */
export const longestTextBytes = 1024 * 1024;

/** The longest variable with its name, in bytes. Linux refuses to start a program with one of 128 KiB. */
export const longestVariableBytes = 120_000;

/** The longest environment, in bytes. Linux refuses to start a program with more than 2 MiB, with all that a session adds. */
export const longestEnvironmentBytes = 1024 * 1024;

const tooLarge = ruleCode("AGB915");

/** A string that the state can hold and a session can be sent. */
function limited(type: z.ZodType<string>, remedy: string): z.ZodType<string> {
  return type.superRefine((text, context) => {
    const sizeBytes = Buffer.byteLength(text);
    if (sizeBytes > longestTextBytes) {
      context.addIssue({ code: "custom", message: sizeRule(sizeBytes, longestTextBytes, remedy), ...tooLarge });
    }
  });
}

function sizeRule(sizeBytes: number, longestBytes: number, remedy: string): string {
  return `has ${sizeBytes} bytes, but at most ${longestBytes} are possible; ${remedy}`;
}

const readFileRemedy = "put it into the session with an AgbFile, and read that file in the command";

const withoutNul = z.string().refine((text) => !text.includes("\0"), nulRule);

const script = limited(
  filledString.refine((text) => !text.includes("\0"), nulRule),
  "put the script into the session with an AgbFile, and run that file",
);

const environment = z
  .record(z.string(), z.unknown(), mustBe("an object of strings"))
  .superRefine((variables, context) => {
    let allBytes = 0;
    for (const [name, value] of Object.entries(variables)) {
      const sizeBytes = typeof value === "string" ? Buffer.byteLength(`${name}=${value}`) : 0;
      allBytes += sizeBytes;
      if (sizeBytes > longestVariableBytes) {
        const message = `with its name, ${sizeRule(sizeBytes, longestVariableBytes, readFileRemedy)}`;
        context.addIssue({ code: "custom", path: [name], message, ...tooLarge });
      }
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        const message = "the key must consist of letters, digits and underscores, and not begin with a digit";
        context.addIssue({ code: "custom", path: [name], message, params: { isAboutKey: true } });
      }
      if (typeof value !== "string") {
        const message = `must be a string, not ${describeType(value)}`;
        context.addIssue({ code: "invalid_type", expected: "string", input: value, path: [name], message });
      } else if (value.includes("\0")) {
        context.addIssue({ code: "custom", path: [name], message: nulRule });
      }
    }
    if (allBytes > longestEnvironmentBytes) {
      const message = `with all names, ${sizeRule(allBytes, longestEnvironmentBytes, readFileRemedy)}`;
      context.addIssue({ code: "custom", message, ...tooLarge });
    }
  }) as unknown as z.ZodType<Readonly<Record<string, string>>>;

/** Everything that a program can declare of a command, and everything that the state holds of it. */
export const commandProperties = {
  sessionId: {
    description: "Id of the session in which the command runs.",
    type: filledString,
    example: "session-flzgquzm2h9jq6hd1nzethyo3",
    change: "replaces",
  },
  create: {
    description: "The command, a script for the session's `sh`.",
    type: script,
    example: "npm ci && npm run build",
    change: "updates",
  },
  update: {
    description: "The command that runs when an argument changes.",
    type: script.optional(),
    example: "npm run build",
    change: "updates",
  },
  delete: {
    description: "The command that runs when the resource is deleted.",
    type: script.optional(),
    example: "rm -rf dist",
    change: "stored",
  },
  environment: {
    description: "Environment variables of the commands, besides those of the session.",
    type: environment.optional(),
    example: { NODE_ENV: "production" },
    change: "updates",
  },
  stdin: {
    description: "What the commands read from standard input. At most 1 MiB.",
    type: limited(withoutNul, readFileRemedy).optional(),
    example: "yes\n",
    change: "updates",
  },
  triggers: {
    description: "Values of any type. When one changes, the commands run again.",
    type: z.array(z.unknown(), mustBe("a list")).optional(),
    example: ["2026-11-25"],
    change: "replaces",
  },
  workingDirectory: {
    description: "Where the commands run: an absolute path in the session.",
    type: withoutNul.refine((path) => path.startsWith("/"), "must be an absolute path").optional(),
    example: "/home/user/app",
    change: "updates",
  },
  timeoutSeconds: {
    description: "Time limit of each command, in seconds.",
    type: z
      .number(mustBe("a number of seconds"))
      .refine((seconds) => Number.isInteger(seconds) && seconds >= 1 && seconds <= longestTimeoutSeconds, timeoutRule)
      .optional(),
    example: 1_200,
    change: "stored",
  },
  logging: {
    description: "Which output to show while a command runs.",
    type: z.enum(["none", "stdout", "stderr", "stdoutAndStderr"]).optional(),
    example: "stderr",
    change: "stored",
  },
  sensitive: {
    description: "Whether the output of the commands is secret.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
  },
  addPreviousOutputInEnv: {
    description:
      "Whether `update` and `delete` get the output of the run before in PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR.",
    type: z.boolean().optional(),
    example: false,
    change: "stored",
  },
  stackId: {
    description: "Id of the stack, which makes the runs of this resource its own.",
    type: z.string(),
    change: "stored",
    declaredBy: "provider",
  },
  parent: {
    description: "URN of the parent resource, if any. Two commands may have the same name below different parents.",
    type: z.string().optional(),
    change: "stored",
    declaredBy: "provider",
  },
  stdout: {
    description: "Standard output of the last run that succeeded.",
    type: z.string(),
    change: "output",
  },
  stderr: {
    description: "Standard error of the last run that succeeded.",
    type: z.string(),
    change: "output",
  },
  exitCode: {
    description: "Exit code of the last run that succeeded.",
    type: z.number().optional(),
    change: "output",
  },
  runToken: {
    description: "Random token of the last run.",
    type: z.string(),
    change: "output",
  },
  pending: {
    description: "The command that has yet to succeed, if any.",
    type: z.enum(["create", "update"]).optional(),
    change: "output",
  },
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A command as the state holds it. */
export type CommandState = StateOf<typeof commandProperties>;
