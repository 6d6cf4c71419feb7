import { z } from "zod";
import { type ForgeDialect, timeSchema } from "./forge-dialect";
import type { ForgeHttp, ForgeRefusal } from "./forge-http";
import type { GitLabSettings } from "./forge-settings";

const userSchema = z.looseObject({ id: z.int() });
const requestSchema = z
  .looseObject({ state: z.enum(["opened", "closed", "locked", "merged"]), updated_at: timeSchema })
  .transform(({ state, updated_at }) => ({
    // A merge request is locked while GitLab merges it, and the merge may still fail.
    isOpen: state === "opened" || state === "locked",
    updatedAt: updated_at,
  }));
const noteSchema = z
  .looseObject({ id: z.int(), body: z.string().nullish(), author: userSchema.nullish() })
  .transform(({ id, body, author }) => ({ id, text: body, author }));
const issueSchema = z
  .looseObject({
    iid: z.int(),
    web_url: z.string(),
    description: z.string().nullish(),
    author: userSchema.nullish(),
    labels: z.array(z.string()),
  })
  .transform(({ iid, web_url, description, author, labels }) => ({
    number: iid,
    url: web_url,
    text: description,
    author,
    labels,
  }));

type User = z.infer<typeof userSchema>;

const writeRight = "the scope api and the role Developer";

/** How to talk to GitLab.com and self-managed GitLab. */
export function gitLabDialect({ token, apiUrl, project, jobUrl }: GitLabSettings): ForgeDialect<User> {
  const base = `/projects/${encodeURIComponent(project)}`;
  const notes = (request: number) => `${base}/merge_requests/${request}/notes`;
  return {
    name: "GitLab",
    apiUrl,
    token,
    headers: { accept: "application/json", authorization: `Bearer ${token}` },
    requestIdHeader: "x-request-id",
    advise,
    job: jobUrl === undefined ? undefined : { url: jobUrl, repeatCommand: undefined },
    place: `project ${project}`,
    requestNoun: "merge request",
    rights: {
      readRequest: "the scope read_api and the role Reporter",
      writeComment: writeRight,
      writeIssue: writeRight,
    },
    labelAdvice: `Without the label, each check would open another issue. GITLAB_TOKEN needs ${writeRight}.`,
    changeMethod: "PUT",
    paths: {
      request: (request) => `${base}/merge_requests/${request}`,
      comments: notes,
      comment: (request, id) => `${notes(request)}/${id}`,
      issues: `${base}/issues`,
      issue: (issue) => `${base}/issues/${issue}`,
      issueComments: (issue) => `${base}/issues/${issue}/notes`,
    },
    lists: {
      comments: (request) => `${notes(request)}?sort=asc&order_by=created_at`,
      openIssues: (label) =>
        `${base}/issues?state=opened&order_by=created_at&sort=asc&labels=${encodeURIComponent(label)}`,
    },
    bodies: {
      changedIssue: (title, text) => ({ title, description: text }),
      newIssue: (title, text, label) => ({ title, description: text, labels: label }),
      closedIssue: { state_event: "close" },
    },
    schemas: {
      request: requestSchema,
      commentPage: z.array(noteSchema),
      issue: issueSchema,
      issuePage: z.array(issueSchema),
    },
    askWhoIAm,
  };
}

async function askWhoIAm(http: ForgeHttp): Promise<(author: User) => boolean> {
  const call = { path: "/user", attempt: "read whose token it is", right: writeRight, schema: userSchema };
  const me = await http.get(call);
  return ({ id }) => id === me.id;
}

function advise({ status, right }: ForgeRefusal): string | undefined {
  switch (status) {
    case 401:
      return "GITLAB_TOKEN is wrong or has expired. Set a valid token.";
    case 403:
      return `The token lacks a permission. GITLAB_TOKEN needs ${right}.`;
    case 404:
      return "It does not exist, or the token has no permission to see it. Check both.";
    default:
      return status >= 300 && status < 400
        ? "The project has moved. Check CI_API_V4_URL and CI_PROJECT_ID."
        : undefined;
  }
}
