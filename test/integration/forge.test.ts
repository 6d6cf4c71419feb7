import type { ServerResponse } from "node:http";
import { readForgeSettings } from "../../provider/cli/environment";
import { requireForge } from "../../provider/forge/find-forge";
import { ForgeError } from "../../provider/forge/forge-error";
import {
  type ForgeServer,
  type ForgeServerOptions,
  forgeToken,
  ownName,
  startForgeServer,
} from "../support/forge-server";
import { deadAddress, sendJson } from "../support/scripted-server";
import { failureOf } from "../support/session-stack";

const marker = "agb-preview shop/pr-12";
const label = "agb-drift";

type Kind = "gitHub" | "gitLab";

/** A server with request 12, and the forge that talks to it. Records waits instead of waiting. */
async function open(
  kind: Kind,
  options: ForgeServerOptions = {},
  more: Record<string, string> = {},
  timeoutMs = 5_000,
) {
  const server = await startForgeServer(options);
  server.addRequest(12);
  const waits: number[] = [];
  const delay = async (milliseconds: number) => {
    waits.push(milliseconds);
  };
  const forge = requireForge(readForgeSettings({ ...server[kind], ...more }), { delay, timeoutMs });
  return { server, forge, waits };
}

/** Replies instead of the server. */
function refuse(response: ServerResponse, body: unknown, status: number): true {
  sendJson(response, body, status);
  return true;
}

function bodiesBy(server: ForgeServer, name: string): string[] {
  return server.comments.filter(({ author }) => author === name).map(({ body }) => body);
}

describe.each<Kind>(["gitHub", "gitLab"])("%s", (kind) => {
  const requestIdPattern = kind === "gitHub" ? "GH-1" : "GL-1";

  test("reads whether a request is open and the time of its last activity", async () => {
    const { server, forge } = await open(kind);
    server.addRequest(13, "merged", "2026-11-01T08:30:00.000+02:00");
    server.addRequest(14, "closed");
    expect(await forge.readRequest(12)).toEqual({ isOpen: true, updatedAt: new Date("2026-11-20T10:00:00Z") });
    expect(await forge.readRequest(13)).toEqual({ isOpen: false, updatedAt: new Date("2026-11-01T06:30:00Z") });
    expect((await forge.readRequest(14)).isOpen).toBe(false);
  });

  test("writes one comment and changes it later", async () => {
    const { server, forge } = await open(kind);
    await forge.writeComment(12, marker, "first");
    await forge.writeComment(12, marker, "second");
    await forge.writeComment(12, "agb-preview other/pr-12", "of another project");
    expect(bodiesBy(server, ownName)).toEqual([
      `<!-- ${marker} -->\nsecond`,
      "<!-- agb-preview other/pr-12 -->\nof another project",
    ]);
  });

  test("only changes an existing comment in the mode `replace`", async () => {
    const { server, forge } = await open(kind);
    await forge.writeComment(12, marker, "gone", "replace");
    expect(server.comments).toEqual([]);
    await forge.writeComment(12, marker, "here");
    await forge.writeComment(12, marker, "gone", "replace");
    expect(bodiesBy(server, ownName)).toEqual([`<!-- ${marker} -->\ngone`]);
  });

  test("finds its comment on the last of many pages", async () => {
    const { server, forge } = await open(kind, { pageSize: 10 });
    for (let count = 1; count <= 34; count++) {
      server.addComment(12, "octocat", `remark ${count}`);
    }
    await forge.writeComment(12, marker, "first");
    server.addComment(12, "octocat", "afterthought");
    await forge.writeComment(12, marker, "second");
    expect(server.comments).toHaveLength(36);
    expect(bodiesBy(server, ownName)).toEqual([`<!-- ${marker} -->\nsecond`]);
    expect(server.received.every(({ headers }) => headers.host === new URL(server.url).host)).toBe(true);
  });

  test("does not change someone else's comment with the marker, nor one that quotes it", async () => {
    const { server, forge } = await open(kind);
    const stranger = server.addComment(12, "mallory", `<!-- ${marker} -->\nclick here`);
    const quote = server.addComment(12, ownName, `> <!-- ${marker} -->`);
    await forge.writeComment(12, marker, "first");
    await forge.writeComment(12, marker, "second");
    expect(stranger.body).toMatch(/click here/);
    expect(quote.body).toMatch(/^>/);
    expect(bodiesBy(server, ownName)).toEqual([quote.body, `<!-- ${marker} -->\nsecond`]);
  });

  test("opens one issue, changes it, closes it and opens another one the next time", async () => {
    const { server, forge } = await open(kind, { pageSize: 2 });
    const issue = { title: "Drift", markdown: "first", label };
    expect(await forge.closeIssue(marker, label, "nothing to close")).toBeUndefined();
    expect(await forge.writeIssue(marker, issue)).toEqual({ url: "https://forge.test/issues/100", isNew: true });
    expect((await forge.writeIssue(marker, { ...issue, markdown: "second" })).isNew).toBe(false);
    expect(server.issues).toEqual([
      expect.objectContaining({ body: `<!-- ${marker} -->\nsecond`, labels: [label], state: "open" }),
    ]);
    expect(await forge.closeIssue(marker, label, "clean again")).toBe("https://forge.test/issues/100");
    expect(server.issues[0]?.state).toBe("closed");
    expect(server.comments).toEqual([expect.objectContaining({ on: "issue", number: 100, body: "clean again" })]);
    expect((await forge.writeIssue(marker, issue)).isNew).toBe(true);
    expect(server.issues).toHaveLength(2);
  });

  test("does not change issues of other stacks, of other people, or without the label", async () => {
    const { server, forge } = await open(kind);
    server.addIssue(ownName, "other stack", "<!-- agb-drift shop/prod-2 -->\nx", [label]);
    server.addIssue("mallory", "stranger", `<!-- ${marker} -->\nx`, [label]);
    server.addIssue(ownName, "no label", `<!-- ${marker} -->\nx`);
    const before = structuredClone(server.issues);
    await forge.closeIssue(marker, label, "clean");
    expect(server.issues).toEqual(before);
    await forge.writeIssue(marker, { title: "Drift", markdown: "mine", label });
    expect(server.issues.slice(0, 3)).toEqual(before);
    expect(server.issues).toHaveLength(4);
  });

  test("fails when it would not find its issue again", async () => {
    const { server, forge } = await open(kind, { setsLabels: false });
    const failure = await failureOf(forge.writeIssue(marker, { title: "Drift", markdown: "text", label }));
    expect(failure.message).toMatch(
      /put the label agb-drift on the new issue https:\/\/forge.test\/issues\/100 on Git(Hub|Lab): it was left out/,
    );
    expect(server.issues).toHaveLength(1);
  });

  test("says what to do about a wrong token, a missing permission and a missing request, and never shows the token", async () => {
    const wrong = await open(kind, {}, { GITHUB_TOKEN: "wrong-token", GITLAB_TOKEN: "wrong-token" });
    const unauthorized = await failureOf(wrong.forge.readRequest(12));
    expect(unauthorized).toBeInstanceOf(ForgeError);
    expect(unauthorized).toMatchObject({ status: 401 });
    expect(unauthorized.message).toMatch(
      /^Could not read (pull|merge) request 12 of .*TOKEN is wrong or has expired\./,
    );
    expect(unauthorized.message).not.toContain("wrong-token");

    const refusal = { message: `Resource not accessible by integration ${forgeToken}` };
    const readOnly = await open(kind, {
      intercept: ({ method }, response) => method === "POST" && refuse(response, refusal, 403),
    });
    const forbidden = await failureOf(readOnly.forge.writeComment(12, marker, "text"));
    expect(forbidden.message).toMatch(kind === "gitHub" ? /permissions: pull-requests: write/ : /the scope api/);
    expect(forbidden.message).toContain(`HTTP 403, request id ${requestIdPattern}`);
    expect(forbidden.message).not.toContain(forgeToken);
    const issueRefused = await failureOf(readOnly.forge.writeIssue(marker, { title: "t", markdown: "m", label }));
    expect(issueRefused.message).toMatch(kind === "gitHub" ? /permissions: issues: write/ : /the role Developer/);

    const missing = await failureOf(readOnly.forge.readRequest(99));
    expect(missing).toMatchObject({ status: 404 });
    expect(missing.message).toMatch(/does not exist, or the token has no permission to see it/);
    expect(readOnly.waits).toEqual([]);
  });

  test("retries reads after a server error, but not writes", async () => {
    let failures = 2;
    const flaky = await open(kind, {
      intercept: ({ method }, response) =>
        (method === "POST" || failures-- > 0) && refuse(response, { message: "oops" }, 502),
    });
    expect((await flaky.forge.readRequest(12)).isOpen).toBe(true);
    expect(flaky.waits).toEqual([1_000, 2_000]);
    expect((await failureOf(flaky.forge.writeComment(12, marker, "text"))).message).toMatch(/oops \(HTTP 502/);
    expect(flaky.server.writes()).toHaveLength(1);
  });

  test("gives up on a server that keeps failing, and keeps its reply on one line", async () => {
    const down = await open(kind, {
      intercept: (_, response) => {
        response.writeHead(500, { "content-type": "text/html" }).end("<html>\n::warning::fake</html>");
        return true;
      },
    });
    const failure = await failureOf(down.forge.readRequest(12));
    expect(failure).toMatchObject({ status: 500 });
    expect(failure.message).not.toMatch(/\n|::warning/);
    expect(down.server.received).toHaveLength(4);
  });

  test("waits for a rate limit, for writes too, but not for long", async () => {
    let limited = true;
    let retryAfter = "7";
    const busy = await open(kind, {
      intercept: (_, response) => {
        if (!limited) {
          return false;
        }
        limited = retryAfter !== "7";
        sendJson(response, { message: "slow down" }, 429, { "retry-after": retryAfter });
        return true;
      },
    });
    expect((await busy.forge.readRequest(12)).isOpen).toBe(true);
    limited = true;
    await busy.forge.writeComment(12, marker, "text");
    expect(busy.waits).toEqual([7_000, 7_000]);
    expect(bodiesBy(busy.server, ownName)).toHaveLength(1);

    [limited, retryAfter] = [true, "3600"];
    const failure = await failureOf(busy.forge.readRequest(12));
    expect(failure.message).toMatch(/slow down \(HTTP 429.* The rate limit is used up\. Run this again in an hour\./);
    expect(busy.waits).toHaveLength(2);
  });

  test("fails on silence, a dead address and an unexpected reply, and names the address", async () => {
    const silent = await open(kind, { intercept: () => true }, {}, 50);
    expect((await failureOf(silent.forge.readRequest(12))).message).toMatch(/no answer within 50 ms/);
    expect(silent.waits).toHaveLength(3);

    const address = `http://${await deadAddress()}`;
    const dead = await open(kind, {}, { GITHUB_API_URL: address, CI_API_V4_URL: address });
    expect((await failureOf(dead.forge.readRequest(12))).message).toMatch(
      new RegExp(`the connection to ${address} failed: ECONNREFUSED`),
    );

    for (const reply of [
      { state: "draft", updated_at: "2026-11-20T10:00:00Z" },
      { state: "closed", updated_at: null },
    ]) {
      const odd = await open(kind, { intercept: (_, response) => refuse(response, reply, 200) });
      expect((await failureOf(odd.forge.readRequest(12))).message).toMatch(/the reply does not have the expected form/);
    }
  });

  test("does not follow a redirected write", async () => {
    const moved = await open(kind, {
      intercept: ({ method }, response) => {
        if (method !== "POST") {
          return false;
        }
        sendJson(response, { message: "Moved Permanently" }, 301, { location: "/elsewhere" });
        return true;
      },
    });
    expect((await failureOf(moved.forge.writeComment(12, marker, "text"))).message).toMatch(/HTTP 301.*has moved/);
    expect(moved.server.received.some(({ path }) => path === "/elsewhere")).toBe(false);
  });

  test("fails on an endless list, and writes no second comment", async () => {
    const endless = await open(kind, {
      intercept: ({ method, path }, response) => {
        if (method !== "GET" || !/comments$|notes$/.test(path)) {
          return false;
        }
        sendJson(response, [], 200, { link: '<https://elsewhere.test/x?page=2>; rel="next"' });
        return true;
      },
    });
    expect((await failureOf(endless.forge.writeComment(12, marker, "text"))).message).toMatch(/more than 50 pages/);
    expect(endless.server.writes()).toEqual([]);
  });
});

test("on GitHub, with a person's token, a bot's comment does not count as our own", async () => {
  const { server, forge } = await open("gitHub", { isAppToken: false });
  server.addComment(12, "echo[bot]", `<!-- ${marker} -->\nechoed`);
  await forge.writeComment(12, marker, "mine");
  expect(bodiesBy(server, "echo[bot]")).toEqual([`<!-- ${marker} -->\nechoed`]);
  expect(bodiesBy(server, ownName)).toEqual([`<!-- ${marker} -->\nmine`]);
});

test("GitHub and GitLab get the headers that they require", async () => {
  const gitHub = await open("gitHub");
  await gitHub.forge.readRequest(12);
  expect(gitHub.server.received[0]?.headers).toMatchObject({
    accept: "application/vnd.github+json",
    authorization: `Bearer ${forgeToken}`,
    "user-agent": "pulumi-agb",
    "x-github-api-version": "2022-11-28",
  });
  const gitLab = await open("gitLab");
  await gitLab.forge.readRequest(12);
  expect(gitLab.server.received[0]?.headers).toMatchObject({ authorization: `Bearer ${forgeToken}` });
});
