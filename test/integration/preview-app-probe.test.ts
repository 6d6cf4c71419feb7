// One question to an app through its link, with real servers on loopback.

import { probeApp } from "../../provider/previews/app-probe";
import { createCertificate } from "../support/certificate";
import { startProxy, startRawServer, staySilent, tunnelTo } from "../support/raw-server";
import { deadAddress, type Script, startScriptedServer } from "../support/scripted-server";
import { startTlsServer } from "../support/tls-server";

const token = "tok-3f9c1d77aa42";
const options = { timeoutMs: 20_000, stop: new AbortController().signal, environment: {} };

const app = (script: Script) => startScriptedServer(script);
const linkTo = (url: string) => `${url}/gateway/${token}/?token=${token}`;

test.each([
  ["/health", `/gateway/${token}/health`, { token }],
  ["/", `/gateway/${token}/`, { token }],
  ["/health?deep=1", `/gateway/${token}/health`, { token, deep: "1" }],
  ["/a/../health", `/gateway/${token}/health`, { token }],
])("%s is asked below the link's own path, with the link's own query", async (healthPath, path, query) => {
  const server = await app((_, response) => response.writeHead(204).end());
  expect(await probeApp(linkTo(server.url), healthPath, options)).toBeUndefined();
  expect(server.requests).toMatchObject([{ method: "GET", path, query, body: "" }]);
});

test("the app gets no key, also when the environment has one", async () => {
  const server = await app((_, response) => response.end());
  const environment = { AGB_API_KEY: "agb-secret-key-1", GITHUB_TOKEN: "ghp-secret-token-1" };
  expect(await probeApp(linkTo(server.url), "/health", { ...options, environment })).toBeUndefined();
  expect(JSON.stringify(server.requests.map(({ headers, query, path }) => ({ headers, query, path })))).not.toMatch(
    /secret|authorization/i,
  );
});

test.each([199 + 1, 204, 299])("HTTP %d is healthy", async (status) => {
  const server = await app((_, response) => response.writeHead(status).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toBeUndefined();
});

test.each([304, 400, 401, 404, 500, 502, 503])("HTTP %d is not", async (status) => {
  const server = await app((_, response) => response.writeHead(status).end("no"));
  expect(await probeApp(linkTo(server.url), "/health", options)).toBe(`it answered HTTP ${status}`);
});

test("an answer whose body never ends is an answer", async () => {
  const server = await app((_, response) => {
    response.writeHead(200).write("data: 1\n\n");
  });
  expect(await probeApp(linkTo(server.url), "/health", options)).toBeUndefined();
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
  expect(await probeApp(linkTo(server.url), "/health", options)).toBeUndefined();
  expect(server.requests.map(({ path, query }) => ({ path, query })).at(-1)).toEqual({
    path: "/inside",
    query: { a: "1" },
  });
});

test("a redirect to another host is not followed", async () => {
  const other = await app((_, response) => response.end());
  const server = await app((_, response) => response.writeHead(302, { location: other.url }).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toBe(
    "it answered HTTP 302, a redirect to another host",
  );
  expect(other.requests).toEqual([]);
});

test("endless redirects end", async () => {
  const server = await app((_, response) => response.writeHead(302, { location: "?again" }).end());
  expect(await probeApp(linkTo(server.url), "/health", options)).toBe("it redirected more than 5 times");
  expect(server.requests).toHaveLength(6);
});

test("a silent app ends with the time limit", async () => {
  const silent = await startRawServer(staySilent);
  const link = linkTo(`http://127.0.0.1:${silent.port}`);
  expect(await probeApp(link, "/health", { ...options, timeoutMs: 50 })).toBe(
    "there was no answer within 50 ms. Last step: waiting for the app's answer",
  );
  await silent.allClosed();
});

test("a request to stop ends the question", async () => {
  const stop = new AbortController();
  const silent = await startRawServer((socket) => {
    staySilent(socket);
    stop.abort();
  });
  const reason = await probeApp(linkTo(`http://127.0.0.1:${silent.port}`), "/health", {
    ...options,
    timeoutMs: 600_000,
    stop: stop.signal,
  });
  expect(reason).toContain("no answer");
});

test.each(["ftp://files.test/", "nothing", "", "javascript:alert(1)"])("%j is no link", async (link) => {
  expect(await probeApp(link, "/health", options)).toBe("AGB returned a link that is no web address");
});

describe("a reason holds no part of the link", () => {
  const parts = [token, "gateway", "session-8e2f"];
  const expectClean = (reason: string | undefined) => {
    expect(reason).toEqual(expect.any(String));
    for (const part of parts) {
      expect(reason).not.toContain(part);
    }
  };

  test("when nothing listens there", async () => {
    const reason = await probeApp(linkTo(`http://${await deadAddress()}`), "/health", options);
    expectClean(reason);
    expect(reason).toContain("ECONNREFUSED");
  });

  test("when its host does not exist", async () => {
    const reason = await probeApp(linkTo("http://session-8e2f.link.invalid"), "/health", options);
    expectClean(reason);
    expect(reason).toContain("[host of the link]");
  });

  test("when the certificate is not trusted", async () => {
    const server = await startTlsServer(await createCertificate());
    const reason = await probeApp(linkTo(server.url), "/health", options);
    expectClean(reason);
    expect(reason).toContain("certificate");
    expect(server.requests()).toBe(0);
  });

  test("when a proxy refuses the way, and one that opens it is used", async () => {
    const server = await app((_, response) => response.end());
    const link = linkTo("http://session-8e2f.link.invalid");
    const refusing = await startProxy((socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"));
    const refused = await probeApp(link, "/health", { ...options, environment: { http_proxy: refusing.url } });
    expectClean(refused);
    expect(refused).toContain("it answered HTTP 403");
    const opening = await startProxy(tunnelTo(Number(new URL(server.url).port)));
    expect(await probeApp(link, "/health", { ...options, environment: { http_proxy: opening.url } })).toBeUndefined();
    expect(opening.tunnels).toEqual(["session-8e2f.link.invalid:80"]);
  });
});
