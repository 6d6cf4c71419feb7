import type * as pulumi from "@pulumi/pulumi";
import { AgbClient } from "../api/client";
import { AgbApiError, AgbAuthenticationError } from "../api/errors";
import { noSuchCallCode } from "../api/gone";
import { keySecret } from "../api/known-secrets";
import { confirmAccess } from "../api/sessions";
import { readSettings, type Settings, type Sourced } from "../config";
import { logExchange } from "./log";
import { OutageLog } from "./outage-log";

/** The account that a provider process works for: its settings and the client made of them. */
export interface Account {
  readonly settings: Settings;
  readonly client: AgbClient;
  /** The key in use and where it came from. */
  readonly apiKey: Sourced;
}

/**
 * Keeps the configuration that Pulumi hands over and makes the account from it when it is first needed.
 *
 * Pulumi does not wait for `configure` before the next call and keeps a provider whose `configure` threw, so handing
 * over is synchronous and cannot fail; what is wrong with the settings is said by the operation that needs them.
 */
export class Connection {
  private config: pulumi.dynamic.Config | undefined;
  private opened: Account | undefined;
  private standIn: Account | undefined;
  private confirmation: Promise<void> | undefined;
  /** By base URL, and longer than any account: all calls of this process to an endpoint suffer the same outage. */
  private readonly outages = new Map<string, OutageLog>();

  /** @param environment variables that stand in for settings that are not configured */
  constructor(private readonly environment: Readonly<Record<string, string | undefined>> | undefined = undefined) {}

  /** Takes over the configuration. */
  configure(config: pulumi.dynamic.Config): void {
    this.config = config;
    this.opened = undefined;
    this.standIn = undefined;
    this.confirmation = undefined;
  }

  /**
   * The account to work with.
   *
   * @throws AgbConfigurationError with all that is wrong with the settings
   */
  account(): Account {
    if (this.opened === undefined) {
      const settings = readSettings((key) => this.config?.get(key), this.environment);
      this.opened = openAccount(settings, settings.apiKey, this.outagesAt(settings.baseUrl));
    }
    return this.opened;
  }

  /**
   * Makes sure that AGB answers at the endpoint and accepts the key, with one call for each configuration however many
   * resources ask. A refusal of AGB that says nothing of key or endpoint passes, such as too many calls.
   *
   * @throws AgbConfigurationError when there is no account
   * @throws AgbError when the key is refused, nothing answers, or what answers is not AGB
   */
  confirm(): Promise<void> {
    this.confirmation ??= confirmAccount(this.account());
    return this.confirmation;
  }

  /**
   * Does something with the account, or, when AGB refuses the configured key, with the environment's: Pulumi keeps the
   * configuration of the last run in the state, and after a rotation `refresh` and `destroy` still get the old key.
   * Never for what makes something: the environment's key may be another account's.
   *
   * @param work must be harmless to begin again after an authentication failure
   */
  async useEitherKey<Result>(work: (account: Account) => Promise<Result>): Promise<Result> {
    if (this.standIn !== undefined) {
      return work(this.standIn);
    }
    const account = this.account();
    try {
      return await work(account);
    } catch (error) {
      if (error instanceof AgbAuthenticationError && this.openStandIn(account.settings) !== undefined) {
        return this.useEitherKey(work);
      }
      throw error;
    }
  }

  /** Ends the connections to AGB. */
  async close(): Promise<void> {
    await Promise.all([this.opened?.client.close(), this.standIn?.client.close()]);
    this.opened = undefined;
    this.standIn = undefined;
  }

  private openStandIn(settings: Settings): Account | undefined {
    const { apiKey, fallbackApiKey } = settings;
    if (this.standIn === undefined && fallbackApiKey !== undefined) {
      console.error(`agb: AGB refused the key from ${apiKey.source}; trying the one from ${fallbackApiKey.source}.`);
      this.standIn = openAccount(settings, fallbackApiKey, this.outagesAt(settings.baseUrl));
    }
    return this.standIn;
  }

  private outagesAt(baseUrl: string): OutageLog {
    const outages = this.outages.get(baseUrl) ?? new OutageLog(baseUrl);
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

function openAccount(settings: Settings, apiKey: Sourced, outages: OutageLog): Account {
  const { baseUrl, proxy, timeoutMs, logLevel } = settings;
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
        logExchange(notice);
      }
      outages.seeExchange(notice);
    },
  });
  return { settings, client, apiKey };
}
