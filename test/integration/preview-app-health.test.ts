// What `preview-environment up` does with the apps of an environment. AGB and the apps are servers on loopback; the engine and
// the forge are fake, and so is what a script prints that asks an app in its session.

import type { ServerResponse } from "node:http";
import { CodedError } from "../../provider/messages/coded-error";
import { bringUp } from "../../provider/previews/up";
import { parseStackState, type StackState } from "../../provider/pulumi/stack-state";
import { openClient } from "../support/agb-client";
import { upOptions } from "../support/emulated-preview-job";
import { done, failed, openFakeJob } from "../support/fake-preview-job";
import {
  deadAddress,
  type ReceivedRequest,
  type Script,
  sendJson,
  sendRefusal,
  sendShellResult,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";

const token = "tok-3f9c1d77aa42";
const command = "urn:pulumi:pr-1::shop::agb:index:PreviewEnvironment$pulumi-nodejs:dynamic/agb:AgbCommand::preview-app";
const appOutput = { sessionId: "session-1", port: 30100, healthPath: "/health" };

/** The exported state of a stack whose component and program have these outputs. */
function stateWith(component: unknown, program?: unknown): StackState {
  const row = (type: string, name: string, previewApp: unknown) => ({
    urn: `urn:pulumi:pr-1::shop::${type}::${name}`,
    type,
    outputs: previewApp === undefined ? {} : { previewApp },
  });
  const resources = [
    row("pulumi:pulumi:Stack", "shop-pr-1", program),
    row("agb:index:PreviewEnvironment", "preview", component),
    { ...row("pulumi-nodejs:dynamic/agb:AgbSession", "preview-session", undefined), id: "session-1" },
    { ...row("pulumi-nodejs:dynamic/agb:AgbCommand", "preview-app", undefined), id: "run-1", urn: command },
  ];
  return parseStackState(JSON.stringify({ deployment: { resources } }));
}

const toLink = "/internet/getLink";
const toTool = "/mcp";

/**
 * A job on a stack whose app is a server. AGB links to it, and `agb` may answer in its place. When the job asks the app in its
 * session, the answer is `inSession`.
 */
async function openJob({
  app = (_, response) => response.end(),
  agb,
  inSession = () => "200",
  link,
  state = stateWith(appOutput),
  before,
  update = async () => done,
  signal,
}: {
  readonly app?: Script;
  readonly agb?: Script;
  /** What the session prints when it is asked for the n-th time. */
  readonly inSession?: (call: number) => string;
  readonly link?: string;
  readonly state?: StackState;
  readonly before?: StackState;
  readonly update?: () => Promise<typeof done>;
  readonly signal?: AbortSignal;
}) {
  const server = await startScriptedServer(app);
  const url = link ?? `${server.url}/${token}/?token=${token}`;
  let asked = 0;
  const service = await startScriptedServer((request, response, call) => {
    if (agb !== undefined) {
      return agb(request, response, call);
    }
    return request.path === toTool
      ? sendShellResult(response, `${inSession(++asked)}\n`)
      : sendSuccess(response, { data: { url } });
  });
  const updates: { readonly replaced: readonly string[] | undefined }[] = [];
  const fake = openFakeJob(
    {
      update: async (_stack, _config, replaced) => {
        updates.push({ replaced });
        fake.stacks.set("pr-1", state);
        return update();
      },
    },
    { client: openClient(service.url), ...(signal !== undefined && { signal }) },
  );
  if (before !== undefined) {
    fake.stacks.set("pr-1", before);
  }
  const everything = () =>
    JSON.stringify([fake.said, fake.warned, fake.reported, fake.summaries, fake.published, fake.comments]);
  return { ...fake, server, service, updates, everything };
}

const paths = ({ requests }: { readonly requests: readonly ReceivedRequest[] }) => requests.map(({ path }) => path);
const calls = ({ requests }: { readonly requests: readonly ReceivedRequest[] }) => requests.length;

test("an app that answers is up, and the comment has the command for its link instead of the link", async () => {
  const { job, comments, said, service, everything } = await openJob({});
  expect(await bringUp(job, upOptions)).toBe(0);
  expect(paths(service)).toEqual([toLink, toTool]);
  expect(service.requests[0]?.query).toEqual({ sessionId: "session-1", port: "30100", protocolType: "https" });
  expect(comments).toHaveLength(1);
  expect(comments[0]?.markdown).toContain("The preview environment of request 1 is ready\n");
  expect(comments[0]?.markdown).toContain(
    "The app on port 30100 of session `session-1` is up: it answers at `/health`.",
  );
  expect(comments[0]?.markdown).toContain("```sh\nnpx pulumi-agb sessions link session-1 --port 30100\n```");
  expect(said.join("\n")).toContain("is up");
  expect(everything()).not.toContain(token);
});

test("an app that starts late is waited for", async () => {
  const { job, clock } = await openJob({ app: (_, response, call) => response.writeHead(call < 4 ? 502 : 200).end() });
  expect(await bringUp(job, { ...upOptions, healthTimeoutMs: 60_000 })).toBe(0);
  expect(clock.sleeps).toEqual([1_000, 1_000, 1_000]);
});

test("an app that is not healthy in time fails the job with a code of its own, and the link stays secret", async () => {
  const { job, comments, reported, server, service, everything } = await openJob({
    inSession: () => "503",
    app: ({ path }, response) => response.writeHead(302, { location: `${path}/x`, "x-token": token }).end(token),
  });
  expect(await bringUp(job, { ...upOptions, healthTimeoutMs: 2_500 })).toBe(20);
  // At 0, 1, 2 and 2.5 seconds, with five redirects each.
  expect(calls(server)).toBe(4 * 6);
  expect(paths(service)).toEqual([toLink, toTool]);
  expect(reported).toEqual([
    "The environment is ready, but the app on port 30100 of session-1 is not healthy at /health: it answers HTTP 503. " +
      "Find out why, and let the program restart it. [AGB731]",
  ]);
  expect(comments[0]?.markdown).toContain("request 1 is ready, but its app is not healthy\n");
  expect(everything()).not.toContain(token);
});

test.each([
  ["the gateway answers for it", undefined, "it answered HTTP 502"],
  ["nothing listens where the link leads", "dead", "connect ECONNREFUSED [host of the link]"],
  ["the host of the link does not exist", `http://${token}.invalid/`, "getaddrinfo ENOTFOUND [host of the link]"],
])("an app that works in its session is not called unhealthy when %s", async (_, link, reason) => {
  const { job, reported, comments, everything } = await openJob({
    app: (__, response) => response.writeHead(502).end(),
    ...(link !== undefined && { link: link === "dead" ? `http://${await deadAddress()}/` : link }),
  });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toContain("answers in its session at /health, but not through AGB's link: ");
  expect(reported[0]).toContain(reason);
  expect(reported[0]).toMatch(/ \[AGB733\]$/);
  expect(comments[0]?.markdown).toContain("request 1 is ready, but its app does not answer through its link\n");
  expect(everything()).not.toContain(token);
});

test.each([
  ["was told so by an answer", 503, "is not healthy at /health: it answered HTTP 503"],
  ["has got no answer", undefined, "could not be checked: "],
])("where the session runs no scripts, the job says only what it %s", async (_, status, words) => {
  const dead = `http://${await deadAddress()}/`;
  const { job, server, reported } = await openJob({
    app: (__, response) => response.writeHead(status ?? 200).end(),
    agb: ({ path }, response) =>
      path === toTool
        ? sendSuccess(response, { data: { isError: true, content: [{ type: "text", text: "no such tool" }] } })
        : sendSuccess(response, { data: { url: status === undefined ? dead : server.url } }),
  });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(reported.join()).toContain(words);
});

test.each([
  ["is gone", "InvalidMcpSession.NotFound", "AGB404", "AGB has released the session. Run this again to recreate it."],
])("a session that %s while the job waits is reported", async (_, code, messageCode, words) => {
  const { job, reported, comments } = await openJob({
    agb: (__, response) => sendRefusal(response, code, "no session"),
  });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(reported.join()).toContain(words);
  expect(reported.join()).toContain(`[${messageCode}]`);
  expect(comments[0]?.markdown).toContain("but its app is not healthy");
});

test.each([
  ["a gateway answers in its place", "", "nothing answers on port 30100 in its session"],
  ["a redirect leads to a page that works", "302", "it answers HTTP 302, a redirect. Name a path that answers itself"],
])("an app that is not healthy in its session is not up when %s", async (_, inSession, reason) => {
  const { job, reported } = await openJob({ inSession: () => inSession });
  expect(await bringUp(job, { ...upOptions, healthTimeoutMs: 1_500 })).toBe(20);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toContain(`is not healthy at /health: ${reason}.`);
});

test("an app is waited for until it is healthy in its session too", async () => {
  const { job, clock } = await openJob({ inSession: (call) => (call < 3 ? "503" : "200") });
  expect(await bringUp(job, { ...upOptions, healthTimeoutMs: 60_000 })).toBe(0);
  expect(clock.sleeps).toEqual([1_000, 1_000]);
});

test("an update after which the state cannot be read is no success, because nobody knows its apps", async () => {
  const { job, warned, comments, service } = await openJob({});
  const exportState = async () => {
    throw new CodedError("`pulumi stack export` failed with exit code 255.", "AGB603");
  };
  let exports = 0;
  const failing = (stack: string) => (exports++ === 0 ? job.pulumi.exportState(stack) : exportState());
  expect(await bringUp({ ...job, pulumi: { ...job.pulumi, exportState: failing } }, upOptions)).toBe(20);
  expect(calls(service)).toBe(0);
  expect(warned.join()).toContain("so no app was checked: `pulumi stack export` failed with exit code 255.");
  expect(comments[0]?.markdown).toContain("request 1 is ready, but no app was checked\n");
});

test("a session that is gone when its app is asked there is reported as gone", async () => {
  const { job, server, reported } = await openJob({
    app: (_, response) => response.writeHead(502).end(),
    agb: ({ path }, response) =>
      path === toTool
        ? sendRefusal(response, "InvalidMcpSession.NotFound", "no session")
        : sendSuccess(response, { data: { url: server.url } }),
  });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(reported.join()).toContain("AGB has released the session. Run this again to recreate it. [AGB404]");
});

test("an app that nobody can ask fails the job, and the comment does not say that it is down", async () => {
  const { job, reported, comments } = await openJob({
    agb: (_, response) => sendJson(response, { success: false, code: "InvalidApiKey", message: "no" }, 401),
  });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(reported.join()).toMatch(/could not be checked: .* Solve that, then run this again\. \[AGB202\]/);
  expect(comments[0]?.markdown).toContain("request 1 is ready, but its app could not be checked\n");
});

test("a job that is stopped while it waits ends as stopped, and its comment does not say that the app is down", async () => {
  const stop = new AbortController();
  const { job, comments } = await openJob({
    app: (_, response) => {
      stop.abort(new Error("Stopped."));
      response.writeHead(503).end();
    },
    signal: stop.signal,
  });
  const pause = async () => stop.signal.throwIfAborted();
  await expect(bringUp({ ...job, pause }, { ...upOptions, healthTimeoutMs: 600_000 })).rejects.toThrow("Stopped.");
  expect(comments[0]?.markdown).toContain("is ready, but its app could not be checked");
});

test("nothing is asked when the update failed", async () => {
  const { job, service, comments } = await openJob({ update: async () => failed("error: boom", 255) });
  expect(await bringUp(job, upOptions)).toBe(255);
  expect(calls(service)).toBe(0);
  expect(comments[0]?.markdown).toContain("could not be created or updated");
});

test("a program without an app makes no call", async () => {
  const { job, service, comments } = await openJob({ state: stateWith(undefined) });
  expect(await bringUp(job, upOptions)).toBe(0);
  expect(calls(service)).toBe(0);
  expect(comments[0]?.markdown).not.toContain("app");
});

test("the program's own output previewApp counts too, and an app that two outputs name counts once", async () => {
  const other = { ...appOutput, port: 30101, healthPath: "/" };
  const both = await openJob({ state: stateWith(appOutput, other) });
  expect(await bringUp(both.job, upOptions)).toBe(0);
  expect(both.service.requests.flatMap(({ query }) => query["port"] ?? [])).toEqual(["30101", "30100"]);
  const twice = await openJob({ state: stateWith(appOutput, { ...appOutput }) });
  expect(await bringUp(twice.job, upOptions)).toBe(0);
  expect(paths(twice.service)).toEqual([toLink, toTool]);
});

test.each([
  ["nothing", null, "it must be an object"],
  ["a secret", { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" }, "sessionId must be"],
  ["another port", { ...appOutput, port: 8080 }, "port must be a whole number from 30100 to 30199"],
  ["a path of another host", { ...appOutput, healthPath: "//evil.test/" }, "healthPath must be a path such as /health"],
  ["a command line as id", { ...appOutput, sessionId: "s; rm -rf ~" }, "sessionId must be the id of a session"],
  ["a pattern as command", { ...appOutput, command: "urn:pulumi:**" }, "command must be the URN of a resource"],
])("an output previewApp that holds %s is a failure that says so", async (_, output, words) => {
  const { job, service, reported } = await openJob({ state: stateWith(output) });
  expect(await bringUp(job, upOptions)).toBe(20);
  expect(calls(service)).toBe(0);
  expect(reported.join()).toContain(words);
  expect(reported.join()).toContain("[AGB732]");
});

describe("before the update", () => {
  const state = stateWith({ ...appOutput, command });

  test.each([
    ["answers no request", "", "nothing answers on port 30100 in its session"],
    ["answers with an error", "503", "it answers HTTP 503"],
  ])("an app that %s in its session is found, and the update restarts it", async (_, inSession, reason) => {
    const { job, updates, said, service } = await openJob({
      state,
      before: state,
      inSession: (call) => (call === 1 ? inSession : "200"),
    });
    expect(await bringUp(job, upOptions)).toBe(0);
    expect(updates).toEqual([{ replaced: [command] }]);
    expect(said[0]).toBe(`The app on port 30100 of session-1 is not healthy: ${reason}. The update restarts it.`);
    expect(paths(service)).toEqual([toTool, toLink, toTool]);
  });

  test("an app that works in its session is left alone, also when nothing can reach it through its link", async () => {
    const { job, updates, reported } = await openJob({
      state,
      before: state,
      app: (_, response) => response.writeHead(502).end(),
    });
    expect(await bringUp(job, upOptions)).toBe(20);
    expect(updates).toEqual([{ replaced: [] }]);
    expect(reported.join()).toContain("[AGB733]");
  });

  test("a run that waits for the lock decides with the state and the app as they are then", async () => {
    let attempts = 0;
    const holder = "shop@ci (pid 1) at 2026-11-22T20:00:00Z";
    const locked = `error: the stack is currently locked by 1 lock(s).\n  file:///b/.pulumi/locks/1.json: created by ${holder}\n`;
    const { job, updates } = await openJob({
      state,
      before: state,
      inSession: (call) => (call === 1 ? "" : "200"),
      update: async () => (attempts++ === 0 ? failed(locked, 255) : done),
    });
    expect(await bringUp(job, upOptions)).toBe(0);
    expect(updates).toEqual([{ replaced: [command] }, { replaced: [] }]);
  });

  test.each([
    ["fails", (response: ServerResponse) => sendShellResult(response, "", "sh: no space", 2)],
    ["prints something else", (response: ServerResponse) => sendShellResult(response, "motd\n200\n")],
    ["cannot run", (response: ServerResponse) => sendSuccess(response, { data: { isError: true } })],
  ])("an app is not restarted because the script that asks it %s", async (_, send) => {
    const { job, updates, server } = await openJob({
      state,
      before: state,
      agb: ({ path }, response) =>
        path === toTool ? send(response) : sendSuccess(response, { data: { url: server.url } }),
    });
    expect(await bringUp(job, upOptions)).toBe(0);
    expect(updates).toEqual([{ replaced: [] }]);
  });

  test("an app without a command to restart it is not asked", async () => {
    const { job, updates, service } = await openJob({ before: stateWith(appOutput) });
    expect(await bringUp(job, upOptions)).toBe(0);
    expect(updates).toEqual([{ replaced: [] }]);
    expect(paths(service)).toEqual([toLink, toTool]);
  });

  test("an app whose command is not in the state is not asked, because Pulumi would refuse the update", async () => {
    const other = stateWith({ ...appOutput, command: `${command}-2` });
    const { job, updates, service } = await openJob({ before: other });
    expect(await bringUp(job, upOptions)).toBe(0);
    expect(updates).toEqual([{ replaced: [] }]);
    expect(paths(service)).toEqual([toLink, toTool]);
  });

  test.each([
    ["is gone", "InvalidMcpSession.NotFound", 400],
    ["cannot be asked about", "InvalidApiKey", 401],
  ])("an app whose session %s is not restarted for that", async (_, code, status) => {
    const { job, updates } = await openJob({
      state,
      before: state,
      agb: (__, response) => sendJson(response, { success: false, code, message: "no", requestId: "R" }, status),
    });
    expect(await bringUp(job, upOptions)).toBe(20);
    expect(updates).toEqual([{ replaced: [] }]);
  });
});
