import { z } from "zod";
import type { Forge, IssueText, JobLinks, RequestState, WrittenIssue } from "./forge";
import { type ForgeCallOptions, ForgeHttp, type ForgeRefusal } from "./forge-http";
import type { GitLabSettings } from "./forge-settings";
import { hasMarker, withMarker } from "./marker";

const anything = z.unknown();
const timeSchema = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const userSchema = z.looseObject({ id: z.int() });
const requestSchema = z.looseObject({
  state: z.enum(["opened", "closed", "locked", "merged"]),
  updated_at: timeSchema,
});
const noteSchema = z.looseObject({ id: z.int(), body: z.string().nullish(), author: userSchema.nullish() });
const issueSchema = z.looseObject({
  iid: z.int(),
  web_url: z.string(),
  description: z.string().nullish(),
  author: userSchema.nullish(),
  labels: z.array(z.string()),
});

type Author = z.infer<typeof userSchema> | null | undefined;
type Issue = z.infer<typeof issueSchema>;

const writeRight = "the scope api and the role Developer";
const labelAdvice = `Each check would open another one. GITLAB_TOKEN needs ${writeRight}.`;

/** GitLab.com and GitLab on servers of one's own. */
export class GitLab implements Forge {
  readonly name = "GitLab";
  readonly job: JobLinks | undefined;
  readonly #http: ForgeHttp;
  readonly #base: string;
  readonly #place: string;
  #ownId: Promise<number> | undefined;

  constructor(settings: GitLabSettings, options?: ForgeCallOptions) {
    const { token, apiUrl, project, jobUrl } = settings;
    this.#base = `/projects/${encodeURIComponent(project)}`;
    this.#place = `project ${project}`;
    this.job = jobUrl === undefined ? undefined : { url: jobUrl, repeatCommand: undefined };
    const headers = { accept: "application/json", authorization: `Bearer ${token}` };
    this.#http = new ForgeHttp(
      { name: this.name, apiUrl, token, headers, requestIdHeader: "x-request-id", advise },
      options,
    );
  }

  async readRequest(request: number): Promise<RequestState> {
    const { state, updated_at } = await this.#http.get({
      path: `${this.#base}/merge_requests/${request}`,
      attempt: `read merge request ${request} of ${this.#place}`,
      right: "the scope read_api and the role Reporter",
      schema: requestSchema,
    });
    // Locked is what it is while it is being merged, which may still fail.
    return { isOpen: state === "opened" || state === "locked", updatedAt: updated_at };
  }

  async writeComment(
    request: number,
    marker: string,
    markdown: string,
    mode: "create" | "replace" = "create",
  ): Promise<void> {
    const body = withMarker(marker, markdown);
    const id = await this.#findNote(request, marker);
    if (id === undefined && mode === "replace") {
      return;
    }
    const attempt = `write the comment on merge request ${request} of ${this.#place}`;
    const call = { attempt, right: writeRight, schema: anything };
    const path = `${this.#base}/merge_requests/${request}/notes`;
    if (id === undefined) {
      await this.#http.send("POST", { ...call, path }, { body });
    } else {
      await this.#http.send("PUT", { ...call, path: `${path}/${id}` }, { body });
    }
  }

  async writeIssue(marker: string, { title, markdown, label }: IssueText): Promise<WrittenIssue> {
    const description = withMarker(marker, markdown);
    const [open] = await this.#findIssues(marker, label);
    const call = { right: writeRight, schema: issueSchema };
    if (open !== undefined) {
      const attempt = `change issue ${open.iid} of ${this.#place}`;
      const path = `${this.#base}/issues/${open.iid}`;
      await this.#http.send("PUT", { ...call, attempt, path }, { title, description });
      return { url: open.web_url, isNew: false };
    }
    const attempt = `open an issue in ${this.#place}`;
    const issue = await this.#http.send(
      "POST",
      { ...call, attempt, path: `${this.#base}/issues` },
      { title, description, labels: label },
    );
    // GitLab leaves out what the token has no right to set, and then the issue would not be found again.
    if (!issue.labels.includes(label)) {
      throw this.#http.refusal(
        `put the label ${label} on the new issue ${issue.web_url}`,
        "it was left out",
        labelAdvice,
      );
    }
    return { url: issue.web_url, isNew: true };
  }

  async closeIssue(marker: string, label: string, markdown: string): Promise<string | undefined> {
    const open = await this.#findIssues(marker, label);
    for (const { iid } of open) {
      const call = { attempt: `close issue ${iid} of ${this.#place}`, right: writeRight, schema: anything };
      const path = `${this.#base}/issues/${iid}`;
      await this.#http.send("POST", { ...call, path: `${path}/notes` }, { body: markdown });
      await this.#http.send("PUT", { ...call, path }, { state_event: "close" });
    }
    return open[0]?.web_url;
  }

  async #findNote(request: number, marker: string): Promise<number | undefined> {
    const pages = this.#http.pages({
      path: `${this.#base}/merge_requests/${request}/notes?sort=asc&order_by=created_at`,
      attempt: `list the comments of merge request ${request} of ${this.#place}`,
      right: writeRight,
      schema: z.array(noteSchema),
    });
    for await (const notes of pages) {
      for (const { id, body, author } of notes) {
        if (hasMarker(body, marker) && (await this.#wrote(author))) {
          return id;
        }
      }
    }
    return undefined;
  }

  /** The oldest first. */
  async #findIssues(marker: string, label: string): Promise<Issue[]> {
    const pages = this.#http.pages({
      path: `${this.#base}/issues?state=opened&order_by=created_at&sort=asc&labels=${encodeURIComponent(label)}`,
      attempt: `list the open issues of ${this.#place}`,
      right: writeRight,
      schema: z.array(issueSchema),
    });
    const found: Issue[] = [];
    for await (const issues of pages) {
      for (const issue of issues) {
        if (hasMarker(issue.description, marker) && (await this.#wrote(issue.author))) {
          found.push(issue);
        }
      }
    }
    return found;
  }

  /** Asked only once something with the marker was found. */
  async #wrote(author: Author): Promise<boolean> {
    const call = { path: "/user", attempt: "read whose token it is", right: writeRight, schema: userSchema };
    this.#ownId ??= this.#http.get(call).then(({ id }) => id);
    return author?.id === (await this.#ownId);
  }
}

function advise({ status, right }: ForgeRefusal): string | undefined {
  switch (status) {
    case 401:
      return "GITLAB_TOKEN is wrong or has expired.";
    case 403:
      return `The token lacks the right to it: GITLAB_TOKEN needs ${right}.`;
    case 404:
      return "It is not there, or the token has no right to see it.";
    default:
      return status >= 300 && status < 400
        ? "The project has moved; look at CI_API_V4_URL and CI_PROJECT_ID."
        : undefined;
  }
}
