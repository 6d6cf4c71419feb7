import { labelLimits } from "../../../provider/lifecycle/labels";
import { Declarations } from "../declarations";
import { heading, join, list, paragraphs } from "../markdown";

/** Constants with a figure that users meet, by file below `provider/`. */
const limits: readonly (readonly [path: string, name: string])[] = [
  ["config.ts", "defaultTimeoutMs"],
  ["api/retry.ts", "maximumAttempts"],
  ["api/open-socket.ts", "connectTimeoutMs"],
  ["api/connection-pool.ts", "maximumConnections"],
  ["api/connection-pool.ts", "largestReplyBytes"],
  ["api/pages.ts", "listTimeoutMs"],
  ["lifecycle/label-lag.ts", "shortestSearchMs"],
  ["lifecycle/label-lag.ts", "longestSearchMs"],
  ["lifecycle/create-once.ts", "shortestLimitedSearchMs"],
  ["lifecycle/session.ts", "defaultReleaseTimeoutMs"],
  ["lifecycle/context-mounts.ts", "defaultSyncTimeoutMs"],
  ["lifecycle/context.ts", "defaultContextTimeoutMs"],
  ["kinds/keep-alive.ts", "keepAliveLimitMs"],
  ["dynamic.ts", "endLimitMs"],
];

/** The section of the limits. */
export function limitsSection(): string {
  const { count, keyCharacters, valueCharacters } = labelLimits;
  return join(
    heading(2, "Limits"),
    list([
      `Labels of a session: ${count}, with keys of ${keyCharacters} and values of ${valueCharacters} characters.`,
      ...limits.map(([path, name]) => {
        const source = new Declarations(path);
        const [first = "", ...others] = source.documentation(name).text.split(/(?<=\.) /);
        const words = first.replace(/,? in (milliseconds|bytes),?/, "").replace(/\.$/, "");
        return [`${words}: ${amount(name, source.constantNumber(name))}.`, ...others].join(" ");
      }),
    ]),
    paragraphs("The arguments `timeouts` and the setting `timeoutMs` change the limits that depend on them."),
  );
}

function amount(name: string, value: number): string {
  if (name.endsWith("Ms")) {
    return `${value / 1000} seconds`;
  }
  return name.endsWith("Bytes") ? `${value / 1024 ** 2} MiB` : String(value);
}
