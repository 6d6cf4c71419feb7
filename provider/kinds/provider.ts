import { type Clock, systemClock } from "../lifecycle/wait";
import { Connection, type ReadConfig } from "./connection";
import { contextKind } from "./context";
import { CreatesInFlight } from "./creates-in-flight";
import type { HostedKind } from "./hosted-kind";
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
export interface OpenProvider {
  readonly kinds: { readonly session: HostedKind; readonly context: HostedKind; readonly stackIdentity: HostedKind };
  /** Takes over the configuration. Never fails; the operation that needs a setting says what is wrong with it. */
  configure(config: ReadConfig): void;
  /**
   * Deletes what is being created now, because the run has ended and no state will hold it. Releases also what earlier
   * tries of finished creates made. Never rejects.
   */
  abandonCreates(): Promise<void>;
  /** Ends the connections to AGB. */
  close(): Promise<void>;
}

/** Opens all kinds for one process. This is the table of kinds: a new one has its line here. */
export function openProvider({ environment, clock = systemClock, say }: ProviderOptions): OpenProvider {
  const connection = new Connection({ environment, say });
  const creates = new CreatesInFlight();
  const session = sessionKind({ clock, creates, say });
  return {
    kinds: {
      session: new KindOperations(session, connection),
      context: new KindOperations(contextKind({ clock, creates, say }), connection),
      stackIdentity: stackIdentityKind,
    },
    configure: (config) => connection.configure(config),
    abandonCreates: async () => {
      await creates.abandon();
      await session.finish();
    },
    close: () => connection.close(),
  };
}
