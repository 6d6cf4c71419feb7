// A server on loopback that answers the few calls that jobs make of GitHub and GitLab. It keeps requests, comments and
// issues. Both forges show the same data: a comment written through one is visible through the other.

import type { ServerResponse } from "node:http";
import { type ReceivedRequest, sendJson, startScriptedServer } from "./scripted-server";

/** The only token that is accepted. */
export const forgeToken = "forge-token-5d1c";

/** The account of the token. */
export const ownName = "github-actions[bot]";
const ownId = 41;

/** A pull request or merge request. */
export interface FakeRequest {
  state: "open" | "closed" | "merged" | "locked";
  updatedAt: string;
}

/** A comment on a request or on an issue. */
export interface FakeComment {
  readonly id: number;
  readonly on: "request" | "issue";
  readonly number: number;
  /** Name of its author. */
  readonly author: string;
  body: string;
}

/** An issue. */
export interface FakeIssue {
  readonly number: number;
  readonly author: string;
  readonly labels: readonly string[];
  title: string;
  body: string;
  state: "open" | "closed";
}

/** Options of the server. */
export interface ForgeServerOptions {
  /** Most entries of a page. Default: 100, as on both forges. */
  readonly pageSize?: number;
  /** Whether GitHub's token belongs to an app, as in a job. GitHub does not tell an app its own name. Default: yes. */
  readonly isAppToken?: boolean;
  /** Whether the token may set labels. Default: yes. */
  readonly setsLabels?: boolean;
  /** Answers a request in place of the server when it returns `true`. */
  readonly intercept?: (request: ReceivedRequest, response: ServerResponse) => boolean;
}

/** A forge with the repository acme/shop, which is project 7 on GitLab. */
export interface ForgeServer {
  readonly url: string;
  readonly received: readonly ReceivedRequest[];
  readonly requests: Map<number, FakeRequest>;
  readonly comments: FakeComment[];
  readonly issues: FakeIssue[];
  /** The variables that a job of GitHub Actions has. */
  readonly gitHub: Readonly<Record<string, string>>;
  /** The variables that a job of GitLab CI has. */
  readonly gitLab: Readonly<Record<string, string>>;
  /** Method and path of the requests that changed something. */
  writes(): string[];
  addRequest(number: number, state?: FakeRequest["state"], updatedAt?: string): void;
  addComment(request: number, author: string, body: string): FakeComment;
  addIssue(author: string, title: string, body: string, labels?: readonly string[]): FakeIssue;
}

type Forge = "github" | "gitlab";

/** Starts the server; it ends with the test. */
export async function startForgeServer(options: ForgeServerOptions = {}): Promise<ForgeServer> {
  const { pageSize = 100, isAppToken = true, setsLabels = true, intercept = () => false } = options;
  const requests = new Map<number, FakeRequest>();
  const comments: FakeComment[] = [];
  const issues: FakeIssue[] = [];
  let lastId = 1000;

  const addComment = (on: FakeComment["on"], number: number, author: string, body: string): FakeComment => {
    const comment = { id: ++lastId, on, number, author, body };
    comments.push(comment);
    return comment;
  };
  const addIssue = (author: string, title: string, body: string, labels: readonly string[] = []): FakeIssue => {
    const issue: FakeIssue = { number: issues.length + 100, author, labels, title, body, state: "open" };
    issues.push(issue);
    return issue;
  };

  const user = (name: string) => ({
    id: name === ownName ? ownId : 1 + name.length,
    login: name,
    type: name.endsWith("[bot]") ? "Bot" : "User",
  });
  const showComment = (forge: Forge, { id, author, body }: FakeComment) =>
    forge === "github" ? { id, body, user: user(author) } : { id, body, author: user(author) };
  const showIssue = (forge: Forge, { number, author, labels, title, body, state }: FakeIssue) =>
    forge === "github"
      ? {
          number,
          title,
          body,
          state,
          html_url: `https://forge.test/issues/${number}`,
          labels: labels.map((name) => ({ name })),
          user: user(author),
        }
      : {
          iid: number,
          title,
          description: body,
          state: state === "open" ? "opened" : state,
          web_url: `https://forge.test/issues/${number}`,
          labels,
          author: user(author),
        };
  // On GitHub an open pull request is also an issue.
  const requestAsIssue = (number: number) => ({
    number,
    html_url: `https://forge.test/pull/${number}`,
    body: null,
    user: user("octocat"),
    labels: [],
    pull_request: { url: "https://forge.test" },
  });

  const sendPage = (request: ReceivedRequest, response: ServerResponse, all: readonly unknown[]) => {
    const size = Math.min(pageSize, Number(request.query["per_page"] ?? 20));
    const page = Number(request.query["page"] ?? 1);
    const search = new URLSearchParams({ ...request.query, page: String(page + 1) });
    // GitHub names another path and both may name another host than the one that was asked.
    const link = `<https://elsewhere.test/repositories/1?page=1>; rel="first", <https://elsewhere.test/repositories/1?${search}>; rel="next"`;
    const headers: Record<string, string> = page * size < all.length ? { link } : {};
    sendJson(response, all.slice((page - 1) * size, page * size), 200, headers);
  };

  const answer = (request: ReceivedRequest, response: ServerResponse, forge: Forge, path: string) => {
    const { method } = request;
    const body = request.body === "" ? {} : JSON.parse(request.body);
    const missing = () => sendJson(response, { message: forge === "github" ? "Not Found" : "404 Not found" }, 404);
    const [, kind = "", first = "", second = "", third = ""] = path.split("/");
    const number = Number(first);
    const [requestKind, commentKind] = forge === "github" ? ["pulls", "comments"] : ["merge_requests", "notes"];

    if (kind === requestKind && second === "") {
      const found = requests.get(number);
      if (found === undefined) {
        return missing();
      }
      const shown =
        forge === "gitlab" ? { open: "opened" }[found.state as string] : { merged: "closed" }[found.state as string];
      return sendJson(response, { state: shown ?? found.state, updated_at: found.updatedAt });
    }
    const commentId = forge === "github" ? (first === "comments" ? Number(second) : 0) : Number(third);
    if (commentId > 0 && (method === "PATCH" || method === "PUT")) {
      const comment = comments.find(({ id }) => id === commentId);
      if (comment === undefined) {
        return missing();
      }
      if (comment.author !== ownName) {
        return sendJson(response, { message: "Resource not accessible by integration" }, 403);
      }
      comment.body = body.body;
      return sendJson(response, showComment(forge, comment));
    }
    if (second === commentKind && third === "") {
      const isIssue = issues.some((issue) => issue.number === number);
      const on = isIssue && kind === "issues" ? "issue" : "request";
      if (on === "request" && !requests.has(number)) {
        return missing();
      }
      if (method === "POST") {
        return sendJson(response, showComment(forge, addComment(on, number, ownName, body.body)), 201);
      }
      const shown = comments.filter((comment) => comment.on === on && comment.number === number);
      return sendPage(
        request,
        response,
        shown.map((comment) => showComment(forge, comment)),
      );
    }
    if (kind === "issues" && first === "") {
      if (method === "POST") {
        const labels = typeof body.labels === "string" ? body.labels.split(",") : body.labels;
        const issue = addIssue(ownName, body.title, body.body ?? body.description, setsLabels ? labels : []);
        return sendJson(response, showIssue(forge, issue), 201);
      }
      const wanted = request.query["labels"];
      const open = issues.filter(
        ({ state, labels }) => state === "open" && (wanted === undefined || labels.includes(wanted)),
      );
      const pulls = forge === "github" ? [...requests.keys()].map(requestAsIssue) : [];
      return sendPage(request, response, [...pulls, ...open.map((issue) => showIssue(forge, issue))]);
    }
    const issue = kind === "issues" ? issues.find((each) => each.number === number) : undefined;
    if (issue === undefined) {
      return missing();
    }
    issue.title = body.title ?? issue.title;
    issue.body = body.body ?? body.description ?? issue.body;
    issue.state = body.state === "closed" || body.state_event === "close" ? "closed" : issue.state;
    return sendJson(response, showIssue(forge, issue));
  };

  const server = await startScriptedServer((request, response) => {
    response.setHeader("x-github-request-id", "GH-1");
    response.setHeader("x-request-id", "GL-1");
    if (intercept(request, response)) {
      return;
    }
    const forge: Forge = request.path.startsWith("/api/v4/") ? "gitlab" : "github";
    const path = forge === "gitlab" ? request.path.slice("/api/v4".length) : request.path;
    const base = forge === "gitlab" ? "/projects/7" : "/repos/acme/shop";
    if (request.headers.authorization !== `Bearer ${forgeToken}`) {
      sendJson(response, { message: forge === "github" ? "Bad credentials" : "401 Unauthorized" }, 401);
    } else if (path === "/user") {
      const isHidden = forge === "github" && isAppToken;
      sendJson(
        response,
        isHidden ? { message: "Resource not accessible by integration" } : user(ownName),
        isHidden ? 403 : 200,
      );
    } else if (path.startsWith(`${base}/`)) {
      answer(request, response, forge, path.slice(base.length));
    } else {
      sendJson(response, { message: "Not Found" }, 404);
    }
  });

  return {
    url: server.url,
    received: server.requests,
    requests,
    comments,
    issues,
    gitHub: {
      GITHUB_ACTIONS: "true",
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_REPOSITORY_ID: "81",
      GITHUB_API_URL: server.url,
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_RUN_ID: "8001",
      GITHUB_RUN_ATTEMPT: "2",
      GITHUB_TOKEN: forgeToken,
    },
    gitLab: {
      GITLAB_CI: "true",
      CI_API_V4_URL: `${server.url}/api/v4`,
      CI_PROJECT_ID: "7",
      CI_JOB_URL: "https://gitlab.test/acme/shop/-/jobs/55",
      GITLAB_TOKEN: forgeToken,
    },
    writes: () =>
      server.requests.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`),
    addRequest: (number, state = "open", updatedAt = "2026-11-20T10:00:00Z") => {
      requests.set(number, { state, updatedAt });
    },
    addComment: (request, author, body) => addComment("request", request, author, body),
    addIssue,
  };
}
