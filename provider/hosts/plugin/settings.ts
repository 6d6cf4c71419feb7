import type { Problem, Properties } from "../../kinds/hosted-kind";
import { holdsSecret, isSameData, type Mark } from "./property-values";
import type { OpenedProperties } from "./secrets";

/** The declaration of one setting of a provider. */
export interface HostedSetting {
  /** Whether it is always secret. Default: false. */
  readonly isSecret?: boolean;
}

/** The declarations of all settings, by name without a namespace. */
export type HostedSettings = Readonly<Record<string, HostedSetting>>;

/** What the engine adds to the settings of a provider. */
const addedNames: ReadonlySet<string> = new Set(["version", "pluginDownloadURL"]);

/** Finds settings that do not exist. With a misspelt one, another value would be used without a word. */
export function unknownSettings(given: Properties, settings: HostedSettings): Problem[] {
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(settings, name) && !addedNames.has(name))
    .map((name) => ({
      path: name,
      reason: `unknown setting; the provider has ${Object.keys(settings).join(", ")}`,
      code: "AGB209",
    }));
}

/** Reads settings as strings, the way the configuration of a stack holds them. Lists and objects are JSON. */
export function readSetting(given: Properties, name: string): string | undefined {
  const value = Object.hasOwn(given, name) ? given[name] : undefined;
  if (value === undefined || value === null) {
    return undefined;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The marks of settings, with those that are always secret. */
export function settingMarks({ value, mark }: OpenedProperties, settings: HostedSettings): Mark {
  const parts = new Map(mark?.parts);
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(settings, name) && settings[name]?.isSecret) {
      parts.set(name, { isSecret: true });
    }
  }
  return { parts };
}

/** Names of the settings that the user keeps secret, whole or in parts. */
export function secretSettingNames({ mark }: OpenedProperties): Set<string> {
  return new Set([...(mark?.parts ?? [])].flatMap(([name, part]) => (holdsSecret(part) ? [name] : [])));
}

/** Names of the settings that differ. */
export function changedSettings(olds: Properties, news: Properties): string[] {
  const names = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...names].filter((name) => !isSameData(olds[name], news[name]));
}
