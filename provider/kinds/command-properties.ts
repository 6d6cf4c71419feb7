import { z } from "zod";
import type { PropertiesOfKind, StateOf } from "./kind";
import { filledString, mustBe, obey, ruleCode, serviceOutput } from "./types";
import {
  directoryProblem,
  environmentSizeProblem,
  longestCommandSeconds,
  nulProblem,
  scriptSizeProblem,
  secondsProblem,
  stdinSizeProblem,
  variableProblems,
} from "./value-rules";

/** Time limit of a command when none is declared, in seconds. */
export const defaultTimeoutSeconds = 600;

const tooLarge = "AGB915";

const script = filledString.check(obey(nulProblem), obey(scriptSizeProblem, tooLarge));

const environment = z
  .record(z.string(), z.unknown(), mustBe("an object of strings"))
  .superRefine((variables, context) => {
    for (const { name, reason: message, about } of variableProblems(variables)) {
      const path = [name];
      if (about === "type") {
        context.addIssue({ code: "invalid_type", expected: "string", input: variables[name], path, message });
      } else {
        const params = { isAboutKey: about === "name", ...(about === "size" && ruleCode(tooLarge).params) };
        context.addIssue({ code: "custom", path, message, params });
      }
    }
    const message = environmentSizeProblem(variables);
    if (message !== undefined) {
      context.addIssue({ code: "custom", message, ...ruleCode(tooLarge) });
    }
  })
  .meta({ additionalProperties: { type: "string" } }) as unknown as z.ZodType<Readonly<Record<string, string>>>;

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
    type: z.string().check(obey(nulProblem), obey(stdinSizeProblem, tooLarge)).optional(),
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
    type: z.string().check(obey(directoryProblem)).optional(),
    example: "/home/user/app",
    change: "updates",
  },
  timeoutSeconds: {
    description: "Time limit of each command, in seconds.",
    type: z
      .number(mustBe("a number of seconds"))
      .check(obey((seconds) => secondsProblem(seconds, longestCommandSeconds)))
      .meta({ type: "integer" })
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
    isInternal: true,
    isReadable: true,
  },
  parent: {
    description: "URN of the parent resource, if any. Two commands may have the same name below different parents.",
    type: z.string().optional(),
    change: "stored",
    declaredBy: "provider",
    isInternal: true,
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
    type: z.number().meta({ type: "integer" }).optional(),
    change: "output",
  },
  runToken: {
    description: "Random token of the last run.",
    type: z.string(),
    change: "output",
    isInternal: true,
  },
  pending: {
    description: "The command that has yet to succeed, if any.",
    type: z.enum(["create", "update"]).optional(),
    change: "output",
    isInternal: true,
  },
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A command as the state holds it. */
export type CommandState = StateOf<typeof commandProperties>;
