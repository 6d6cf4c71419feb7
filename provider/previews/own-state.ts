import type { Labels } from "../api/labels";
import { ownershipKeys } from "../lifecycle/ownership";
import { CodedError } from "../messages/coded-error";
import { describeFailure } from "../messages/describe-failure";
import { type StackState, secretText } from "../pulumi/stack-state";
import { repositoriesOf, shownLabels } from "../sweep/state-proof";
import type { PreviewJob } from "./job";
import { readSecretLabels } from "./secret-labels";
import { qualifyStack } from "./stack-name";

type StateReader = Pick<PreviewJob, "pulumi" | "project" | "organization" | "repository" | "withClient">;

/**
 * Reads the state of a stack and checks that it belongs to this project and, if it is known, to this repository. Another
 * repository may use the same names in the same backend. Asks AGB for the labels of sessions when the state keeps all of
 * them secret.
 *
 * @param stack name without organization
 * @returns `undefined` when there is no such stack
 * @throws CodedError when it cannot be read, when it belongs to another project, stack or repository, or when its repository
 *   is unknown
 */
export async function readOwnState(
  { pulumi, project, organization, repository, withClient }: StateReader,
  stack: string,
): Promise<StackState | undefined> {
  const name = qualifyStack(stack, organization);
  const state = await pulumi.exportState(name);
  if (state?.name !== undefined && state.name.project !== project) {
    throw new CodedError(
      `${name} belongs to the project ${state.name.project}, not to ${project}, so it was not changed. ` +
        "Check `name` in Pulumi.yaml and the backend.",
      "AGB721",
    );
  }
  if (state?.name !== undefined && state.name.stack !== stack) {
    throw new CodedError(
      `The state of ${name} belongs to the stack ${state.name.stack}, so nothing was changed. ` +
        "Import the right state with `pulumi stack import`.",
      "AGB721",
    );
  }
  const repositories = repository === undefined ? [] : await findRepositories(name, state, withClient);
  const other = repositories.find((found) => found !== repository);
  if (other !== undefined) {
    throw new CodedError(
      `${name} of the project ${project} holds sessions of another repository: ${other}. This job works for ${repository}, ` +
        "so nothing was changed. Give the Pulumi project of each repository its own `name` in Pulumi.yaml. If your own " +
        "repository has moved, run `down` once by hand, outside a job.",
      "AGB722",
    );
  }
  return state;
}

/** The repository that this job works for: its own, or else the only one whose sessions the state holds. */
export function repositoryOf({ repository }: PreviewJob, state: StackState | undefined): string | undefined {
  const [only, ...others] = repositoriesNamedBy(state, shownLabels(state?.sessions ?? []));
  return repository ?? (others.length === 0 ? only : undefined);
}

/** Repositories in the labels of the stack's sessions. Asks AGB when the state shows none. */
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
    const { text } = describeFailure(error);
    throw new CodedError(
      `Could not find out whose sessions ${name} holds, so nothing was changed. The state keeps all their labels secret, and ` +
        `AGB did not return them: ${text.replace(/\.$/, "")}. Check AGB_API_KEY and AGB_ENDPOINT, then ` +
        "run the job again. If single label values are secret instead of all labels, the job need not ask AGB.",
      "AGB723",
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
