import { z } from "zod";
import type { Forge, JobLinks, RequestState } from "./forge";
import type { ForgeEndpoint, ForgeHttp } from "./forge-http";

/** A point in time, as both forges write it. */
export const timeSchema = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** Something that was written on a forge. */
export interface Written<Author> {
  readonly text: string | null | undefined;
  /** Absent when the account has been deleted since. */
  readonly author: Author | null | undefined;
}

/** A comment on a request. */
export interface ForgeComment<Author> extends Written<Author> {
  readonly id: number;
}

/** An issue. */
export interface ForgeIssue<Author> extends Written<Author> {
  readonly number: number;
  readonly url: string;
  readonly labels: readonly string[];
}

/** Everything in which one forge differs from another. `ForgeClient` does the same with all of them. */
export interface ForgeDialect<Author> extends ForgeEndpoint {
  readonly name: Forge["name"];
  readonly job: JobLinks | undefined;
  /** The repository's name in messages. */
  readonly place: string;
  readonly requestNoun: "pull request" | "merge request";
  /** The permissions that calls need, in the forge's words. */
  readonly rights: {
    readonly readRequest: string;
    readonly writeComment: string;
    readonly writeIssue: string;
  };
  /** What the user can do when the forge leaves out a label, in full sentences. */
  readonly labelAdvice: string;
  /** HTTP method that changes a comment or an issue. */
  readonly changeMethod: "PATCH" | "PUT";
  readonly paths: {
    readonly request: (request: number) => string;
    readonly comments: (request: number) => string;
    readonly comment: (request: number, id: number) => string;
    readonly issues: string;
    readonly issue: (issue: number) => string;
    readonly issueComments: (issue: number) => string;
  };
  /** Paths of lists with their query, oldest entries first. */
  readonly lists: {
    readonly comments: (request: number) => string;
    readonly openIssues: (label: string) => string;
  };
  /** Request bodies. */
  readonly bodies: {
    readonly changedIssue: (title: string, text: string) => object;
    readonly newIssue: (title: string, text: string, label: string) => object;
    readonly closedIssue: object;
  };
  /** Reply schemas. */
  readonly schemas: {
    readonly request: z.ZodType<RequestState>;
    readonly commentPage: z.ZodType<ForgeComment<Author>[]>;
    readonly issue: z.ZodType<ForgeIssue<Author>>;
    readonly issuePage: z.ZodType<ForgeIssue<Author>[]>;
  };
  /** Asks whose token it is. @returns whether an author is that account @throws ForgeError */
  askWhoIAm(http: ForgeHttp): Promise<(author: Author) => boolean>;
}
