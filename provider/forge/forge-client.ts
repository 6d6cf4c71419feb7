import { z } from "zod";
import type { Forge, IssueText, JobLinks, RequestState, WrittenIssue } from "./forge";
import type { ForgeDialect, ForgeIssue, Written } from "./forge-dialect";
import { type ForgeCallOptions, ForgeHttp } from "./forge-http";
import { hasMarker, withMarker } from "./marker";

const anything = z.unknown();

/** A forge over HTTP. Changes only comments and issues that it wrote itself. */
export class ForgeClient<Author> implements Forge {
  readonly name: Forge["name"];
  readonly job: JobLinks | undefined;
  readonly #dialect: ForgeDialect<Author>;
  readonly #http: ForgeHttp;
  #isMe: Promise<(author: Author) => boolean> | undefined;

  constructor(dialect: ForgeDialect<Author>, options?: ForgeCallOptions) {
    this.name = dialect.name;
    this.job = dialect.job;
    this.#dialect = dialect;
    this.#http = new ForgeHttp(dialect, options);
  }

  readRequest(request: number): Promise<RequestState> {
    const { paths, rights, schemas } = this.#dialect;
    return this.#http.get({
      path: paths.request(request),
      attempt: `read ${this.#nameRequest(request)}`,
      right: rights.readRequest,
      schema: schemas.request,
    });
  }

  async writeComment(
    request: number,
    marker: string,
    markdown: string,
    mode: "create" | "replace" = "create",
  ): Promise<void> {
    const { paths, rights, changeMethod } = this.#dialect;
    const body = withMarker(marker, markdown);
    const id = await this.#findComment(request, marker);
    const attempt = `write the comment on ${this.#nameRequest(request)}`;
    const call = { attempt, right: rights.writeComment, schema: anything };
    if (id !== undefined) {
      await this.#http.send(changeMethod, { ...call, path: paths.comment(request, id) }, { body });
    } else if (mode === "create") {
      await this.#http.send("POST", { ...call, path: paths.comments(request) }, { body });
    }
  }

  async writeIssue(marker: string, { title, markdown, label }: IssueText): Promise<WrittenIssue> {
    const { place, paths, rights, schemas, bodies, changeMethod, labelAdvice } = this.#dialect;
    const text = withMarker(marker, markdown);
    const [open] = await this.#findOpenIssues(marker, label);
    const call = { right: rights.writeIssue, schema: schemas.issue };
    if (open !== undefined) {
      const attempt = `change issue ${open.number} of ${place}`;
      const path = paths.issue(open.number);
      await this.#http.send(changeMethod, { ...call, attempt, path }, bodies.changedIssue(title, text));
      return { url: open.url, isNew: false };
    }
    const attempt = `open an issue in ${place}`;
    const body = bodies.newIssue(title, text, label);
    const { url, labels } = await this.#http.send("POST", { ...call, attempt, path: paths.issues }, body);
    // A forge leaves out labels that the token may not set. Without the label the issue would not be found again.
    if (!labels.includes(label)) {
      throw this.#http.refusal(
        `put the label ${label} on the new issue ${url}`,
        "it was left out",
        labelAdvice,
        "AGB711",
      );
    }
    return { url, isNew: true };
  }

  async closeIssue(marker: string, label: string, markdown: string): Promise<string | undefined> {
    const { place, paths, rights, bodies, changeMethod } = this.#dialect;
    const open = await this.#findOpenIssues(marker, label);
    for (const { number } of open) {
      const call = { attempt: `close issue ${number} of ${place}`, right: rights.writeIssue, schema: anything };
      await this.#http.send("POST", { ...call, path: paths.issueComments(number) }, { body: markdown });
      await this.#http.send(changeMethod, { ...call, path: paths.issue(number) }, bodies.closedIssue);
    }
    return open[0]?.url;
  }

  async #findComment(request: number, marker: string): Promise<number | undefined> {
    const { lists, rights, schemas } = this.#dialect;
    const pages = this.#http.pages({
      path: lists.comments(request),
      attempt: `list the comments of ${this.#nameRequest(request)}`,
      right: rights.writeComment,
      schema: schemas.commentPage,
    });
    for await (const { id } of this.#ours(pages, marker)) {
      return id;
    }
    return undefined;
  }

  /** The oldest first. */
  async #findOpenIssues(marker: string, label: string): Promise<ForgeIssue<Author>[]> {
    const { place, lists, rights, schemas } = this.#dialect;
    const pages = this.#http.pages({
      path: lists.openIssues(label),
      attempt: `list the open issues of ${place}`,
      right: rights.writeIssue,
      schema: schemas.issuePage,
    });
    const found: ForgeIssue<Author>[] = [];
    for await (const issue of this.#ours(pages, marker)) {
      found.push(issue);
    }
    return found;
  }

  /** Ours are those that start with the marker and were written with this token's account. */
  async *#ours<Entry extends Written<Author>>(
    pages: AsyncIterable<readonly Entry[]>,
    marker: string,
  ): AsyncGenerator<Entry, void> {
    for await (const page of pages) {
      for (const entry of page) {
        if (hasMarker(entry.text, marker) && (await this.#wrote(entry.author))) {
          yield entry;
        }
      }
    }
  }

  /** Asks whose token it is only after something with the marker was found. */
  async #wrote(author: Author | null | undefined): Promise<boolean> {
    this.#isMe ??= this.#dialect.askWhoIAm(this.#http);
    const isMe = await this.#isMe;
    return author != null && isMe(author);
  }

  #nameRequest(request: number): string {
    const { requestNoun, place } = this.#dialect;
    return `${requestNoun} ${request} of ${place}`;
  }
}
