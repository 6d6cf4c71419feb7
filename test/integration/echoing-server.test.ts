import type { ServerResponse } from "node:http";
import * as fc from "fast-check";
import type { DynamicProvider } from "../../provider/hosts/dynamic/resource-provider";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts, openHost } from "../support/resource-hosts";
import { type ReceivedRequest, startScriptedServer } from "../support/scripted-server";

// A server that repeats its input in every field of its reply, in the encodings that servers use.

withoutRetryDelay();
jest.setTimeout(120_000);

const key = 'ako-Very+Secret/"key"&1';
const environmentKey = "ako-of-the-environment-0815";
const label = 'ticket of the "merger" <4711>/ü';
const olderLabel = "the-value-of-yesterday";

const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(JSON.stringify(text)),
  (text) => encodeURIComponent(text),
  (text) => new URLSearchParams({ text }).toString(),
  (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;"),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(`x${text}`).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
  (text) => `\u001b[2J\r\n::error::${text}\u202e\n##[add-mask]`,
];

interface Manner {
  readonly encode: (text: string) => string;
  readonly status: number;
  readonly form: "refusal" | "inner refusal" | "page" | "strange labels";
}

function allThatWasSent({ headers, query, body, path }: ReceivedRequest): string[] {
  // The label of yesterday reached the server with an earlier call.
  return [path, String(headers.authorization), ...Object.values(query), body, key, environmentKey, label, olderLabel];
}

function echo(request: ReceivedRequest, response: ServerResponse, { encode, status, form }: Manner): void {
  const echoed = allThatWasSent(request).map(encode).join(" ");
  response.setHeader("x-request-id", encodeURIComponent(echoed).slice(0, 8_000));
  const fields = { code: echoed, message: echoed, requestId: echoed, [echoed]: echoed };
  const bodies = {
    refusal: { success: false, ...fields },
    "inner refusal": { success: true, ...fields, data: { success: false, errMsg: echoed, sessionId: echoed } },
    page: undefined,
    "strange labels": { success: true, ...fields, data: { labels: JSON.stringify({ [echoed]: { [echoed]: 1 } }) } },
  };
  response.writeHead(status, { "content-type": "application/json" });
  response.end(bodies[form] === undefined ? `<h1>${echoed}</h1>` : JSON.stringify(bodies[form]));
}

const manner: fc.Arbitrary<Manner> = fc.record({
  encode: fc.constantFrom(...encodings),
  status: fc.constantFrom(200, 400, 401, 404, 429, 503),
  form: fc.constantFrom("refusal", "inner refusal", "page", "strange labels"),
});

const owner = { "pulumi-project": "shop", "pulumi-stack": "dev", "pulumi-resource": "web" };
const labelsAll = (value: string) => ({ ticket: value, ...owner, "pulumi-create": "20261122T164726Z-9f86d081884c" });
const properties = (value: string) => ({
  imageId: "agb-code-space-1",
  labels: { ticket: value },
  labelsAll: labelsAll(value),
});

const operations: Readonly<Record<string, (provider: DynamicProvider) => Promise<unknown>>> = {
  check: async (provider) => {
    const { failures = [] } = await provider.check({}, { ...properties(label), labelsAll: owner });
    return failures.map(({ reason }) => reason).join("\n");
  },
  adopt: (provider) => provider.create({ ...properties(label), adopt: { labels: { ticket: label } } }),
  read: (provider) => provider.read("session-1", properties(label)),
  "read after yesterday": (provider) => provider.read("session-1", properties(olderLabel)),
  lookup: (provider) => provider.read("session-1", {}),
  update: (provider) => provider.update("session-1", properties(olderLabel), properties(label)),
  delete: (provider) => provider.delete("session-1", { ...properties(label), timeouts: { delete: 1 } }),
};

/** The secrets that an operation knows: nobody can hide what he does not know. */
function knownTo(operation: string): readonly string[] {
  const labels = { lookup: [], "read after yesterday": [olderLabel], update: [label, olderLabel] }[operation] ?? [
    label,
  ];
  return [key, environmentKey, ...(operation === "check" ? [] : labels)];
}

describe.each(hosts)("served by the %s host", (host) => {
  test.each(Object.keys(operations))(
    "%s: neither errors nor the debug log repeat a secret in any encoding, or let anything act on a terminal",
    async (operation) => {
      const log = jest.spyOn(console, "error").mockImplementation();
      let present: Manner;
      const agb = await startScriptedServer((request, response) => echo(request, response, present));
      await fc.assert(
        fc.asyncProperty(manner, async (chosen) => {
          present = chosen;
          log.mockClear();
          const environment = { AGB_ENDPOINT: agb.url, AGB_API_KEY: environmentKey, AGB_LOG_LEVEL: "debug" };
          const { session: provider, configure } = openHost(host, environment);
          configure({ "agb:apiKey": key });
          const work = operations[operation]?.(provider) ?? Promise.reject(new Error("no such operation"));
          const outcome: unknown = await work.catch((error: unknown) => error);
          const shown = [
            ...(outcome instanceof Error ? [outcome.message, String(outcome), outcome.stack ?? ""] : []),
            ...(typeof outcome === "string" ? [outcome] : []),
            ...log.mock.calls.flat().map(String),
          ];
          for (const text of shown) {
            for (const secret of knownTo(operation)) {
              for (const encode of encodings.slice(0, -1)) {
                // What stands beside a secret decides the last characters of its Base64.
                expect(text).not.toContain(encode(secret).slice(0, -3));
              }
            }
            expect(text).not.toMatch(/[^\P{C}\n]|[\p{Zl}\p{Zp}]|^\s*::|##\w*\[/mu);
            expect(text.length).toBeLessThan(10_000);
          }
        }),
        { numRuns: 25 },
      );
    },
  );
});
