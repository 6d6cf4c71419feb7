import { z } from "zod";
import type { Forge, IssueText, JobLinks, RequestState, WrittenIssue } from "./forge";
import { ForgeError } from "./forge-error";
import { type ForgeCallOptions, ForgeHttp, type ForgeRefusal } from "./forge-http";
import type { GitHubSettings } from "./forge-settings";
import { hasMarker, withMarker } from "./marker";

const anything = z.unknown();
const timeSchema = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const userSchema = z.looseObject({ login: z.string(), type: z.string().optional() });
const requestSchema = z.looseObject({ state: z.enum(["open", "closed"]), updated_at: timeSchema });
// The account of who wrote it may have been deleted since.
const commentSchema = z.looseObject({ id: z.int(), body: z.string().nullish(), user: userSchema.nullish() });
const issueSchema = z.looseObject({
  number: z.int(),
  html_url: z.string(),
  body: z.string().nullish(),
  user: userSchema.nullish(),
  labels: z.array(z.union([z.string(), z.looseObject({ name: z.string().nullish() })])),
  pull_request: z.unknown().optional(),
});

type Author = z.infer<typeof userSchema> | null | undefined;
type Issue = z.infer<typeof issueSchema>;

const commentRight = "pull-requests: write";
const issueRight = "issues: write";
const labelAdvice = `Each check would open another one. Make the label in the repository, or give the job \`permissions: ${issueRight}\`.`;

/** GitHub.com and GitHub Enterprise. */
export class GitHub implements Forge {
  readonly name = "GitHub";
  readonly job: JobLinks | undefined;
  readonly #http: ForgeHttp;
  readonly #base: string;
  readonly #place: string;
  #isOwn: Promise<(author: Author) => boolean> | undefined;

  constructor(settings: GitHubSettings, options?: ForgeCallOptions) {
    const { token, apiUrl, owner, repository } = settings;
    this.#base = `/repos/${owner}/${repository}`;
    this.#place = `${owner}/${repository}`;
    this.job = jobLinks(settings);
    const headers = {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
    };
    this.#http = new ForgeHttp(
      { name: this.name, apiUrl, token, headers, requestIdHeader: "x-github-request-id", advise },
      options,
    );
  }

  async readRequest(request: number): Promise<RequestState> {
    const { state, updated_at } = await this.#http.get({
      path: `${this.#base}/pulls/${request}`,
      attempt: `read pull request ${request} of ${this.#place}`,
      right: "pull-requests: read",
      schema: requestSchema,
    });
    return { isOpen: state === "open", updatedAt: updated_at };
  }

  async writeComment(
    request: number,
    marker: string,
    markdown: string,
    mode: "create" | "replace" = "create",
  ): Promise<void> {
    const body = withMarker(marker, markdown);
    const id = await this.#findComment(request, marker);
    if (id === undefined && mode === "replace") {
      return;
    }
    const attempt = `write the comment on pull request ${request} of ${this.#place}`;
    const call = { attempt, right: commentRight, schema: anything };
    if (id === undefined) {
      await this.#http.send("POST", { ...call, path: `${this.#base}/issues/${request}/comments` }, { body });
    } else {
      await this.#http.send("PATCH", { ...call, path: `${this.#base}/issues/comments/${id}` }, { body });
    }
  }

  async writeIssue(marker: string, { title, markdown, label }: IssueText): Promise<WrittenIssue> {
    const body = withMarker(marker, markdown);
    const [open] = await this.#findIssues(marker, label);
    const call = { right: issueRight, schema: issueSchema };
    if (open !== undefined) {
      const attempt = `change issue ${open.number} of ${this.#place}`;
      const path = `${this.#base}/issues/${open.number}`;
      await this.#http.send("PATCH", { ...call, attempt, path }, { title, body });
      return { url: open.html_url, isNew: false };
    }
    const attempt = `open an issue in ${this.#place}`;
    const issue = await this.#http.send(
      "POST",
      { ...call, attempt, path: `${this.#base}/issues` },
      { title, body, labels: [label] },
    );
    // GitHub leaves out what the token has no right to set, and then the issue would not be found again.
    if (!issue.labels.some((each) => (typeof each === "string" ? each : each.name) === label)) {
      throw this.#http.refusal(
        `put the label ${label} on the new issue ${issue.html_url}`,
        "it was left out",
        labelAdvice,
      );
    }
    return { url: issue.html_url, isNew: true };
  }

  async closeIssue(marker: string, label: string, markdown: string): Promise<string | undefined> {
    const open = await this.#findIssues(marker, label);
    for (const { number } of open) {
      const call = { attempt: `close issue ${number} of ${this.#place}`, right: issueRight, schema: anything };
      const path = `${this.#base}/issues/${number}`;
      await this.#http.send("POST", { ...call, path: `${path}/comments` }, { body: markdown });
      await this.#http.send("PATCH", { ...call, path }, { state: "closed", state_reason: "completed" });
    }
    return open[0]?.html_url;
  }

  async #findComment(request: number, marker: string): Promise<number | undefined> {
    const pages = this.#http.pages({
      path: `${this.#base}/issues/${request}/comments`,
      attempt: `list the comments of pull request ${request} of ${this.#place}`,
      right: commentRight,
      schema: z.array(commentSchema),
    });
    for await (const comments of pages) {
      for (const { id, body, user } of comments) {
        if (hasMarker(body, marker) && (await this.#wrote(user))) {
          return id;
        }
      }
    }
    return undefined;
  }

  /** The oldest first. */
  async #findIssues(marker: string, label: string): Promise<Issue[]> {
    const pages = this.#http.pages({
      path: `${this.#base}/issues?state=open&sort=created&direction=asc&labels=${encodeURIComponent(label)}`,
      attempt: `list the open issues of ${this.#place}`,
      right: issueRight,
      schema: z.array(issueSchema),
    });
    const found: Issue[] = [];
    for await (const issues of pages) {
      for (const issue of issues) {
        // To GitHub every pull request is an issue too.
        if (issue.pull_request == null && hasMarker(issue.body, marker) && (await this.#wrote(issue.user))) {
          found.push(issue);
        }
      }
    }
    return found;
  }

  /** Asked only once something with the marker was found. */
  async #wrote(author: Author): Promise<boolean> {
    this.#isOwn ??= this.#whoAmI();
    return (await this.#isOwn)(author);
  }

  /** The token of a job belongs to an app, and GitHub does not tell an app its own name: then any bot may be it. */
  async #whoAmI(): Promise<(author: Author) => boolean> {
    const call = { path: "/user", attempt: "read whose token it is", right: "", schema: userSchema };
    try {
      const { login } = await this.#http.get(call);
      return (author) => author?.login === login;
    } catch (error) {
      if (error instanceof ForgeError && error.status === 403) {
        return (author) => author?.type === "Bot";
      }
      throw error;
    }
  }
}

function advise({ status, reason, right }: ForgeRefusal): string | undefined {
  switch (status) {
    case 401:
      return "GITHUB_TOKEN is wrong or has expired.";
    case 403:
      return /not accessible by|must have|permission/i.test(reason)
        ? `The token lacks the right to it: give the job \`permissions: ${right}\`. A \`pull_request\` run for a fork gets a token that can only read, whatever the job says.`
        : undefined;
    case 404:
      return "It is not there, or the token has no right to see it.";
    case 410:
      return "It is switched off in this repository.";
    default:
      return status >= 300 && status < 400 ? "The repository has moved; set GITHUB_REPOSITORY to its name." : undefined;
  }
}

/** Only of what the settings have checked: the command is there to be copied into a shell. */
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
