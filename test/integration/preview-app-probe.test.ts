// One question to an app through its link, with real servers on loopback.

import { type Probe, probeApp } from "../../provider/previews/app-probe";
import { createCertificate } from "../support/certificate";
import { startProxy, startRawServer, staySilent, tunnelTo } from "../support/raw-server";
import { deadAddress, type Script, startScriptedServer } from "../support/scripted-server";
import { startTlsServer } from "../support/tls-server";

const token = "tok-3f9c1d77aa42";
const options = { timeoutMs: 20_000, stop: new AbortController().signal, environment: {} };

const app = (script: Script) => startScriptedServer(script);
const healthy = { result: "healthy" };
const unhealthy = (reason: string) => ({ result: "unhealthy", reason });
const unreachable = (reason: unknown) => ({ result: "unreachable", reason });
const reasonOf = (probe: Probe) => ("reason" in probe ? probe.reason : "");
const linkTo = (url: string) => `${url}/gateway/${token}/?token=${token}`;

test.each([
  ["/health", `/gateway/${token}/health`, { token }],
  ["/", `/gateway/${token}/`, { token }],
  ["/health?deep=1", `/gateway/${token}/health`, { token, deep: "1" }],
  ["/a/../health", `/gateway/${token}/health`, { token }],
])("%s is asked below the link's own path, with the link's own query", async (healthPath, path, query) => {
  const server = await app((_, response) => response.writeHead(204).end());
  expect(await probeApp(linkTo(server.url), healthPath, options)).toEqual(healthy);
  expect(server.requests).toMatchObject([{ method: "GET", path, query, body: "" }]);
});

test("the app gets no key, also when the environment has one", async () => {
  const server = await app((_, response) => response.end());
  const environment = { AGB_API_KEY: "agb-secret-key-1", GITHUB_TOKEN: "ghp-secret-token-1" };
  expect(await probeApp(linkTo(server.url), "/health", { ...options, environment })).toEqual(healthy);
  expect(JSON.stringify(server.requests.map(({ headers, query, path }) => ({ headers, query, path })))).not.toMatch(
    /secret|authorization/i,
  );
});

test.each([199 + 1, 204, 299])("HTTP %d is healthy", async (status) => {
  const server = await app((_, response) => response.writeHead(status).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(healthy);
});

test.each([304, 400, 401, 404, 500, 502, 503])("HTTP %d is not", async (status) => {
  const server = await app((_, response) => response.writeHead(status).end("no"));
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(unhealthy(`it answered HTTP ${status}`));
});

test("an answer whose body never ends is an answer", async () => {
  const server = await app((_, response) => {
    response.writeHead(200).write("data: 1\n\n");
  });
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(healthy);
});

test("a redirect on the same host is followed, with its cookies", async () => {
  const server = await app(({ path, headers }, response) => {
    if (path.endsWith("/health")) {
      response.writeHead(302, { location: "/inside?a=1", "set-cookie": ["gate=open; Path=/; HttpOnly", "other=2"] });
      response.end();
    } else {
      response.writeHead(headers.cookie === "gate=open; other=2" ? 200 : 401).end();
    }
  });
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(healthy);
  expect(server.requests.map(({ path, query }) => ({ path, query })).at(-1)).toEqual({
    path: "/inside",
    query: { a: "1" },
  });
});

test.each([
  ["another host", "localhost", "another host"],
  ["another port", "127.0.0.1", "another port or protocol"],
])("a redirect to %s is not followed", async (_, hostname, words) => {
  const other = await app((__, response) => response.end());
  const location = other.url.replace("127.0.0.1", hostname);
  const server = await app((__, response) => response.writeHead(302, { location }).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(
    unhealthy(`it answered HTTP 302, a redirect to ${words}`),
  );
  expect(other.requests).toEqual([]);
});

test("endless redirects end", async () => {
  const server = await app((_, response) => response.writeHead(302, { location: "?again" }).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toEqual(unhealthy("it redirected more than 5 times"));
  expect(server.requests).toHaveLength(6);
});

test("a silent app ends with the time limit", async () => {
  const silent = await startRawServer(staySilent);
  const link = linkTo(`http://127.0.0.1:${silent.port}`);
  expect(await probeApp(link, "/health", { ...options, timeoutMs: 50 })).toEqual(
    unreachable("there was no answer within 50 ms. Last step: waiting for the app's answer"),
  );
  await silent.allClosed();
});

test("a request to stop ends the question", async () => {
  const stop = new AbortController();
  const silent = await startRawServer((socket) => {
    staySilent(socket);
    stop.abort();
  });
  const probe = await probeApp(linkTo(`http://127.0.0.1:${silent.port}`), "/health", {
    ...options,
    timeoutMs: 600_000,
    stop: stop.signal,
  });
  expect(probe).toEqual(unreachable("the job was stopped before the app answered"));
});

test.each(["ftp://files.test/", "nothing", "", "javascript:alert(1)"])("%j is no link", async (link) => {
  expect(await probeApp(link, "/health", options)).toEqual(unreachable("AGB returned a link that is no web address"));
});

describe("a reason holds no part of the link", () => {
  const parts = [token, "gateway", "session-8e2f"];
  const expectClean = (probe: Probe) => {
    expect(probe).toEqual(unreachable(expect.any(String)));
    const reason = reasonOf(probe);
    for (const part of parts) {
      expect(reason).not.toContain(part);
    }
  };

  test("when nothing listens there", async () => {
    const probe = await probeApp(linkTo(`http://${await deadAddress()}`), "/health", options);
    expectClean(probe);
    expect(reasonOf(probe)).toContain("ECONNREFUSED");
  });

  test("when its host does not exist", async () => {
    const probe = await probeApp(linkTo("http://session-8e2f.link.invalid"), "/health", options);
    expectClean(probe);
    expect(reasonOf(probe)).toContain("[host of the link]");
  });

  test("when the certificate is not trusted", async () => {
    const server = await startTlsServer(await createCertificate());
    const probe = await probeApp(linkTo(server.url), "/health", options);
    expectClean(probe);
    expect(reasonOf(probe)).toContain("certificate");
    expect(server.requests()).toBe(0);
  });

  test("when a proxy refuses the way, and one that opens it is used", async () => {
    const server = await app((_, response) => response.end());
    const link = linkTo("http://session-8e2f.link.invalid");
    const refusing = await startProxy((socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
    const refused = await probeApp(link, "/health", { ...options, environment: { http_proxy: refusing.url } });
    expectClean(refused);
    expect(reasonOf(refused)).toContain("it answered HTTP 403");
    const opening = await startProxy(tunnelTo(Number(new URL(server.url).port)));
    expect(await probeApp(link, "/health", { ...options, environment: { http_proxy: opening.url } })).toEqual(healthy);
    expect(opening.tunnels).toEqual(["session-8e2f.link.invalid:80"]);
  });
});
