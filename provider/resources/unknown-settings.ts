import * as pulumi from "@pulumi/pulumi";
import { configNamespace, settingNames } from "../config";
import { withCode } from "../messages/message-codes";
import { nearestName } from "../nearest-name";

let warned = false;

/** Warns once per program about each key below `agb:` in the stack's configuration that is not a setting. */
export function warnOfUnknownSettings(): void {
  if (warned) {
    return;
  }
  const known: string[] = Object.values(settingNames).map(({ key }) => key);
  const prefix = `${configNamespace}:`;
  const unknown = Object.keys(pulumi.runtime.allConfig()).filter(
    (key) => key.startsWith(prefix) && !known.includes(key),
  );
  warned = unknown.length > 0;
  for (const key of unknown) {
    const meant = nearestName(
      key.slice(prefix.length),
      known.map((name) => name.slice(prefix.length)),
    );
    const advice =
      meant === undefined
        ? `The settings are ${known.join(", ")}.`
        : `Did you mean ${prefix}${meant}? Run \`pulumi config rm ${key} && pulumi config set ${secretFlag(meant)}${prefix}${meant} VALUE\`.`;
    const message = `The configuration has ${key}, which is not a setting of pulumi-agb and has no effect. ${advice}`;
    void pulumi.log.warn(withCode(message, "AGB209"));
  }
}

function secretFlag(name: string): string {
  const secretKeys: string[] = Object.values(settingNames)
    .filter((setting) => "isSecret" in setting)
    .map(({ key }) => key);
  return secretKeys.includes(`${configNamespace}:${name}`) ? "--secret " : "";
}
