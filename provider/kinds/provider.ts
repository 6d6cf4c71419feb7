import { type Clock, systemClock } from "../lifecycle/wait";
import { Connection, type ReadConfig } from "./connection";
import { contextKind } from "./context";
import { CreatesInFlight } from "./creates-in-flight";
import { KindOperations } from "./operations";
import { sessionKind } from "./session";
import { stackIdentityKind } from "./stack-identity";

/** What a provider's process is opened with. */
export interface ProviderOptions {
  /** Variables that stand in for settings that are not configured. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Tells the user something that concerns no single resource. */
  say(message: string): void;
}

/** All kinds of one process, with one connection. */
export type OpenProvider = ReturnType<typeof openProvider>;

/** Names of the kinds, as `pulumi-agb/dynamic` exports them. */
export type KindName = keyof OpenProvider["kinds"];

/** Opens all kinds for one process. */
export function openProvider({ environment, clock = systemClock, say }: ProviderOptions) {
  const connection = new Connection({ environment, say });
  const creates = new CreatesInFlight();
  const runtime = { clock, creates, say };
  const session = sessionKind(runtime);
  return {
    /** The table of kinds. */
    kinds: {
      session: new KindOperations(session, connection),
      context: new KindOperations(contextKind(runtime), connection),
      stackIdentity: stackIdentityKind,
    },
    /** Takes over the configuration. Never fails; the operation that needs a setting says what is wrong with it. */
    configure: (config: ReadConfig): void => connection.configure(config),
    /**
     * Deletes what is being created now, because the run has ended and no state will hold it. Releases also what earlier
     * tries of finished creates made. Never rejects.
     */
    abandonCreates: async (): Promise<void> => {
      await creates.abandon();
      await session.finish();
    },
    /** Ends the connections to AGB. */
    close: (): Promise<void> => connection.close(),
  };
}
