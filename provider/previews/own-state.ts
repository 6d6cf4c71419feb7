import type { Labels } from "../api/labels";
import { ownershipKeys } from "../lifecycle/ownership";
import { type StackState, secretText } from "../pulumi/stack-state";
import { repositoriesOf, shownLabels } from "../sweep/state-proof";
import type { PreviewJob } from "./job";
import { readSecretLabels } from "./secret-labels";
import { qualifyStack } from "./stack-name";

type StateReader = Pick<PreviewJob, "pulumi" | "project" | "organization" | "repository" | "withClient">;

/**
 * Reads the state of a stack and makes sure that it belongs to this project and this repository, as far as that is
 * known: another repository may use the same names in the same backend. Asks AGB for the labels of sessions where the
 * state keeps all of them secret.
 *
 * @param stack name without organization
 * @returns `undefined` when there is no such stack
 * @throws Error when it cannot be read, when it is another project's, stack's or repository's, or when its repository
 *   cannot be found out
 */
export async function readOwnState(
  { pulumi, project, organization, repository, withClient }: StateReader,
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
  const repositories = repository === undefined ? [] : await findRepositories(name, state, withClient);
  const other = repositories.find((found) => found !== repository);
  if (other !== undefined) {
    throw new Error(
      `${name} of the project ${project} holds sessions of another repository: ${other}, while this job works for ` +
        `${repository}. It is left alone. Give the Pulumi project of each repository its own \`name\` in Pulumi.yaml. ` +
        "If your own repository has moved, run `down` once by hand, outside a job.",
    );
  }
  return state;
}

/** The repository that this job works for: its own, or else the only one whose sessions the state holds. */
export function repositoryOf({ repository }: PreviewJob, state: StackState | undefined): string | undefined {
  const [only, ...others] = repositoriesNamedBy(state, shownLabels(state?.sessions ?? []));
  return repository ?? (others.length === 0 ? only : undefined);
}

/** Repositories that the stack's sessions are labelled with. Asks AGB where the state shows none. */
async function findRepositories(
  name: string,
  state: StackState | undefined,
  withClient: PreviewJob["withClient"],
): Promise<string[]> {
  const sessions = state?.sessions ?? [];
  const shown = repositoriesNamedBy(state, shownLabels(sessions));
  const hidden = sessions.filter(
    ({ labels, isExternal, isReleased }) => labels === secretText && !isExternal && !isReleased,
  );
  if (shown.length > 0 || hidden.length === 0) {
    return shown;
  }
  try {
    return repositoriesNamedBy(state, await withClient((client) => readSecretLabels(client, hidden)));
  } catch (error) {
    throw new Error(
      `Could not find out whose sessions ${name} holds. The state keeps all their labels secret, and AGB did not return ` +
        `them: ${error instanceof Error ? error.message : error} The stack is left alone. Check AGB_API_KEY and AGB_ENDPOINT, ` +
        "then run the job again. To need no answer from AGB, make the values of single labels secret instead of all labels.",
    );
  }
}

/** Only labels that name this stack count: a program may also look up sessions of other stacks. */
function repositoriesNamedBy(state: StackState | undefined, labelSets: readonly Labels[]): string[] {
  const { project, stack } = state?.name ?? {};
  const own = labelSets.filter(
    (labels) => labels[ownershipKeys.project] === project && labels[ownershipKeys.stack] === stack,
  );
  return [...repositoriesOf(own)];
}
