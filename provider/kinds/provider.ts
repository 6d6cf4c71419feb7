import { type Clock, systemClock } from "../lifecycle/wait";
import { commandKind } from "./command";
import { Connection, type ReadConfig } from "./connection";
import { contextKind } from "./context";
import { CreatesInFlight } from "./creates-in-flight";
import { fileKind } from "./file";
import { KindOperations } from "./operations";
import { sessionKind } from "./session";
import { stackIdentityKind } from "./stack-identity";

/** Options of a provider's process. */
export interface ProviderOptions {
  /** Environment variables, used for settings that are not configured. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** What programs call each kind, for messages. Default: the names of the classes. */
  readonly names?: Readonly<Partial<Record<"session" | "context" | "command" | "file", string>>>;
  /** Connection to AGB. Default: one of its own. */
  readonly connection?: Connection;
  /** Tells the user something that is not about a single resource. */
  say(message: string): void;
}

/** All kinds of one process, with one connection. */
export type OpenProvider = ReturnType<typeof openProvider>;

/** Names of the kinds. Every state holds one with each resource, so they never change. */
export type KindName = keyof OpenProvider["kinds"];

/** Opens all kinds for one process. */
export function openProvider(options: ProviderOptions) {
  const { environment, clock = systemClock, say, connection = new Connection({ environment, say }), names } = options;
  const creates = new CreatesInFlight();
  const runtime = { clock, creates, say };
  const session = sessionKind(runtime);
  return {
    /** The table of kinds. */
    kinds: {
      session: new KindOperations(session, connection, names?.session),
      context: new KindOperations(contextKind(runtime), connection, names?.context),
      command: new KindOperations(commandKind(runtime), connection, names?.command),
      file: new KindOperations(fileKind(), connection, names?.file),
      stackIdentity: stackIdentityKind,
    },
    /** Takes the configuration. Never fails. The operation that needs a setting reports what is wrong with it. */
    configure: (config: ReadConfig): void => connection.configure(config),
    /**
     * Deletes what is being created now, because the run has ended and no state will hold it. Also releases sessions
     * from earlier tries of finished creates. Never rejects.
     */
    abandonCreates: async (): Promise<void> => {
      await creates.abandon();
      await session.finish();
    },
    /** Closes the connections to AGB. */
    close: (): Promise<void> => connection.close(),
  };
}
