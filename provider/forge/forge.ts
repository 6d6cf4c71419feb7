/** What a forge knows of a pull request or merge request. */
export interface RequestState {
  readonly isOpen: boolean;
  /** When something last happened to it. */
  readonly updatedAt: Date;
}

/** Where the running job can be looked at and started again. */
export interface JobLinks {
  /** Page of the running job. */
  readonly url: string;
  /** Command that runs this job again, ready to be copied; `undefined` where the forge has none. */
  readonly repeatCommand: string | undefined;
}

/** An issue as it shall be. */
export interface IssueText {
  readonly title: string;
  readonly markdown: string;
  /** Label that it gets when it is opened, and by which it is found again. */
  readonly label: string;
}

/** An issue that was written. */
export interface WrittenIssue {
  readonly url: string;
  /** Whether it was opened now; otherwise it was open before and has been changed. */
  readonly isNew: boolean;
}

/** What jobs need of the service that hosts a repository and its requests. */
export interface Forge {
  /** The name that people know it by. */
  readonly name: "GitHub" | "GitLab";
  /** The running job; `undefined` outside of one. */
  readonly job: JobLinks | undefined;
  /**
   * Asks for the state of one request.
   *
   * @throws ForgeError when the request cannot be read, also when the forge says that there is none: a token without the
   *   right to see it gets the same answer
   */
  readRequest(request: number): Promise<RequestState>;
  /**
   * Writes the one comment with a marker on a request: changes it when it is there, makes it otherwise. A comment with the
   * marker that others wrote is left alone.
   *
   * @param marker text that tells this comment from all others; it is put into the comment where readers do not see it
   * @param mode `replace` changes nothing when there is no such comment yet
   * @throws ForgeError
   */
  writeComment(request: number, marker: string, markdown: string, mode?: "create" | "replace"): Promise<void>;
  /**
   * Writes the one open issue with a marker: changes it when it is there, opens it otherwise. An issue with the marker that
   * others opened is left alone.
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
   * @returns the address of the issue, `undefined` when none was open
   * @throws ForgeError
   */
  closeIssue(marker: string, label: string, markdown: string): Promise<string | undefined>;
}
