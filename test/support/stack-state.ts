import { isOfKind } from "../../provider/type-tokens";

/** A resource as `pulumi stack export` shows it. */
export interface ResourceState {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly inputs?: Record<string, any>;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly outputs?: Record<string, any>;
  /** Per input, the resources that it depends on. */
  readonly propertyDependencies?: Readonly<Record<string, readonly string[]>>;
  /** The resources that it depends on. */
  readonly dependencies?: readonly string[];
}

/** What `pulumi stack export` prints. */
export interface StackState {
  readonly deployment: {
    readonly resources?: readonly ResourceState[];
    readonly pending_operations?: readonly unknown[];
  };
}

/** The sessions of a stack, by the names that the program gave them. */
export function sessionsOf(state: StackState): Record<string, ResourceState> {
  const sessions = (state.deployment.resources ?? []).filter(({ type }) => isOfKind(type, "session"));
  return Object.fromEntries(sessions.map((resource) => [nameOf(resource), resource]));
}

/** The ids of a stack's sessions, by the names that the program gave them. */
export function sessionIdsOf(state: StackState): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(sessionsOf(state)).map(([name, { id }]) => [name, id]));
}

/**
 * The resources of a stack as strings, by URN, to compare them byte by byte. Left out are property dependencies on nothing
 * (`"labels": []`): the engine itself writes them at each `up` and drops them at each `refresh`, whatever the provider.
 * Dependencies are sorted, because the engine keeps them in a set and writes them in any order.
 */
export function resourceTexts(state: StackState): Record<string, string> {
  return Object.fromEntries(
    (state.deployment.resources ?? []).map((resource) => {
      const { propertyDependencies = {}, dependencies, ...rest } = resource;
      const ofProperties = Object.entries(propertyDependencies)
        .filter(([, urns]) => urns.length > 0)
        .map(([property, urns]) => [property, [...urns].sort()]);
      const sorted = {
        ...rest,
        ...(dependencies && { dependencies: [...dependencies].sort() }),
        ...(ofProperties.length > 0 && { propertyDependencies: Object.fromEntries(ofProperties) }),
      };
      return [resource.urn, JSON.stringify(sorted, null, 1)];
    }),
  );
}

/** How many resources a run created, updated and so on, from the summary that it printed; `same` are the unchanged. */
export function changesIn(stdout: string): Record<string, number> {
  const summary = stdout.slice(stdout.lastIndexOf("Resources:"));
  const counts = [...summary.matchAll(/(\d+) (created|updated|replaced|deleted|unchanged)/g)];
  return Object.fromEntries(counts.map(([, count, change]) => [change, Number(count)]));
}

function nameOf({ urn }: ResourceState): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}
