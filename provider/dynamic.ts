/**
 * What Pulumi's dynamic-provider process loads: one object for each resource kind. The names exported here stand in the
 * state of every stack (see `resources/reference.ts`) and are a contract for ever.
 */
import { serveDynamically } from "./hosts/dynamic";
import { openProvider } from "./kinds/provider";

// Pulumi shows what a provider writes to its error stream as a diagnostic of the run.
const say = (message: string) => console.error(`agb: ${message}`);

const { kinds, configure, abandonCreates } = openProvider({ say });

export const { session, context, stackIdentity } = serveDynamically({ kinds, configure, say, onEnd: abandonCreates });
