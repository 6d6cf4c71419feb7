import type * as pulumi from "@pulumi/pulumi";
import { AgbClient, type RetryNotice } from "../api/client";
import { readSettings, type Settings } from "../config";

/** The account that a provider process works for: its settings and the client made of them. */
export interface Account {
  readonly settings: Settings;
  readonly client: AgbClient;
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

  /** @param environment variables that stand in for settings that are not configured */
  constructor(private readonly environment: Readonly<Record<string, string | undefined>> | undefined = undefined) {}

  /** Takes over the configuration. */
  configure(config: pulumi.dynamic.Config): void {
    this.config = config;
    this.opened = undefined;
  }

  /**
   * The account to work with.
   *
   * @throws AgbConfigurationError with all that is wrong with the settings
   */
  account(): Account {
    this.opened ??= this.open();
    return this.opened;
  }

  /** The settings when they could be read, for messages. */
  settingsIfOpen(): Settings | undefined {
    return this.opened?.settings;
  }

  /** Ends the connections to AGB. */
  async close(): Promise<void> {
    await this.opened?.client.close();
    this.opened = undefined;
  }

  private open(): Account {
    const settings = readSettings((key) => this.config?.get(key), this.environment);
    const { baseUrl, timeoutMs, apiKey } = settings;
    return { settings, client: new AgbClient({ baseUrl, timeoutMs, apiKey: apiKey.value, onRetry: reportRetry }) };
  }
}

// Pulumi shows what a provider writes to its error stream as a diagnostic of the run.
function reportRetry({ operation, attempt, delayMs, error }: RetryNotice): void {
  console.error(`agb: try ${attempt} of ${operation} failed, the next follows in ${delayMs} ms: ${error.message}`);
}
