// Plain requests to the endpoints under /_emulator/, with the headers a browser or a script would send.

import { request } from "node:http";

export interface AdminAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
}

/** Sends one request. Not with fetch, which refuses to send the headers that matter here. */
export function askAdmin(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<AdminAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const target = { hostname, port, path: `/_emulator/${path}` };
    const outgoing = request({ ...target, method, headers, agent: false }, async (incoming) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) {
        chunks.push(chunk as Buffer);
      }
      const text = Buffer.concat(chunks).toString();
      const isJson = incoming.headers["content-type"]?.startsWith("application/json") ?? false;
      resolve({
        status: incoming.statusCode,
        headers: incoming.headers,
        text,
        body: isJson ? JSON.parse(text) : undefined,
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? "" : JSON.stringify(body));
  });
}

/** The token in the page that the emulator serves. */
export async function pageToken(url: string): Promise<string> {
  const { text } = await askAdmin(url, "GET", "");
  return /name="emulator-token" content="([^"]+)"/.exec(text)?.[1] ?? "";
}
