import { z } from "zod";
import type { JobLinks } from "./forge";
import { type ForgeDialect, timeSchema } from "./forge-dialect";
import { ForgeError } from "./forge-error";
import type { ForgeHttp, ForgeRefusal } from "./forge-http";
import type { GitHubSettings } from "./forge-settings";

const userSchema = z.looseObject({ login: z.string(), type: z.string().optional() });
const requestSchema = z
  .looseObject({ state: z.enum(["open", "closed"]), updated_at: timeSchema })
  .transform(({ state, updated_at }) => ({ isOpen: state === "open", updatedAt: updated_at }));
const commentSchema = z
  .looseObject({ id: z.int(), body: z.string().nullish(), user: userSchema.nullish() })
  .transform(({ id, body, user }) => ({ id, text: body, author: user }));
/** On GitHub every pull request is also an issue. */
const issueSchema = z
  .looseObject({
    number: z.int(),
    html_url: z.string(),
    body: z.string().nullish(),
    user: userSchema.nullish(),
    labels: z.array(z.union([z.string(), z.looseObject({ name: z.string().nullish() })])),
    pull_request: z.unknown().optional(),
  })
  .transform(({ number, html_url, body, user, labels, pull_request }) => ({
    number,
    url: html_url,
    text: body,
    author: user,
    labels: labels.flatMap((label) => (typeof label === "string" ? label : (label.name ?? []))),
    isRequest: pull_request != null,
  }));

type User = z.infer<typeof userSchema>;

const issueRight = "issues: write";

/** How to talk to GitHub.com and GitHub Enterprise. */
export function gitHubDialect(settings: GitHubSettings): ForgeDialect<User> {
  const { token, apiUrl, owner, repository } = settings;
  const base = `/repos/${owner}/${repository}`;
  const comments = (issue: number) => `${base}/issues/${issue}/comments`;
  return {
    name: "GitHub",
    apiUrl,
    token,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
    },
    requestIdHeader: "x-github-request-id",
    advise,
    job: jobLinks(settings),
    place: `${owner}/${repository}`,
    requestNoun: "pull request",
    rights: { readRequest: "pull-requests: read", writeComment: "pull-requests: write", writeIssue: issueRight },
    labelAdvice:
      "Without the label, each check would open another issue. Create the label in the repository, or give the job " +
      `\`permissions: ${issueRight}\`.`,
    changeMethod: "PATCH",
    paths: {
      request: (request) => `${base}/pulls/${request}`,
      comments,
      comment: (_, id) => `${base}/issues/comments/${id}`,
      issues: `${base}/issues`,
      issue: (issue) => `${base}/issues/${issue}`,
      issueComments: comments,
    },
    lists: {
      comments,
      openIssues: (label) => `${base}/issues?state=open&sort=created&direction=asc&labels=${encodeURIComponent(label)}`,
    },
    bodies: {
      changedIssue: (title, text) => ({ title, body: text }),
      newIssue: (title, text, label) => ({ title, body: text, labels: [label] }),
      closedIssue: { state: "closed", state_reason: "completed" },
    },
    schemas: {
      request: requestSchema,
      commentPage: z.array(commentSchema),
      issue: issueSchema,
      issuePage: z.array(issueSchema).transform((issues) => issues.filter(({ isRequest }) => !isRequest)),
    },
    askWhoIAm,
  };
}

/** A job's token belongs to an app, and GitHub does not tell an app its own name. Every bot then counts as this one. */
async function askWhoIAm(http: ForgeHttp): Promise<(author: User) => boolean> {
  const call = { path: "/user", attempt: "read whose token it is", right: "", schema: userSchema };
  try {
    const { login } = await http.get(call);
    return (author) => author.login === login;
  } catch (error) {
    if (error instanceof ForgeError && error.status === 403) {
      return (author) => author.type === "Bot";
    }
    throw error;
  }
}

function advise({ status, reason, right }: ForgeRefusal): string | undefined {
  switch (status) {
    case 401:
      return "GITHUB_TOKEN is wrong or has expired. Set a valid token.";
    case 403:
      return /not accessible by|must have|permission/i.test(reason)
        ? `The token lacks a permission. Give the job \`permissions: ${right}\`. ` +
            "A `pull_request` run for a fork always gets a read-only token."
        : undefined;
    case 404:
      return "It does not exist, or the token has no permission to see it. Check both.";
    case 410:
      return "It is switched off in this repository. Switch it on in the repository's settings.";
    default:
      return status >= 300 && status < 400
        ? "The repository has moved. Set GITHUB_REPOSITORY to its new name."
        : undefined;
  }
}

/** Made only of values that the settings have checked, because people copy the command into a shell. */
function jobLinks({ serverUrl, owner, repository, runId, runAttempt }: GitHubSettings): JobLinks | undefined {
  if (runId === undefined) {
    return undefined;
  }
  const page = `${serverUrl}/${owner}/${repository}/actions/runs/${runId}`;
  const { host } = new URL(serverUrl);
  const place = host === "github.com" ? `${owner}/${repository}` : `${host}/${owner}/${repository}`;
  return {
    url: runAttempt === undefined ? page : `${page}/attempts/${runAttempt}`,
    repeatCommand: /^[A-Za-z0-9][\w./:-]*$/.test(place) ? `gh run rerun ${runId} --repo ${place}` : undefined,
  };
}
