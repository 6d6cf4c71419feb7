// What the commands and the emulator print, made by the real code and compared with test/messages.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { AgbClient } from "../../provider/api/client";
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../../provider/api/errors";
import { emulatorProblem, unsavedState } from "../../provider/cli/emulator-problem";
import { readForgeSettings } from "../../provider/cli/environment";
import { requestLine } from "../../provider/cli/request-log";
import { keepIssue, lookForDrift } from "../../provider/drift/check-drift";
import { describeDrift, describeNoDrift } from "../../provider/drift/drift-report";
import { type EmulatorNoticeCode, startEmulator } from "../../provider/emulator";
import { plainViewWarning } from "../../provider/emulator/sandbox/find-session-view";
import { requireForge } from "../../provider/forge/find-forge";
import type { Forge } from "../../provider/forge/forge";
import { systemClock } from "../../provider/lifecycle/wait";
import { CodedError } from "../../provider/messages/coded-error";
import { takeDown } from "../../provider/previews/down";
import { whenUnlocked } from "../../provider/previews/locked-stack";
import { recover } from "../../provider/previews/recover";
import { downReport, sessionLines, type UpReport, upReport } from "../../provider/previews/report";
import { sweep } from "../../provider/previews/sweep";
import { sweepReport } from "../../provider/previews/sweep-report";
import { bringUp } from "../../provider/previews/up";
import { askPulumi } from "../../provider/pulumi/ask-pulumi";
import { requireProjectName } from "../../provider/pulumi/project-name";
import { PulumiReader, type RunPulumi } from "../../provider/pulumi/pulumi-reader";
import type { CutOffRun } from "../../provider/pulumi/run-note";
import { parseStackState, readStateFile } from "../../provider/pulumi/stack-state";
import { StoppedError } from "../../provider/pulumi/stop-requests";
import type { OwnedSession } from "../../provider/sweep/owned-sessions";
import { type ReleaseOptions, type ReleaseRight, releaseOrphan, resultLine } from "../../provider/sweep/release-orphan";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { runBounded } from "../support/bounded-process";
import { ask, createContext, createId, runShell } from "../support/emulator-requests";
import { done, type FakeJob, failed, openFakeJob, stateOf } from "../support/fake-preview-job";
import { startForgeServer } from "../support/forge-server";
import { expectGolden } from "../support/golden-messages";
import { makeTemporaryFolder, repositoryRoot } from "../support/node-process";
import { startRawServer, staySilent } from "../support/raw-server";
import {
  deadAddress,
  sendJson,
  sendRefusal,
  sendShellResult,
  sendSuccess,
  startScriptedServer,
} from "../support/scripted-server";
import { shownBy } from "../support/shown-messages";
import { exportOf, openEmulator, ownLabels, stackOf, stateRow, stateWith } from "../support/sweep-command";

const command = join(repositoryRoot, "dist", "cli", "main.js");

type Messages = Record<string, string>;

/** Replaces what differs from run to run: temporary folders and ports. */
function settled(text: string, folder = ""): string {
  return (folder === "" ? text : text.replaceAll(folder, "/work"))
    .replaceAll(/(127\.0\.0\.1:|[Pp]ort )\d{4,5}/g, "$1PORT")
    .replaceAll(/process \d+/g, "process PID")
    .replaceAll(/request id [0-9A-F-]{36}/g, "request id REQ-1")
    .replaceAll(/created \d{4}-\S+Z/g, "created 2026-11-22T20:00:00.000Z")
    .replaceAll(/session-[a-z0-9]{25}/g, "session-1")
    .trimEnd();
}

/** A folder with a Pulumi project and a fake `pulumi`, and the command that runs there. */
async function openFolder(pulumi?: string) {
  const folder = await makeTemporaryFolder();
  await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
  if (pulumi !== undefined) {
    await writeFile(join(folder, "pulumi"), `#!/bin/sh\n${pulumi}\n`);
    await chmod(join(folder, "pulumi"), 0o755);
  }
  const run = async (parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const { stdout, stderr } = await runBounded(process.execPath, [command, ...parameters], {
      directory: folder,
      environment: { PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter), ...environment },
      timeoutMs: 20_000,
    });
    return settled(stdout + stderr, folder);
  };
  return { folder, run };
}

test("arguments", async () => {
  const { run } = await openFolder();
  const messages: Messages = {};
  for (const line of [
    "nowhere",
    "drift",
    "drift --stack a/b/c/d",
    "emulator --latency 5",
    "emulator --port seven",
    "emulator --set-label add",
    "sweep --older-than soon",
    "sweep --stack-id web",
    "sweep --state a --stack-is-gone",
    "preview-environment up --request 12",
    "preview-environment up --request twelve --commit 9f3c2e1",
    "preview-environment up --request 12 --commit main",
    "preview-environment down --request 12 --organization a/b",
    "preview-environment sweep --idle-days 0",
  ]) {
    messages[`pulumi-agb ${line}`] = await run(line.split(" "));
  }
  expectGolden("arguments", Object.entries(messages));
});

test("stacks, the Pulumi CLI, sweep and drift", async () => {
  const { folder, run } = await openFolder();
  const { emulator, make } = await openEmulator();
  const answering = (result: Awaited<ReturnType<RunPulumi>>) => new PulumiReader(async () => result);
  const errorOf = (work: () => unknown) => shownBy("sweep", work).then((text) => settled(text, folder));
  const agb = { AGB_API_KEY: testKey, AGB_ENDPOINT: emulator.url };
  const state = join(folder, "state.json");
  const sweepState = (text: string, ...parameters: string[]) =>
    writeFile(state, text).then(() => run(["sweep", "--state", state, ...parameters], agb));
  const selected = (script: string) => openFolder(script).then(({ run: sweepIn }) => sweepIn(["sweep"], agb));

  const messages: Messages = {
    "no project in the folder": await errorOf(async () => requireProjectName(await makeTemporaryFolder())),
    "no Pulumi CLI": await errorOf(() => new PulumiReader(askPulumi({ PATH: folder })).exportState()),
    "a Pulumi command fails": await errorOf(() => answering(failed("error: no access", 255)).listStacks()),
    "a Pulumi command fails and prints nothing": await errorOf(() => answering(failed("", 255)).listStacks()),
    "a Pulumi command does not end": await errorOf(async () => {
      const slow = await openFolder("exec sleep 20");
      return new PulumiReader(askPulumi({ PATH: `${slow.folder}:/usr/bin:/bin` }, 1_000)).listStacks();
    }),
    "a state cannot be read": await errorOf(() => answering({ ...done, stdout: "{}" }).exportState()),
    "the state of a stack cannot be read": await errorOf(() => answering({ ...done, stdout: "{" }).exportState("dev")),
    "no state file": await errorOf(() => readStateFile(join(folder, "nowhere.json"))),
    stopped: await errorOf(() => Promise.reject(new StoppedError(130))),
    "sweep: the export fails": await selected("echo 'error: no access' >&2; exit 255"),
    "sweep: no such stack": await selected("exit 6"),
    "sweep: no such stack of a name": await (await openFolder("exit 6")).run(["sweep", "--stack", "dev"], agb),
    "sweep: the stack is not known": await run(["sweep", "--stack-is-gone"], agb),
    "sweep: the state belongs to another stack": await sweepState(exportOf([]), "--stack", "prod"),
    "sweep: the sessions are at another service": await sweepState(
      stateWith([stateRow("session-x", ownLabels(60), "https://agb.example")]),
    ),
    "sweep: nothing to do": await sweepState(exportOf([])),
  };
  await make(ownLabels(60));
  messages["sweep: a session to release"] = await sweepState(exportOf([]));
  messages["sweep: neither project nor stack is known"] = await (async () => {
    const { folder: empty, run: runThere } = await openFolder();
    await writeFile(join(empty, "Pulumi.yaml"), "");
    return runThere(["sweep", "--stack-is-gone"], agb);
  })();
  messages["sweep: no state proves whose session it is"] = await run(
    ["sweep", "--stack-is-gone", "--stack", "dev"],
    agb,
  );
  await make(stackOf("plugin").ownLabels(60, { "pulumi-stack": "plugged" }));
  messages["sweep: no state proves whose session of a plugin it is"] = await run(
    ["sweep", "--stack-is-gone", "--stack", "plugged"],
    agb,
  );
  messages["sweep: without a key"] = await run(["sweep", "--state", state]);
  messages["sweep: with a wrong key"] = await run(["sweep", "--state", state], { ...agb, AGB_API_KEY: "wrong" });
  messages["sweep: with a wrong endpoint"] = await run(["sweep", "--state", state], {
    ...agb,
    AGB_ENDPOINT: await deadAddress(),
  });

  const preview = (stderr: string, exitCode: number) => () =>
    lookForDrift({ compare: async () => ({ exitCode, stdout: "~ agb:AgbSession web\n", stderr }) }, "prod");
  const drift = (work: () => unknown) => shownBy("drift", work);
  const server = await startForgeServer();
  const forge = requireForge(readForgeSettings(server.gitHub));
  const name = { project: "shop", stack: "prod" };
  const check = { at: new Date("2026-11-22T20:00:00Z"), jobUrl: "https://forge.test/jobs/1" };
  const keep = async (hasDrift: boolean) =>
    settled(`${await keepIssue(forge, { hasDrift, details: "~ web" }, name, check)}`);
  Object.assign(messages, {
    "drift: the check fails": await drift(preview("error: no access", 255)),
    "drift: no such stack": await drift(preview("error: no stack named 'prod' found", 6)),
    "drift: an old Pulumi CLI": await drift(preview("error: no changes were expected but changes were proposed", 255)),
    "drift: without a forge": await run(["drift", "--stack", "prod"]),
    "drift: without a token": await run(["drift", "--stack", "prod"], { ...server.gitHub, GITHUB_TOKEN: "" }),
    "drift: none": await (await openFolder("exit 0")).run(["drift", "--stack", "prod", "--no-issue"]),
    "drift: found": await (await openFolder("echo '~ web'; exit 7")).run(["drift", "--stack", "prod", "--no-issue"]),
    "drift: the issue is opened": await keep(true),
    "drift: the issue is updated": await keep(true),
    "drift: the text of the issue": String(server.issues[0]?.body),
    "drift: the issue is closed": await keep(false),
  });

  const failures = {
    "an unexpected error": new TypeError("x is not a function"),
    "AGB refuses the key": new AgbAuthenticationError("ListSession", refusal("NOT_LOGIN", 400)),
    "the connection breaks": new AgbNetworkError("ListSession", "https://agb.example", true, "socket hang up"),
    "no answer in time": new AgbTimeoutError("ListSession", 60_000),
    "not AGB": new AgbUnexpectedReplyError("ListSession", 200, "", "it is not JSON"),
    "AGB fails": new AgbApiError("ListSession", refusal("InternalError", 503)),
    "too many calls": new AgbApiError("ListSession", refusal("Throttling", 429)),
    "AGB refuses the call": new AgbApiError("ListSession", refusal("InvalidRequest", 400)),
  };
  for (const [situation, error] of Object.entries(failures)) {
    messages[`AGB: ${situation}`] = await errorOf(() => Promise.reject(error));
  }
  expectGolden("stacks", Object.entries(messages));
});

function refusal(code: string, status: number) {
  return { code, reason: "No.", status, requestId: "REQ-1", isFromAgb: true };
}

test("sessions that a sweep finds", async () => {
  const emulator = await startTestEmulator();
  const sessionId = await createId(emulator.url, ownLabels(60), {}, testKey);
  const client = new AgbClient({ baseUrl: emulator.url, proxy: undefined, timeoutMs: 5_000, apiKey: testKey });
  const orphan: OwnedSession = {
    sessionId,
    project: "shop",
    stack: "dev",
    resource: "web",
    stackId: "0123456789abcdef",
    createToken: "20261122T200000Z-9f86d081884c",
    createdAt: new Date(),
    repository: undefined,
    isRetained: false,
  };
  const right: ReleaseRight = {
    stackIds: new Set(["0123456789abcdef"]),
    providerIds: new Set(),
    name: { project: "shop", stack: "dev" },
    createTokens: new Set(),
    repositories: "any",
    includesUnidentified: false,
  };
  const line = async (
    change: Partial<OwnedSession> = {},
    rights: Partial<ReleaseRight> = {},
    options: Partial<ReleaseOptions> = {},
  ) => {
    const all = { minimumAgeMs: undefined, release: false, right: { ...right, ...rights }, ...options };
    return settled(resultLine(await releaseOrphan(client, { ...orphan, ...change }, all, systemClock)));
  };
  const other = "github.com/repositories/99";
  const messages: Messages = {
    "would release": await line(),
    "another repository": await line({ repository: other }, { repositories: new Set(["github.com/repositories/81"]) }),
    "no repository is known": await line({ repository: other }, { repositories: new Set() }),
    "unreadable labels": await line({ unreadable: { text: "unexpected reply to GetLabel", code: "AGB306" } }),
    "another stack": await line({ stackId: "fedcba9876543210" }),
    "another name": await line(
      { stackId: "edddcd4e-1bb4-44ff-a14f-e7352353b7d8", stack: "development" },
      { providerIds: new Set(["edddcd4e-1bb4-44ff-a14f-e7352353b7d8"]) },
    ),
    retained: await line({ isRetained: true }),
    "no stack id": await line({ stackId: undefined }),
    "no state": await line({}, { stackIds: new Set() }),
    "too young": await line({}, {}, { minimumAgeMs: 600_000 }),
    "too young, in seconds": await line({}, {}, { minimumAgeMs: 90_000 }),
    "unknown age": await line({ createdAt: undefined, resource: undefined }, {}, { minimumAgeMs: 600_000 }),
    "changed owner": await line({ resource: "api" }, {}, { release: true }),
  };
  await client.close();
  expectGolden("swept-sessions", Object.entries(messages));
});

test("GitHub and GitLab", async () => {
  const settings = (environment: Record<string, string>) =>
    shownBy("drift", () => requireForge(readForgeSettings(environment)));
  const gitHub = { GITHUB_REPOSITORY: "acme/shop", GITHUB_TOKEN: "token" };
  const gitLab = { CI_PROJECT_ID: "7", CI_API_V4_URL: "https://gitlab.test/api/v4", GITLAB_TOKEN: "token" };
  const messages: Messages = {
    "no forge": await settings({}),
    "no GitHub token": await settings({ ...gitHub, GITHUB_TOKEN: "" }),
    "a token with a line break": await settings({ ...gitHub, GITHUB_TOKEN: "to\nken" }),
    "no address": await settings({ ...gitHub, GITHUB_API_URL: "api.github.com" }),
    "no repository name": await settings({ ...gitHub, GITHUB_REPOSITORY: "acme" }),
    "no GitLab token": await settings({ ...gitLab, GITLAB_TOKEN: "" }),
    "no GitLab address": await settings({ ...gitLab, CI_API_V4_URL: "" }),
    "no GitLab project": await settings({ ...gitLab, CI_PROJECT_ID: "../7" }),
  };
  for (const kind of ["gitHub", "gitLab"] as const) {
    const ask = async (
      options: Parameters<typeof startForgeServer>[0],
      work: (forge: Forge) => unknown = (forge) => forge.readRequest(12),
      address?: string,
      timeoutMs = 5_000,
    ) => {
      const server = await startForgeServer(options);
      server.addRequest(12);
      const other = address && { [kind === "gitHub" ? "GITHUB_API_URL" : "CI_API_V4_URL"]: address };
      const settings = readForgeSettings({ ...server[kind], ...other });
      const forge = requireForge(settings, { timeoutMs, delay: async () => {} });
      return settled(await shownBy("drift", () => work(forge)));
    };
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
      intercept: (_: unknown, response: Parameters<typeof sendJson>[0]) => {
        sendJson(response, body, status, headers);
        return true;
      },
    });
    const refusing = (refused: string, paths = /./): Parameters<typeof startForgeServer>[0] => ({
      intercept: ({ method, path }, response) => {
        const isRefused = method === refused && paths.test(path);
        if (isRefused) {
          sendJson(response, { message: "Resource not accessible by integration" }, 403);
        }
        return isRefused;
      },
    });
    const issue = { title: "Drift", markdown: "It is.", label: "agb-drift" };
    const no = { message: "No" };
    Object.assign(messages, {
      [`${kind}: wrong token`]: await ask(answer(401, no)),
      [`${kind}: missing permission`]: await ask(answer(403, { message: "Resource not accessible by integration" })),
      [`${kind}: not found`]: await ask(answer(404, no)),
      [`${kind}: switched off`]: await ask(answer(410, no), (forge) => forge.writeIssue("x", issue)),
      [`${kind}: refused`]: await ask(answer(422, { message: "Validation failed" })),
      [`${kind}: refused without a reason`]: await ask(answer(418, {})),
      [`${kind}: rate limit`]: await ask(answer(429, no, { "retry-after": "3600" })),
      [`${kind}: fails`]: await ask(answer(503, no)),
      [`${kind}: moved`]: await ask(answer(304, no)),
      [`${kind}: unexpected reply`]: await ask(answer(200, { state: "odd" })),
      [`${kind}: an unexpected reply as a whole`]: await ask(answer(200, 7)),
      [`${kind}: no JSON`]: await ask({
        intercept: (_, response) => response.end("<html>") !== undefined,
      }),
      [`${kind}: no answer`]: await ask({ intercept: () => true }, undefined, undefined, 200),
      [`${kind}: no connection`]: await ask({}, undefined, `http://${(await deadAddress()).replace("http://", "")}`),
      [`${kind}: a list without an end`]: await ask(
        answer(200, [], { link: '<https://forge.test/?page=2>; rel="next"' }),
        (forge) => forge.writeComment(12, "x", "text"),
      ),
      [`${kind}: a comment that may not be written`]: await ask(refusing("POST"), (forge) =>
        forge.writeComment(12, "x", "text"),
      ),
      [`${kind}: an issue that may not be opened`]: await ask(refusing("POST"), (forge) =>
        forge.writeIssue("x", issue),
      ),
      [`${kind}: an issue that may not be changed`]: await ask(
        refusing(kind === "gitHub" ? "PATCH" : "PUT"),
        async (forge) => {
          await forge.writeIssue("x", issue);
          await forge.writeIssue("x", issue);
        },
      ),
      [`${kind}: an issue that may not be closed`]: await ask(refusing("POST", /(comments|notes)$/), async (forge) => {
        await forge.writeIssue("x", issue);
        await forge.closeIssue("x", "agb-drift", "It is clean.");
      }),
      [`${kind}: the label is left out`]: await ask({ setsLabels: false }, (forge) => forge.writeIssue("x", issue)),
    });
  }
  messages["the token's account cannot be read"] = await (async () => {
    const server = await startForgeServer({
      isAppToken: false,
      intercept: ({ path }, response) => {
        if (path.endsWith("/user")) {
          sendJson(response, { message: "No" }, 401);
        }
        return path.endsWith("/user");
      },
    });
    server.addRequest(12);
    server.addComment(12, "someone", "<!-- x -->\ntext");
    const forge = requireForge(readForgeSettings(server.gitHub), { delay: async () => {} });
    return settled(await shownBy("drift", () => forge.writeComment(12, "x", "text")));
  })();
  expectGolden("forges", Object.entries(messages));
});

test("preview environments", async () => {
  const emulator = await startTestEmulator();
  const client = new AgbClient({ baseUrl: emulator.url, proxy: undefined, timeoutMs: 5_000, apiKey: testKey });
  const repository = "github.com/repositories/81";
  const otherRepository = "github.com/repositories/99";
  const open = { isOpen: true, updatedAt: new Date() };
  const closed = { isOpen: false, updatedAt: new Date() };
  const broken = new CodedError("Could not read pull request 12 of acme/shop on GitHub: No (HTTP 404).", "AGB705");
  /** Runs work on a fake backend, with the real output. */
  const job = (
    name: string,
    work: (job: FakeJob["job"]) => unknown,
    prepare: (fake: FakeJob) => unknown = () => {},
    pulumi: Parameters<typeof openFakeJob>[0] = {},
    more: Parameters<typeof openFakeJob>[1] = {},
  ) =>
    shownBy(`preview-environment ${name}`, async (output) => {
      const fake = openFakeJob(pulumi, { client, output, ...more });
      await prepare(fake);
      await work(fake.job);
    }).then(settled);
  const up = (job: FakeJob["job"], healthTimeoutMs = 0) =>
    bringUp(job, { request: 12, commit: "9f3c2e1", secretsProvider: undefined, lockWaitMs: 0, healthTimeoutMs });
  const down = (job: FakeJob["job"]) => takeDown(job, { request: 12, lockWaitMs: 0 });
  const again = (force: boolean) => (job: FakeJob["job"]) => recover(job, { request: 12, force });
  const sweeping = (execute: boolean, idleDays?: number) => (job: FakeJob["job"]) =>
    sweep(job, { idleDays, minimumAgeMs: 0, execute, lockWaitMs: 0 });
  const stackOf =
    (...repositories: string[]) =>
    (fake: FakeJob) => {
      const ids = repositories.map((_, index) => `session-${index}`);
      fake.stacks.set("pr-12", stateOf("shop", "pr-12", ids, repositories));
    };
  const holder = "root@runner (pid 7)";
  const locked = failed(
    `error: the stack is currently locked by 1 lock(s).\n  file:///b/.pulumi/locks/1.json: created by ${holder} at 2026-11-22T20:00:00Z\n`,
  );
  const cutOff = (result: Awaited<ReturnType<CutOffRun["end"]>>) => (fake: FakeJob) => {
    stackOf()(fake);
    fake.cutOff.set("pr-12", { pid: 41, end: async () => result, forget: () => {} });
  };
  const writing = (fake: FakeJob) =>
    Object.assign(fake.job.forge, { writeComment: () => Promise.reject(new CodedError("Could not write.", "AGB704")) });
  const hiddenState = parseStackState(
    JSON.stringify({
      deployment: {
        resources: [
          {
            urn: "urn:pulumi:pr-12::shop::pulumi-nodejs:dynamic/agb:AgbSession::web",
            type: "pulumi-nodejs:dynamic/agb:AgbSession",
            id: "session-1",
            outputs: { labelsAll: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" } },
          },
        ],
      },
    }),
  );
  const appCommand = "urn:pulumi:pr-12::shop::pulumi-nodejs:dynamic/agb:AgbCommand::preview-app";
  // `/302?to=ADDRESS` redirects there, and `/302?again` to itself.
  const appServer = await startScriptedServer(({ path, query: { to, again } }, response) => {
    const location = again === undefined ? to : "/302?again";
    response.writeHead(Number(path.slice(1)), location === undefined ? {} : { location }).end();
  });
  const silent = await startRawServer(staySilent);
  /** A clock on which a second passes with each look. */
  const ticking = () => {
    let looks = 0;
    return { ...systemClock, elapsedMs: () => looks++ * 1_000 };
  };
  const links: Readonly<Record<string, string>> = {
    "session-1": `${appServer.url}/?token=tok-3f9c1d77aa42`,
    "session-dead": `http://${await deadAddress()}/`,
    "session-silent": `http://127.0.0.1:${silent.port}/`,
    "session-odd": "ftp://files.test/",
  };
  /** Answers the call for a link, and says that the app is healthy in its session unless its path is `/502`. */
  const linkService = await startScriptedServer(({ headers, query, path, body }, response) => {
    if (headers.authorization !== `Bearer ${testKey}`) {
      sendRefusal(response, "InvalidApiKey", "wrong key", 401);
    } else if (path === "/mcp") {
      sendShellResult(response, `${/\/(303|502)/.exec(body)?.[1] ?? (body.includes("/no-answer") ? "" : "200")}\n`);
    } else {
      const url = links[query["sessionId"] ?? ""];
      if (url === undefined) {
        sendRefusal(response, "InvalidMcpSession.NotFound");
      } else {
        sendSuccess(response, { data: { url } });
      }
    }
  });
  const linkClient = (apiKey: string) =>
    new AgbClient({ baseUrl: linkService.url, proxy: undefined, timeoutMs: 5_000, apiKey });
  /** Runs `up` on a stack with an app. `isOld`: whether it had the app before. */
  const upWithApp = (
    app: Readonly<Record<string, unknown>>,
    {
      isOld = false,
      healthTimeoutMs = 0,
      ...more
    }: { isOld?: boolean; healthTimeoutMs?: number } & Parameters<typeof openFakeJob>[1] = {},
  ) => {
    const value = { sessionId: "session-1", port: 30100, healthPath: "/200", ...app };
    const state = {
      ...stateOf("shop", "pr-12", []),
      appOutputs: [{ owner: "preview", value }],
      urns: new Set([appCommand]),
    };
    const exportState = jest.fn().mockResolvedValue(state);
    if (!isOld) {
      exportState.mockResolvedValueOnce(undefined);
    }
    const work = (fake: FakeJob["job"]) => up(fake, healthTimeoutMs);
    const all = { client: linkClient(testKey), ...more };
    return job("up", work, ({ requests }) => requests.set(12, open), { exportState }, all);
  };
  const orphanOf = (more: Record<string, string> = {}) =>
    createId(emulator.url, { ...ownLabels(60, { "pulumi-stack": "pr-12" }), ...more }, {}, testKey);
  const messages: Messages = {
    "up: the request is closed": await job("up", up, ({ requests }) => requests.set(12, closed)),
    "up: the forge does not say": await job("up", up, ({ requests }) => requests.set(12, broken)),
    "up: the comment is not written": await job("up", up, (fake) => {
      fake.requests.set(12, open);
      writing(fake);
    }),
    "up: no forge": await job("up", up, undefined, {}, { forge: undefined }),
    "up: sessions": await job(
      "up",
      up,
      (fake) => {
        fake.requests.set(12, open);
        stackOf(repository)(fake);
      },
      {},
    ),
    "up: the sessions cannot be read": await job("up", up, ({ requests }) => requests.set(12, open), {
      exportState: (() => {
        let calls = 0;
        return async () => {
          calls += 1;
          if (calls > 1) {
            throw new CodedError("`pulumi stack export` failed with exit code 255.", "AGB603");
          }
          return undefined;
        };
      })(),
    }),
    "up: the stack was removed meanwhile": await job("up", up, ({ requests }) => requests.set(12, open), {
      exportState: async () => undefined,
    }),
    "up: the app is up": await upWithApp({}),
    "up: the app is not healthy": await upWithApp({ healthPath: "/502" }),
    "up: the app redirects in its session": await upWithApp({ healthPath: "/303" }),
    "up: the app does not answer": await upWithApp({ sessionId: "session-dead", healthPath: "/no-answer" }),
    "up: the app is not healthy, before and after": await upWithApp(
      { healthPath: "/502", command: appCommand, log: ".pulumi-agb-app/log" },
      { isOld: true },
    ),
    "up: the session of the app is gone": await upWithApp({ sessionId: "session-2" }),
    "up: the app cannot be asked": await upWithApp({}, { client: linkClient("another-key") }),
    "up: nothing listens where the link leads": await upWithApp({ sessionId: "session-dead" }),
    "up: the app stays silent": await upWithApp(
      { sessionId: "session-silent" },
      { healthTimeoutMs: 1_050, clock: ticking() },
    ),
    "up: the app redirects to another host": await upWithApp({ healthPath: "/302?to=https://elsewhere.test/" }),
    "up: the app redirects to another port": await upWithApp({ healthPath: "/302?to=http://127.0.0.1:1/" }),
    "up: the app redirects without an end": await upWithApp({ healthPath: "/302?again" }),
    "up: the link is no web address": await upWithApp({ sessionId: "session-odd" }),
    "up: the job is stopped meanwhile": await upWithApp(
      { healthPath: "/503" },
      { healthTimeoutMs: 5_000, pause: () => Promise.reject(new StoppedError(130)) },
    ),
    "up: the output previewApp cannot be used": await upWithApp({ port: 8080 }),
    "up: everything in the output previewApp is wrong": await upWithApp({
      sessionId: "",
      port: "30100",
      healthPath: "health",
      command: "start",
      log: "the log",
    }),
    "the stack belongs to another project": await job("up", up, (fake) => {
      fake.requests.set(12, open);
      fake.stacks.set("pr-12", stateOf("bank", "pr-12", []));
    }),
    "the state belongs to another stack": await job("up", up, (fake) => {
      fake.requests.set(12, open);
      fake.stacks.set("pr-12", stateOf("shop", "pr-13", []));
    }),
    "the stack holds sessions of another repository": await job(
      "up",
      up,
      (fake) => {
        fake.requests.set(12, open);
        stackOf(otherRepository)(fake);
      },
      {},
      { repository },
    ),
    "unknown whose sessions the stack holds": await job(
      "up",
      up,
      (fake) => {
        fake.requests.set(12, open);
        fake.stacks.set("pr-12", hiddenState);
      },
      {},
      {
        repository,
        withClient: () => Promise.reject(new AgbNetworkError("GetLabel", "https://agb.example", false, "ECONNREFUSED")),
      },
    ),
    "the stack stays locked": await job("up", (each) => whenUnlocked(each, "pr-12", 10_000, async () => locked)),
    "the lock of a dead run": await job("up", async (each) => {
      const own = `root@${hostname()} (pid 2000000000)`;
      let attempts = 0;
      const said: FakeJob["job"] = {
        ...each,
        output: { ...each.output, warn: (line, code) => each.output.warn(line.replace(hostname(), "runner"), code) },
      };
      await whenUnlocked(said, "pr-12", 10_000, async () => {
        attempts += 1;
        return attempts > 1 ? done : failed(locked.stderr.replace(holder, own));
      });
    }),
    "down: no stack": await job("down", down),
    "down: the comment is not updated": await job("down", down, (fake) => {
      stackOf()(fake);
      writing(fake);
    }),
    "recover: nothing to do": await job("recover", again(false)),
    "recover: no stack": await job("recover", again(true)),
    "recover: done": await job("recover", again(false), cutOff("ended")),
    "recover: killed": await job("recover", again(false), cutOff("was killed")),
    "recover: the process cannot be ended": await job("recover", again(false), cutOff("cannot be ended")),
    "recover: another run holds the lock": await job("recover", again(false), cutOff("had ended"), {
      tryLock: async () => locked,
    }),
    "recover: the lock was free": await job("recover", again(true), stackOf(), {
      cancel: async () => failed("error: no update in progress"),
    }),
    "recover: the stack is gone": await job("recover", again(true), stackOf(), {
      cancel: async () => failed("", 6),
    }),
    "sweep: nothing": await job("sweep", sweeping(false)),
    "sweep: an open request": await job("sweep", sweeping(false), (fake) => {
      fake.requests.set(12, open);
      stackOf()(fake);
    }),
    "sweep: a closed request, dry run": await job("sweep", sweeping(false), (fake) => {
      fake.requests.set(12, closed);
      stackOf()(fake);
    }),
    "sweep: a closed request": await job("sweep", sweeping(true), (fake) => {
      fake.requests.set(12, closed);
      stackOf()(fake);
    }),
    "sweep: an idle request": await job("sweep", sweeping(false, 3), (fake) => {
      const updatedAt = new Date(fake.clock.now() - 5 * 86_400_000);
      fake.requests.set(12, { isOpen: true, updatedAt });
      stackOf()(fake);
    }),
    "sweep: the forge does not say": await job("sweep", sweeping(true), (fake) => {
      fake.requests.set(12, broken);
      stackOf()(fake);
    }),
    "sweep: the destroy fails": await job(
      "sweep",
      sweeping(true),
      (fake) => {
        fake.requests.set(12, closed);
        stackOf()(fake);
      },
      { destroy: async () => failed("", 255) },
    ),
    "sweep: no settings for the forge": await (await openFolder()).run(["preview-environment", "sweep"]),
    "up: a forge without a token": await (await openFolder("exit 255")).run(
      ["preview-environment", "up", "--request", "12", "--commit", "9f3c2e1"],
      { GITHUB_REPOSITORY: "acme/shop" },
    ),
  };
  await orphanOf();
  messages["down: sessions of a stack that is not here"] = await job("down", down);
  messages["sweep: the stack was not found"] = await job("sweep", sweeping(true), ({ requests }) =>
    requests.set(12, open),
  );
  let reads = 0;
  messages["sweep: a stack that exists again"] = await job(
    "sweep",
    sweeping(true),
    ({ requests }) => requests.set(12, closed),
    {
      listStacks: async () => [],
      exportState: async () => {
        reads += 1;
        return stateOf("shop", "pr-12", []);
      },
    },
  );
  expect(reads).toBe(1);
  messages["sweep: a stack that is gone"] = await job(
    "sweep",
    sweeping(true),
    ({ requests }) => requests.set(12, open),
    { listStacks: async () => ["pr-12"], exportState: async () => undefined },
  );
  messages["sweep: the state cannot be read"] = await job(
    "sweep",
    sweeping(true),
    ({ requests }) => requests.set(12, closed),
    {
      listStacks: async () => [],
      exportState: () => Promise.reject(new CodedError("`pulumi stack export` failed with exit code 255.", "AGB603")),
    },
  );
  await createId(
    emulator.url,
    { ...ownLabels(60, { "pulumi-stack": "pr-12", "pulumi-project": "old-shop" }), "pulumi-repository": repository },
    {},
    testKey,
  );
  messages["sweep: a session of a renamed project"] = await job(
    "sweep",
    sweeping(false),
    ({ requests }) => requests.set(12, closed),
    {},
    { repository },
  );
  await client.close();
  expectGolden("previews", Object.entries(messages));
});

test("reports", () => {
  const session = {
    name: "web",
    urn: "urn:pulumi:pr-12::shop::agb:AgbSession::web",
    sessionId: "session-1",
    imageId: "agb-code-space-1",
    labels: { team: "shop", "pulumi-create": "20261122T164726Z-9f86d081884c" },
    idleTimeoutSeconds: undefined,
    isReleased: false,
    isExternal: false,
    service: undefined,
  };
  const report: UpReport = {
    request: 12,
    commit: "9f3c2e1",
    stack: "pr-12",
    outcome: "ready",
    sessions: [session],
    apps: [],
    job: { url: "https://forge.test/jobs/1", repeatCommand: "gh run rerun 1 --repo acme/shop" },
  };
  const app = { sessionId: "session-1", port: 30100, healthPath: "/health", command: undefined, log: undefined };
  const unhealthy = { app, state: "down", reason: "it answered HTTP 502", code: "AGB731" } as const;
  const check = { at: new Date("2026-11-22T20:00:00Z"), jobUrl: "https://forge.test/jobs/1" };
  const name = { project: "shop", stack: "prod" };
  const idle = (idleTimeoutSeconds: number) => ({ ...session, idleTimeoutSeconds });
  expectGolden(
    "reports",
    Object.entries({
      "comment: ready": upReport(report),
      "comment: the app is up": upReport({ ...report, apps: [{ ...unhealthy, state: "up", reason: "" }] }),
      "comment: the app is not healthy": upReport({ ...report, apps: [unhealthy] }),
      "comment: the app could not be checked": upReport({
        ...report,
        apps: [{ ...unhealthy, state: "unknown", reason: "no connection to AGB" }],
      }),
      "comment: the app does not answer through its link": upReport({
        ...report,
        apps: [{ ...unhealthy, state: "unreachable" }],
      }),
      "comment: one of two apps is not healthy": upReport({
        ...report,
        apps: [{ ...unhealthy, app: { ...app, port: 30101 }, state: "up", reason: "" }, unhealthy],
      }),
      "comment: the state cannot be read": upReport({ ...report, sessions: undefined }),
      "comment: failed": upReport({ ...report, outcome: "failed" }),
      "comment: cancelled, sessions unknown": upReport({ ...report, outcome: "cancelled", sessions: undefined }),
      "comment: no sessions, outside a job": upReport({ ...report, sessions: [], job: undefined }),
      "comment: several idle timeouts": upReport({
        ...report,
        sessions: [idle(90), { ...idle(600), isReleased: true }],
      }),
      "comment: too many sessions": upReport({
        ...report,
        sessions: Array.from({ length: 3 }, () => ({ ...session, labels: { team: "x" } })),
      }),
      "comment: gone": downReport({ request: 12, stack: "pr-12", job: report.job, areSessionsGone: true }),
      "comment: gone, with other sessions": downReport({
        request: 12,
        stack: "pr-12",
        job: undefined,
        note: "The reason: its request had no activity for 5 days. A new push recreates it.",
        areSessionsGone: false,
      }),
      "log: sessions": sessionLines([session]).join("\n"),
      "summary of a sweep: nothing": sweepReport({ stacks: [], sessions: [], failures: [] }, true),
      "summary of a sweep: dry run": sweepReport(
        {
          stacks: [{ stack: "pr-12", action: "would remove", reason: "its request is closed" }],
          sessions: [
            {
              sessionId: "session-1",
              stack: "pr-13",
              resource: "web",
              createdAt: null,
              action: "left",
              reason: "its age is unknown",
              code: "AGB625",
            },
          ],
          failures: [{ text: "Request 14: Could not read it.", code: "AGB705" }],
        },
        false,
      ),
      "issue: drift": describeDrift(name, "~ agb:AgbSession: web", check),
      "issue: drift, long": describeDrift(name, "x".repeat(30_000), { ...check, jobUrl: undefined }).replace(
        /x+/,
        "x…",
      ),
      "issue: no drift": describeNoDrift(name, check),
    }),
  );
});

test("the emulator", async () => {
  const { folder, run } = await openFolder();
  const runEmulator = (...parameters: string[]) => run(["emulator", ...parameters]);
  const state = join(folder, "state.json");
  const withState = (text: string) => writeFile(state, text).then(() => runEmulator("--state", state));
  /** What the command prints first. */
  const firstLine = async () => {
    const child = spawn(process.execPath, [command, "emulator"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    child.kill("SIGTERM");
    await once(child, "exit");
    return settled(line);
  };
  /** The first notice of a kind while something happens to an emulator that allows tools. */
  const noticeOf = async (
    kind: EmulatorNoticeCode,
    happen: (url: string, path: string) => Promise<unknown>,
    prepare: (path: string) => Promise<unknown> = async () => {},
  ) => {
    const path = join(folder, `${kind}.json`);
    await prepare(path);
    let found = (_: string): void => {};
    const notice = new Promise<string>((resolve) => {
      found = resolve;
    });
    const emulator = await startEmulator({
      allowExec: true,
      statePath: path,
      faults: [{ operation: "contextUpload", errorMessage: "no space left" }],
      onNotice: (text, code) => code === kind && found(emulatorProblem(text, code)),
    });
    await happen(emulator.url, path);
    const text = await notice;
    await emulator.close().catch(() => undefined);
    return settled(text, folder)
      .replaceAll(/SdkCtx-\w+/g, "SdkCtx-1")
      .replaceAll(/(\.sessions\/)\w{12}/g, "$1EMULATOR-ID");
  };
  const head = '{"format":"agb-emulator-state","version":3}\n';
  const running = await startEmulator({ statePath: join(folder, "used.json") });
  await mkdir(join(folder, "a-folder"));
  await writeFile(join(folder, "keys"), "\n");
  await writeFile(join(folder, "odd.json.lock"), "{");
  const entry = {
    atMs: Date.UTC(2026, 10, 22, 20),
    operation: "createSession",
    method: "POST",
    path: "/mcp/createSession",
    status: 200,
    durationMs: 1.23,
    requestId: "REQ-1",
    sessionId: "session-1",
  } as const;
  const messages: Messages = {
    "an invalid option": await runEmulator("--port", "70000"),
    "two invalid options": await runEmulator("--port", "70000", "--page-cap", "0"),
    "a host without a key": await runEmulator("--host", "0.0.0.0"),
    "a port in use": await runEmulator("--port", new URL(running.url).port),
    "a host that is not this computer": await runEmulator("--host", "192.0.2.1", "--api-key", "k"),
    "no file of keys": await runEmulator("--api-key-file", join(folder, "nowhere")),
    "no key in the file": await runEmulator("--api-key-file", join(folder, "keys")),
    "the state file is in use": await runEmulator("--state", join(folder, "used.json")),
    "the lock names no process": await runEmulator("--state", join(folder, "odd.json")),
    "the state file is not JSON": await withState("{"),
    "the state file belongs to something else": await withState("{}"),
    "the state file has another version": await withState(head.replace("3", "9")),
    "the state file has a damaged line": await withState(`${head}{}\n`),
    "the state file has a damaged row": await withState(`${head}[{"kind":"nextSequence","id":"","value":"x"}]\n`),
    "the state file cannot be read": await runEmulator("--state", join(folder, "a-folder")),
    "the address": await firstLine(),
    "files of a session are not uploaded": await noticeOf("UPLOAD_FAILED", async (url) => {
      const contextId = await createContext(url, "data");
      const persistenceDataList = [{ contextId, path: "/data", policy: "{}" }];
      const sessionId = await createId(url, {}, { persistenceDataList });
      await runShell(url, sessionId, "echo text > /data/a");
      await ask(url, "POST", "/mcp/releaseSessionAsync", { body: { sessionId } });
    }),
    "contexts of a session are not saved": await noticeOf("STATE_NOT_SAVED", async (url, path) => {
      const sessionId = await createId(url);
      await runShell(url, sessionId, "true");
      await rm(path);
      await mkdir(path);
      await ask(url, "POST", "/mcp/releaseSessionAsync", { body: { sessionId } });
    }),
    "sessions cannot run tools": await noticeOf(
      "TOOLS_UNAVAILABLE",
      async () => {},
      (path) => writeFile(`${path}.sessions`, ""),
    ),
    "the folder of contexts cannot be read": await (async () => {
      const path = join(folder, "contexts.json");
      const first = await startEmulator({ statePath: path });
      await first.close();
      const emulatorId = /"kind":"emulatorId","id":"","value":"([^"]+)"/.exec(await readFile(path, "utf8"))?.[1] ?? "";
      await mkdir(`${path}.contexts`, { recursive: true });
      await rm(join(`${path}.contexts`, emulatorId), { recursive: true, force: true });
      await writeFile(join(`${path}.contexts`, emulatorId), "");
      return (await runEmulator("--state", path)).replaceAll(emulatorId, "EMULATOR-ID");
    })(),
    "sessions are not isolated": emulatorProblem(plainViewWarning, "NOT_ISOLATED"),
    "the state cannot be saved at the end": unsavedState(new Error("ENOSPC: no space left on device, write")),
    "a request, --log pretty": requestLine(entry, "pretty"),
    "an unknown request, --log pretty": requestLine({ ...entry, operation: "unknown", status: 0 }, "pretty"),
    "a request, --log json": requestLine(entry, "json"),
  };
  await running.close();
  expectGolden("emulator", Object.entries(messages));
});
