import { ownershipKeys } from "../lifecycle/ownership";
import { type StackState, secretText } from "../pulumi/stack-state";
import type { PreviewJob } from "./job";
import { qualifyStack } from "./stack-name";

/**
 * Reads the state of a stack and makes sure that it is this project's and this repository's, as far as that is known:
 * another one of the same backend may use the same names.
 *
 * @param stack name without organization
 * @returns `undefined` when there is no such stack
 * @throws Error when it cannot be read, or is another project's, stack's or repository's
 */
export async function readOwnState(
  { pulumi, project, organization, repository }: Pick<PreviewJob, "pulumi" | "project" | "organization" | "repository">,
  stack: string,
): Promise<StackState | undefined> {
  const name = qualifyStack(stack, organization);
  const state = await pulumi.exportState(name);
  if (state?.name !== undefined && state.name.project !== project) {
    throw new Error(`${name} is a stack of the project ${state.name.project}, not of ${project}; it is left alone.`);
  }
  if (state?.name !== undefined && state.name.stack !== stack) {
    throw new Error(`The state of ${name} is that of ${state.name.stack}; it is left alone.`);
  }
  const other = repository === undefined ? undefined : repositoriesOf(state).find((found) => found !== repository);
  if (other !== undefined) {
    throw new Error(
      `${name} of the project ${project} holds sessions of another repository: ${other}, while this job is of ` +
        `${repository}. It is left alone. Give the Pulumi project of each repository its own \`name\` in Pulumi.yaml. ` +
        "If it is this repository that has moved, run `down` once by hand, outside of a job.",
    );
  }
  return state;
}

/** The repository that this job works for: its own, else the one whose sessions the state holds. */
export function repositoryOf({ repository }: PreviewJob, state: StackState | undefined): string | undefined {
  const [only, ...others] = repositoriesOf(state);
  return repository ?? (others.length === 0 ? only : undefined);
}

/** Repositories that the stack's own sessions are labelled with; sessions that the program only looks up do not count. */
function repositoriesOf(state: StackState | undefined): string[] {
  const found = (state?.sessions ?? []).flatMap(({ labels }) => {
    const isOwn =
      labels !== secretText &&
      labels[ownershipKeys.project] === state?.name?.project &&
      labels[ownershipKeys.stack] === state?.name?.stack;
    return isOwn ? (labels[ownershipKeys.repository] ?? []) : [];
  });
  return [...new Set(found)];
}
