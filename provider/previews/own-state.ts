import type { Labels } from "../api/labels";
import { ownershipKeys } from "../lifecycle/ownership";
import { type StackState, secretText } from "../pulumi/stack-state";
import type { PreviewJob, ReleasingJob } from "./job";
import { readSecretLabels } from "./secret-labels";
import { qualifyStack } from "./stack-name";

type StateReader = Pick<PreviewJob, "pulumi" | "project" | "organization" | "repository"> &
  Partial<Pick<ReleasingJob, "client">>;

/**
 * Reads the state of a stack and makes sure that it is this project's and this repository's, as far as that is known:
 * another one of the same backend may use the same names.
 * Where the state keeps the labels of its sessions secret as a whole, AGB is asked for them.
 *
 * @param stack name without organization
 * @returns `undefined` when there is no such stack
 * @throws Error when it cannot be read, when it is another project's, stack's or repository's, or when its repository cannot
 *   be found out
 */
export async function readOwnState(
  { pulumi, project, organization, repository, client }: StateReader,
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
  const repositories = repository === undefined ? [] : await findRepositories(name, state, client);
  const other = repositories.find((found) => found !== repository);
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

/** Repositories that the stack's own sessions are labelled with, at AGB where the state does not show them. */
async function findRepositories(
  name: string,
  state: StackState | undefined,
  client: ReleasingJob["client"] | undefined,
): Promise<string[]> {
  const shown = repositoriesOf(state);
  const hidden = (state?.sessions ?? []).filter(
    ({ labels, isExternal, isReleased }) => labels === secretText && !isExternal && !isReleased,
  );
  if (shown.length > 0 || hidden.length === 0) {
    return shown;
  }
  try {
    return repositoriesAmong(await readSecretLabels(hidden, client), state);
  } catch (error) {
    throw new Error(
      `Could not find out whose sessions ${name} holds: the state keeps their labels secret as a whole, and AGB did not give ` +
        `them: ${error instanceof Error ? error.message : error} It is left alone. Check AGB_API_KEY and AGB_ENDPOINT, then ` +
        "run the job again. To do without AGB, make the values of single labels secret instead of all labels.",
    );
  }
}

/** Repositories that the state shows; sessions that the program only looks up do not count. */
function repositoriesOf(state: StackState | undefined): string[] {
  const shown = (state?.sessions ?? []).flatMap(({ labels }) => (labels === secretText ? [] : [labels]));
  return repositoriesAmong(shown, state);
}

function repositoriesAmong(labelSets: readonly Labels[], state: StackState | undefined): string[] {
  const own = labelSets.filter(
    (labels) =>
      labels[ownershipKeys.project] === state?.name?.project && labels[ownershipKeys.stack] === state?.name?.stack,
  );
  return [...new Set(own.flatMap((labels) => labels[ownershipKeys.repository] ?? []))];
}
