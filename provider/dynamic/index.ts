/**
 * What Pulumi's dynamic-provider process loads: one object per resource kind. The names exported here stand in the
 * state of every stack (see `resources/reference.ts`) and are a contract for ever. May import the life cycle, the API
 * and the configuration; knows nothing of the classes that programs construct.
 */
import { Connection } from "./connection";
import { endWithRun } from "./end-of-run";
import { showFailuresOnce } from "./failures-once";
import { SessionProvider } from "./session";
import { stackIdentityProvider } from "./stack-identity";

const connection = new Connection();

/** The life cycle of `AgbSession`. */
export const session = showFailuresOnce(new SessionProvider(connection));

/** The life cycle of a stack's identity, which `AgbSession` declares by itself. */
export const stackIdentity = stackIdentityProvider;

endWithRun(() => session.abandonCreates());
