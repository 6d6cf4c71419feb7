import { type Emulator, startEmulator } from "../../provider/emulator";
import type { Subject } from "./subject";

/** The call that each provider process makes once, in its first check. */
const onceName = "ListSession";

/** Number of API calls that one session needs for one operation, by AGB's names. */
export type CallCounts = Readonly<Record<string, number>>;

/** The operations whose calls are counted. */
export interface OperationCalls {
  readonly create: CallCounts;
  /** A refresh that finds nothing changed. */
  readonly unchanged: CallCounts;
  readonly labelEdit: CallCounts;
  readonly delete: CallCounts;
  /** Calls of a whole `up`, independent of the number of sessions. */
  readonly oncePerUp: CallCounts;
}

/** Counts the calls of each operation, without the refresh that `options: refresh: always` runs before it. */
export async function countApiCalls(subject: Subject, sessions: number): Promise<OperationCalls> {
  const emulator = await startEmulator({ releaseDelayMs: 0 });
  try {
    const project = await subject.createProject(sessions, emulator);
    try {
      const callsOf = async (work: () => Promise<unknown>) => {
        const before = emulator.requestCounts();
        await work();
        return callsPerSession(before, emulator.requestCounts(), sessions);
      };
      const create = await callsOf(() => project.up("--refresh=false"));
      const oncePerUp = { [onceName]: emulator.requestCounts()[onceName] ?? 0 };
      return {
        create,
        oncePerUp,
        unchanged: await callsOf(() => project.refresh()),
        labelEdit: await callsOf(async () => {
          await subject.editLabel(project, sessions);
          await project.up("--refresh=false");
        }),
        delete: await callsOf(() => project.destroy("--refresh=false")),
      };
    } finally {
      await project.close();
    }
  } finally {
    await emulator.close();
  }
}

type RequestCounts = ReturnType<Emulator["requestCounts"]>;

function callsPerSession(before: RequestCounts, after: RequestCounts, sessions: number): CallCounts {
  const names = Object.keys(after) as (keyof RequestCounts)[];
  return Object.fromEntries(
    names
      .filter((name) => name !== onceName)
      .map((name) => [name, ((after[name] ?? 0) - (before[name] ?? 0)) / sessions] as const)
      .filter(([, count]) => count > 0),
  );
}
