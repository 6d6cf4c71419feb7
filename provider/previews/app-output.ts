import { z } from "zod";
import { isHealthPath } from "../api/health-path";
import { isLinkedPort, linkedPorts } from "../api/linked-ports";
import type { AppOutput } from "../pulumi/stack-state";

/** An app that runs in a session of a preview environment. */
export interface PreviewApp {
  readonly sessionId: string;
  /** See `linkedPorts`. */
  readonly port: number;
  /** See `isHealthPath`. */
  readonly healthPath: string;
  /** URN of the resource that starts the app; `undefined` when the program does not name one. */
  readonly command: string | undefined;
  /** Path of the app's log, absolute or below the home directory; `undefined` when the program does not name it. */
  readonly log: string | undefined;
}

/** What the outputs of a program say about its apps. */
export interface PreviewApps {
  readonly apps: readonly PreviewApp[];
  /** What is wrong with the other outputs, each in a sentence. */
  readonly problems: readonly string[];
}

const appSchema = z.looseObject({
  sessionId: z.string().regex(/^[\w.-]{1,200}$/),
  port: z.custom<number>(isLinkedPort),
  healthPath: z.custom<string>(isHealthPath),
  // `*` and `?` would be patterns for Pulumi.
  command: z
    .string()
    .regex(/^urn:pulumi:[^*?\p{C}]{1,2000}$/u)
    .optional(),
  log: z
    .string()
    .regex(/^[\w./][\w./-]{0,500}$/)
    .optional(),
});

const rules: Readonly<Record<string, string>> = {
  sessionId: "sessionId must be the id of a session",
  port: `port must be a whole number from ${linkedPorts.first} to ${linkedPorts.last}`,
  healthPath: "healthPath must be a path such as /health",
  command: "command must be the URN of a resource",
  log: "log must be a path without blanks",
};

/** Reads the outputs called `previewApp`. An app that two outputs name counts once. */
export function readApps(outputs: readonly AppOutput[]): PreviewApps {
  const apps = new Map<string, PreviewApp>();
  const problems: string[] = [];
  for (const { owner, value } of outputs) {
    const parsed = appSchema.safeParse(value);
    if (parsed.success) {
      const { sessionId, port, healthPath, command, log } = parsed.data;
      const key = JSON.stringify([sessionId, port, healthPath]);
      const known = apps.get(key);
      apps.set(key, { sessionId, port, healthPath, command: command ?? known?.command, log: log ?? known?.log });
    } else {
      const broken = new Set(parsed.error.issues.map(({ path }) => rules[String(path[0])] ?? "it must be an object"));
      problems.push(`The output previewApp of ${owner} cannot be used: ${[...broken].join("; ")}.`);
    }
  }
  return { apps: [...apps.values()], problems };
}
