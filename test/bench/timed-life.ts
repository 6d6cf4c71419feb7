import { stat } from "node:fs/promises";
import { type Emulator, startEmulator } from "../../provider/emulator";
import type { PulumiProject } from "../support/pulumi-project";
import { changesIn } from "../support/stack-state";
import { type StateSize, sizeOfResources } from "./state-size";
import type { Subject } from "./subject";

/** The three timed commands, in order. */
export const phases = ["up", "unchanged up", "destroy"] as const;

/** Measurements of one life of a stack. */
export interface TimedLife {
  /** Seconds from the start of the command to its end. */
  readonly seconds: Readonly<Record<(typeof phases)[number], number>>;
  /** Size of the backend's checkpoint file after the second `up`, in bytes. */
  readonly checkpointBytes: number;
  readonly resources: StateSize;
}

/**
 * Times the life of a stack: creates `count` sessions, runs `up` again (which refreshes first) and destroys them.
 *
 * @throws Error when a command fails or makes other changes than expected
 */
export async function timeLife(subject: Subject, count: number): Promise<TimedLife> {
  const emulator = await startEmulator({ releaseDelayMs: 0 });
  let project: PulumiProject | undefined;
  try {
    project = await subject.createProject(count, emulator);
    const stack = project;
    const all = count + subject.otherResources;
    const up = await time(() => stack.up());
    expectChanges("up", up.stdout, { created: all });
    const unchanged = await time(() => stack.up());
    expectChanges("unchanged up", unchanged.stdout, { unchanged: all });
    const { size } = await stat(stack.checkpointPath);
    const resources = sizeOfResources(await stack.exportState());
    const destroy = await time(() => stack.destroy());
    expectChanges("destroy", destroy.stdout, { deleted: all });
    expectNothingLeft(emulator);
    return {
      seconds: { up: up.seconds, "unchanged up": unchanged.seconds, destroy: destroy.seconds },
      checkpointBytes: size,
      resources,
    };
  } finally {
    await project?.close();
    await emulator.close();
  }
}

async function time(run: () => Promise<{ stdout: string }>): Promise<{ stdout: string; seconds: number }> {
  const start = performance.now();
  const { stdout } = await run();
  return { stdout, seconds: (performance.now() - start) / 1_000 };
}

function expectChanges(phase: string, stdout: string, expected: Record<string, number>): void {
  const found = JSON.stringify(changesIn(stdout));
  if (found !== JSON.stringify(expected)) {
    throw new Error(`${phase} made the changes ${found} instead of ${JSON.stringify(expected)}\n${stdout}`);
  }
}

function expectNothingLeft(emulator: Emulator): void {
  const left = emulator.sessions().length;
  if (left > 0) {
    throw new Error(`the emulator still has ${left} sessions after the destroy`);
  }
}
