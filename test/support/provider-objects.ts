import { type DynamicProvider, dynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { type OpenProvider, openProvider } from "../../provider/kinds/provider";
import type { Clock } from "../../provider/lifecycle/wait";
import { closeAfterTest } from "./close-after-test";
import { FakeClock } from "./fake-clock";

/** The objects that serve the kinds. */
export interface KindObjects {
  readonly session: DynamicProvider;
  readonly context: DynamicProvider;
  readonly command: DynamicProvider;
  readonly file: DynamicProvider;
}

/** What `pulumi-agb/dynamic` exports, opened in this process with settings and a clock of the test. */
export interface ProviderObjects extends KindObjects, Pick<OpenProvider, "abandonCreates"> {
  /** Takes over the configuration of a stack, as the first call for each kind does. */
  configure(config: Readonly<Record<string, string>>): void;
}

/**
 * Opens the provider objects. They end with the test.
 *
 * @param environment variables that stand in for the process's
 */
export function openProviderObjects(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock = new FakeClock(),
): ProviderObjects {
  const say = (message: string) => console.error(`agb: ${message}`);
  const { kinds, configure, abandonCreates, close } = openProvider({ environment, clock, say });
  closeAfterTest({
    close: async () => {
      await abandonCreates();
      await close();
    },
  });
  const host = { configure, say };
  return {
    session: dynamicProvider(kinds.session, host),
    context: dynamicProvider(kinds.context, host),
    command: dynamicProvider(kinds.command, host),
    file: dynamicProvider(kinds.file, host),
    configure: (config) => configure((key) => config[key]),
    abandonCreates,
  };
}
