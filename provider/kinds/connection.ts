import { AgbClient } from "../api/client";
import { AgbApiError, AgbAuthenticationError } from "../api/errors";
import { noSuchCallCode } from "../api/gone";
import { keySecret } from "../api/known-secrets";
import { confirmAccess } from "../api/sessions";
import { readSettings, type Settings, type Sourced, settingNames } from "../config";
import { withCode } from "../messages/message-codes";
import { describeExchange } from "./log";
import { OutageLog } from "./outage-log";

/** The account that a process works for: its settings and a client for it. */
export interface Account {
  readonly settings: Settings;
  readonly client: AgbClient;
  /** The key in use and where it came from. */
  readonly apiKey: Sourced;
}

/** Gives the value of a configuration key such as `agb:endpoint`. */
export type ReadConfig = (key: string) => string | undefined;

/** Options of a `Connection`. */
export interface ConnectionOptions {
  /** Environment variables, used for settings that are not configured. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Tells the user something. */
  say(message: string): void;
}

/**
 * Keeps the configuration that the host passes, and opens the account when it is first needed. All kinds of a process
 * share one.
 *
 * Pulumi may not wait for `configure` before the next call, and keeps a provider whose `configure` threw. So `configure`
 * is synchronous and cannot fail. The operation that needs the settings reports what is wrong with them.
 */
export class Connection {
  private config: ReadConfig | undefined;
  private opened: Account | undefined;
  private fallback: Account | undefined;
  private confirmation: Promise<void> | undefined;
  /** By base URL. They outlive accounts, because all calls of this process to an endpoint see the same outage. */
  private readonly outages = new Map<string, OutageLog>();

  constructor(private readonly options: ConnectionOptions) {}

  /** Takes the configuration. The same one again, as for a second kind, changes nothing. */
  configure(config: ReadConfig): void {
    if (this.config !== undefined && isSameConfig(this.config, config)) {
      return;
    }
    this.config = config;
    this.opened = undefined;
    this.fallback = undefined;
    this.confirmation = undefined;
  }

  /**
   * The account to work with.
   *
   * @throws AgbConfigurationError that lists everything that is missing or invalid
   */
  account(): Account {
    if (this.opened === undefined) {
      const settings = readSettings((key) => this.config?.(key), this.options.environment);
      this.opened = this.open(settings, settings.apiKey);
    }
    return this.opened;
  }

  /**
   * Makes sure that AGB answers at the endpoint and accepts the key. Makes one call for each configuration, however many
   * resources ask. Ignores refusals that say nothing about key or endpoint, such as too many calls.
   *
   * @throws AgbConfigurationError when settings are missing or invalid
   * @throws AgbError when the key is refused, nothing answers, or what answers is not AGB
   */
  confirm(): Promise<void> {
    this.confirmation ??= confirmAccount(this.account());
    return this.confirmation;
  }

  /**
   * Works with the configured key or, when AGB refuses it, with the environment's: Pulumi keeps the configuration of the
   * last run in the state, so after a rotation `refresh` and `destroy` still get the old key. Never use it for a create: the
   * environment's key may be another account's.
   *
   * @param work runs a second time after an authentication failure
   */
  async withFallbackKey<Result>(work: (account: Account) => Promise<Result>): Promise<Result> {
    if (this.fallback !== undefined) {
      return work(this.fallback);
    }
    const account = this.account();
    try {
      return await work(account);
    } catch (error) {
      if (error instanceof AgbAuthenticationError && this.openFallback(account.settings) !== undefined) {
        return this.withFallbackKey(work);
      }
      throw error;
    }
  }

  /** Ends the connections to AGB. */
  async close(): Promise<void> {
    await Promise.all([this.opened?.client.close(), this.fallback?.client.close()]);
    this.opened = undefined;
    this.fallback = undefined;
  }

  private openFallback(settings: Settings): Account | undefined {
    const { apiKey, fallbackApiKey } = settings;
    if (this.fallback === undefined && fallbackApiKey !== undefined) {
      const message = `AGB refused the key from ${apiKey.source}; trying the one from ${fallbackApiKey.source}.`;
      this.options.say(withCode(message, "AGB202"));
      this.fallback = this.open(settings, fallbackApiKey);
    }
    return this.fallback;
  }

  private open(settings: Settings, apiKey: Sourced): Account {
    const { baseUrl, proxy, timeoutMs, logLevel } = settings;
    const { say } = this.options;
    const outages = this.outagesAt(baseUrl);
    const keys = [settings.apiKey, settings.fallbackApiKey].filter((key) => key !== undefined);
    const client = new AgbClient({
      baseUrl,
      proxy,
      timeoutMs,
      apiKey: apiKey.value,
      secrets: keys.map(({ value }) => keySecret(value)),
      onRetry: (notice) => outages.seeRetry(notice),
      onExchange: (notice) => {
        if (logLevel === "debug") {
          say(describeExchange(notice));
        }
        outages.seeExchange(notice);
      },
    });
    return { settings, client, apiKey };
  }

  private outagesAt(baseUrl: string): OutageLog {
    const outages = this.outages.get(baseUrl) ?? new OutageLog(baseUrl, this.options.say);
    this.outages.set(baseUrl, outages);
    return outages;
  }
}

async function confirmAccount({ client }: Account): Promise<void> {
  try {
    await confirmAccess(client);
  } catch (error) {
    const saysNothingOfSettings =
      error instanceof AgbApiError &&
      !(error instanceof AgbAuthenticationError) &&
      error.isFromAgb &&
      error.code !== noSuchCallCode;
    if (!saysNothingOfSettings) {
      throw error;
    }
  }
}

function isSameConfig(one: ReadConfig, other: ReadConfig): boolean {
  return Object.values(settingNames).every(({ key }) => one(key) === other(key));
}
