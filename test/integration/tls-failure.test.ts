import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createSession, releaseSession } from "../../provider/api/sessions";
import { openObservedClient } from "../support/agb-client";
import { testKey } from "../support/agb-emulator";
import { type CertificateOptions, createCertificate } from "../support/certificate";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { makeTemporaryFolder, repositoryRoot, runNode } from "../support/node-process";
import { openProviderObjects } from "../support/provider-objects";
import { startProxy, startRawServer, staySilent, tunnelTo } from "../support/raw-server";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { declare } from "../support/session-stack";
import { setVariable } from "../support/set-variable";
import { startTlsServer } from "../support/tls-server";

withoutRetryDelay();

const request = { imageId: "agb-code-space-1", labels: { team: "web" } };
const longAgo = { notBefore: new Date("2020-01-01"), notAfter: new Date("2020-01-02") };
const farAhead = { notBefore: new Date("2048-01-01"), notAfter: new Date("2048-01-02") };

test.each<[string, CertificateOptions, string]>([
  ["signed itself", {}, "NODE_EXTRA_CA_CERTS"],
  ["was issued by nobody known", { issuer: "a company" }, "NODE_EXTRA_CA_CERTS"],
  ["has expired", longAgo, "clock of this computer"],
  ["is not valid yet", farAhead, "clock of this computer"],
])(
  "a server whose certificate %s is asked once, and the error has the reason and the remedy",
  async (_, options, remedy) => {
    const server = await startTlsServer(createCertificate(options));
    const { client, retries } = openObservedClient(server.url);
    const failure: Error = await releaseSession(client, "session-1").then(fail, (error) => error);
    expect(failure).toMatchObject({ name: "AgbNetworkError", requestSent: false, lasting: true });
    expect(failure.message).toContain(`no connection to ${server.url} for `);
    expect(failure.message).toContain("the certificate is not trusted");
    expect(failure.message).toContain(remedy);
    expect(failure.message).not.toContain(testKey);
    expect([server.connections(), server.requests(), retries]).toEqual([1, 0, []]);
  },
);

test("a server without a common cipher is asked once", async () => {
  const server = await startTlsServer({});
  const { client } = openObservedClient(server.url);
  const failure = createSession(client, request);
  await expect(failure).rejects.toMatchObject({ requestSent: false, lasting: true });
  await expect(failure).rejects.toThrow(
    /no connection to \S+ for createSession: TLS failed \([^\n]*handshake failure\)/,
  );
  expect(server.connections()).toBe(1);
});

test("a server that does not speak TLS is asked once", async () => {
  const server = await startScriptedServer((_, response) => sendSuccess(response));
  const { client, retries } = openObservedClient(server.url.replace("http:", "https:"));
  await expect(createSession(client, request)).rejects.toMatchObject({ requestSent: false, lasting: true });
  expect(retries).toEqual([]);
});

test("a connection that breaks during the TLS handshake proves that nothing was sent, and is retried", async () => {
  const server = await startRawServer((socket) => void socket.resetAndDestroy());
  const { client } = openObservedClient(`https://127.0.0.1:${server.port}`);
  await expect(createSession(client, request)).rejects.toMatchObject({ requestSent: false, lasting: false });
  expect(server.sockets).toHaveLength(5);
});

test("a create that fails because of a certificate is not uncertain and fails immediately", async () => {
  const server = await startTlsServer(createCertificate());
  const { session } = openProviderObjects({ AGB_API_KEY: testKey, AGB_ENDPOINT: server.url });
  const failure: Error = await session.create(declare()).then(fail, (error) => error);
  expect(failure.cause).toMatchObject({ name: "AgbNetworkError" });
  expect(failure.message).toContain('could not create AgbSession "web": no connection to ');
  expect(failure.message).toContain("NODE_EXTRA_CA_CERTS");
  expect(failure.message).not.toContain("could not be found out");
  expect(server.connections()).toBe(1);
});

describe("through a proxy's tunnel", () => {
  test("an untrusted certificate is reported: nothing was sent", async () => {
    const server = await startTlsServer(createCertificate({ host: "agb.invalid" }));
    await useTunnelTo(server.url);
    const { client, retries } = openObservedClient("https://agb.invalid");
    const failure = createSession(client, request);
    await expect(failure).rejects.toMatchObject({ requestSent: false, lasting: true });
    await expect(failure).rejects.toThrow(
      /not trusted.* The connection went through the proxy http:\S+ \(HTTPS_PROXY\)$/,
    );
    expect([server.connections(), retries]).toEqual([1, []]);
  });

  test("a request that was being sent when the connection broke does not count as unsent", async () => {
    const server = await startScriptedServer(({ socket }) => void socket.resetAndDestroy());
    await useTunnelTo(server.url);
    const { client } = openObservedClient("http://agb.invalid");
    await expect(createSession(client, request)).rejects.toMatchObject({ requestSent: true, lasting: false });
    expect(server.operations()).toEqual(["createSession"]);
  });
});

describe("with NODE_EXTRA_CA_CERTS", () => {
  test("the server's certificate is trusted", async () => {
    const certificate = createCertificate();
    const server = await startTlsServer(certificate);
    expect(await releaseTrusting([certificate], server.url)).toBe("released");
    expect(server.requests()).toBeGreaterThan(0);
  });

  test("a certificate for another host name is still refused, once, and the error says so", async () => {
    const certificate = createCertificate({ host: "127.0.0.2" });
    const server = await startTlsServer(certificate);
    const report = await releaseTrusting([certificate], server.url);
    expect(report).toContain("the certificate is not trusted");
    expect(report).toContain("127.0.0.1 is not in the cert's list: 127.0.0.2");
    expect(report).toContain("belongs to another host name");
    expect([server.connections(), server.requests()]).toEqual([1, 0]);
  });

  test.each([
    ["without", undefined],
    ["with", createCertificate({ subject: "proxy" })],
  ])("a server behind a proxy %s its own TLS is trusted by the requested name", async (_, ofProxy) => {
    const certificate = createCertificate({ host: "agb.invalid" });
    const server = await startTlsServer(certificate);
    const proxy = await startProxy(tunnelTo(Number(new URL(server.url).port)), ofProxy);
    const trusted = ofProxy === undefined ? [certificate] : [certificate, ofProxy];
    const report = await releaseTrusting(trusted, "https://agb.invalid", { HTTPS_PROXY: proxy.url });
    expect(report).toBe("released");
    expect([proxy.tunnels, server.requests()]).toEqual([["agb.invalid:443"], 1]);
  });

  test("a proxy whose own certificate is not trusted is asked once, and the error names its variable", async () => {
    const proxy = await startProxy(staySilent, createCertificate());
    const report = await releaseTrusting([createCertificate()], "https://agb.invalid", { HTTPS_PROXY: proxy.url });
    expect(report).toContain(`the proxy ${proxy.url} (HTTPS_PROXY): the certificate is not trusted`);
    expect([proxy.sockets.length, proxy.tunnels]).toEqual([1, []]);
  });
});

/** Has a process release a session at a server, with certificates that it was told to trust. */
async function releaseTrusting(
  certificates: readonly { cert: string }[],
  baseUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const file = join(await makeTemporaryFolder(), "authority.pem");
  await writeFile(file, certificates.map(({ cert }) => cert).join("\n"));
  const script = `
    const { AgbClient } = require("./provider/api/client");
    const { findProxy } = require("./provider/api/proxy");
    const { releaseSession } = require("./provider/api/sessions");
    const baseUrl = "${baseUrl}";
    const proxy = findProxy(baseUrl, process.env);
    const client = new AgbClient({ baseUrl, proxy, apiKey: "${testKey}", timeoutMs: 10_000 });
    releaseSession(client, "session-1")
      .then(() => console.log("released"), (error) => console.log(error.message))
      .finally(() => client.close());
  `;
  return runNode(["--import", "tsx", "-e", script], repositoryRoot, { ...environment, NODE_EXTRA_CA_CERTS: file });
}

/** Starts a proxy whose tunnels all lead to one server, and makes it the proxy of this process. */
async function useTunnelTo(target: string): Promise<void> {
  const proxy = await startProxy(tunnelTo(Number(new URL(target).port)));
  setVariable("HTTP_PROXY", proxy.url);
  setVariable("HTTPS_PROXY", proxy.url);
}

function fail(): never {
  throw new Error("the call should have failed");
}
