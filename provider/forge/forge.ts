/** The state of a pull request or merge request. */
export interface RequestState {
  readonly isOpen: boolean;
  /** Time of the last activity. */
  readonly updatedAt: Date;
}

/** How to view the running job and start it again. */
export interface JobLinks {
  /** Page of the running job. */
  readonly url: string;
  /** Command that runs this job again, ready to copy; `undefined` where the forge has none. */
  readonly repeatCommand: string | undefined;
}

/** The wanted content of an issue. */
export interface IssueText {
  readonly title: string;
  readonly markdown: string;
  /** Label that it gets when it is opened. The issue is found again by it. */
  readonly label: string;
}

/** An issue that was written. */
export interface WrittenIssue {
  readonly url: string;
  /** Whether it was opened now. Otherwise an open issue was changed. */
  readonly isNew: boolean;
}

/** The service that hosts a repository and its requests, as far as jobs need it. */
export interface Forge {
  /** Its name. */
  readonly name: "GitHub" | "GitLab";
  /** The running job; `undefined` outside of one. */
  readonly job: JobLinks | undefined;
  /**
   * Asks for the state of one request.
   *
   * @throws ForgeError when the request cannot be read, also when the forge says that it does not exist: a token
   *   without permission gets the same answer
   */
  readRequest(request: number): Promise<RequestState>;
  /**
   * Writes the one comment with a marker on a request: changes it, or creates it when there is none. Never changes a
   * comment with the marker that someone else wrote.
   *
   * @param marker string that identifies the comment; it is part of the comment, where readers do not see it
   * @param mode `replace` does nothing when there is no such comment yet
   * @throws ForgeError
   */
  writeComment(request: number, marker: string, markdown: string, mode?: "create" | "replace"): Promise<void>;
  /**
   * Writes the one open issue with a marker: changes it, or opens it when there is none. Never changes an issue with
   * the marker that someone else opened.
   *
   * @param marker as in `writeComment`
   * @throws ForgeError
   */
  writeIssue(marker: string, issue: IssueText): Promise<WrittenIssue>;
  /**
   * Closes the open issue with a marker, if there is one.
   *
   * @param label the label with which it was opened
   * @param markdown comment that says why
   * @returns the address of the issue; `undefined` when none was open
   * @throws ForgeError
   */
  closeIssue(marker: string, label: string, markdown: string): Promise<string | undefined>;
}
