// Events of pull requests as GitHub sends them, reduced to what the workflows read.

import type { WorkflowEvent } from "./workflow-job";

export const repository = "acme/shop";
export const headCommit = "9f3c2e1d4b5a69788796a5b4c3d2e1f0a9b8c7d6";

/** What is special about a request. */
export interface RequestTraits {
  readonly number?: number;
  /** Default: `headCommit`. */
  readonly commit?: string;
  readonly isFork?: boolean;
  /** The fork was removed after the request was opened. */
  readonly isForkGone?: boolean;
  readonly isClosed?: boolean;
  readonly labels?: readonly string[];
  /** The label that this event is about. */
  readonly label?: string;
}

/** Secrets as a repository has them; runs of forks' requests get none. */
export const secrets = { AGB_API_KEY: "agb-key", PULUMI_ACCESS_TOKEN: "pulumi-token" };

/** An event of `pull_request` or `pull_request_target`, with the secrets that GitHub gives to its run. */
export function requestEvent(
  name: "pull_request" | "pull_request_target",
  action: string,
  {
    number = 12,
    commit = headCommit,
    isFork = false,
    isForkGone = false,
    isClosed,
    labels = [],
    label,
  }: RequestTraits = {},
): WorkflowEvent {
  const isUntrusted = name === "pull_request" && isFork;
  return {
    name,
    repository,
    secrets: isUntrusted ? {} : secrets,
    payload: {
      action,
      ...(label === undefined ? {} : { label: { name: label } }),
      pull_request: {
        number,
        state: (isClosed ?? action === "closed") ? "closed" : "open",
        labels: labels.map((each) => ({ name: each })),
        head: { sha: commit, repo: isForkGone ? null : { full_name: isFork ? "stranger/shop" : repository } },
      },
    },
  };
}

/** A teardown by hand. */
export function dispatchEvent(request: string): WorkflowEvent {
  return { name: "workflow_dispatch", repository, secrets, payload: {}, inputs: { request } };
}
