import { z } from "zod";
import { findContext, getContext } from "../api/contexts";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError, CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import { isTransient } from "../api/retry";
import { createOwnedContext, deleteContext, deleteNewContext, renameContext } from "../lifecycle/context";
import {
  AgbContextClearingError,
  AgbContextExistsError,
  AgbContextNotEmptyError,
  AgbContextUnchangedError,
  AgbUncertainContextError,
} from "../lifecycle/context-errors";
import { ContextsInUse } from "../lifecycle/contexts-in-use";
import { isAtWrongAddress } from "../messages/call-failure-code";
import type { Problem } from "../messages/problem";
import { MissingLookupError } from "./certain-absence";
import type { LimitedOperation, Properties } from "./hosted-kind";
import type { Call, KindRuntime, PropertiesOfKind, ResourceKind, StateOf } from "./kind";
import { obey, serviceOutput, timeoutsInput } from "./types";
import { isUnknown } from "./unknown";
import { contextNameProblem } from "./value-rules";

/** Everything that a program can declare of a context and that the state holds. */
export const contextProperties = {
  name: {
    description: "Name of the context, unique in the account and region.",
    type: z.string().check(obey(contextNameProblem)),
    example: "build-cache",
    change: "updates",
  },
  adopt: {
    description: "Whether to take over a context that already has the name.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
  },
  forceDestroy: {
    description: "Whether a delete also deletes the files in the context.",
    type: z.boolean().optional(),
    example: true,
    change: "stored",
  },
  timeouts: timeoutsInput,
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A context as the state holds it. */
export type ContextState = StateOf<typeof contextProperties>;

/** Another resource of the program now owns the context. */
class ContextTakenOverError extends CleanError {}

/** A context cannot be changed, because it is gone. */
class MissingContextError extends CleanError {}

/** Limit of deleting a context that was created after the run had ended, with retries, in milliseconds. */
const abandonedDeleteMs = 10_000;

/** Makes the kind `AgbContext` for one process. */
export function contextKind({ clock, creates }: KindRuntime): ResourceKind<ContextState> {
  const inUse = new ContextsInUse();
  /** Which resource of this run declares a name. */
  const declaredNames = new Map<string, string>();
  const declaredResources = new Set<string>();

  /** Refuses a second declaration of a name, because AGB cannot distinguish two creates of it. */
  function problems({ name }: Properties, _settings: unknown, resource: string | undefined): Problem[] {
    if (resource !== undefined) {
      declaredResources.add(resource);
    }
    if (typeof name !== "string" || isUnknown(name) || resource === undefined) {
      return [];
    }
    const other = declaredNames.get(name) ?? resource;
    declaredNames.set(name, other);
    const reason = `${JSON.stringify(other)} already declares a context with this name; declare it once and pass it on`;
    return other === resource ? [] : [{ path: "name", reason, code: "AGB114" }];
  }

  async function create({ client, unlimitedClient, limitMs: timeoutMs, resource: owner }: Call, inputs: ContextState) {
    const { name, adopt } = inputs;
    const { contextId: id } = await creates.run(
      () => createOwnedContext(client, name, { inUse, owner, adopt, searcher: unlimitedClient, clock, timeoutMs }),
      async ({ contextId, wasAdopted }) => {
        if (!wasAdopted) {
          await deleteNewContext(unlimitedClient.within(abandonedDeleteMs), contextId);
        }
      },
    );
    return { id, state: inputs };
  }

  async function read({ client }: Call, id: string, known: Partial<ContextState>) {
    const found = await getContext(client, id, known.name);
    return found === undefined ? "gone" : { ...known, name: found.name };
  }

  /** @param importId id or name of a context */
  async function importContext({ client }: Call, importId: string) {
    const idOrName = importId.trim();
    if (idOrName === "") {
      return "gone";
    }
    // Where AGB refuses to look up ids, the list tells whether it is one.
    const found = (await getContext(client, idOrName, idOrName)) ?? (await findContext(client, idOrName));
    return found === undefined ? "gone" : { id: found.contextId, state: { name: found.name } };
  }

  async function update(
    { client, limitMs, resource: owner }: Call,
    id: string,
    olds: Partial<ContextState>,
    news: ContextState,
  ) {
    if (inUse.belongsToAnother(id, owner)) {
      throw new ContextTakenOverError("another resource took over the context with `adopt`, so it was not changed");
    }
    if (news.name !== olds.name) {
      const options = { inUse, owner, knownName: olds.name, clock, timeoutMs: limitMs };
      const renamed = await renameContext(client, id, news.name, options);
      if (renamed === undefined) {
        throw new MissingContextError("AGB does not know the context");
      }
    }
    return news;
  }

  async function remove(
    { client, limitMs, warn, resource }: Call,
    id: string,
    { name, forceDestroy }: Partial<ContextState>,
  ) {
    if (inUse.belongsToAnother(id, resource)) {
      warn(`context ${printable(id)} now belongs to another resource of this program; it is not deleted.`, "AGB506");
      return "deleted";
    }
    const options = { force: forceDestroy, knownName: name, clock, timeoutMs: limitMs };
    return (await deleteContext(client, id, options)) ? "deleted" : "absent";
  }

  return {
    name: "AgbContext",
    noun: "context",
    deleteVerb: "delete",
    properties: contextProperties,
    problems,
    onDiff: (id, resource) => {
      // A refresh compares resources too, before the program says what it declares.
      if (resource !== undefined && declaredResources.has(resource)) {
        inUse.add(id, resource);
      }
    },
    // With `adopt`, a replacement that came first would take over the very context that is then deleted.
    differences: () => ({ deleteBeforeReplace: true }),
    advice: contextAdvice,
    create,
    read,
    import: importContext,
    update,
    delete: remove,
  };
}

const contextAdvice: NonNullable<ResourceKind<ContextState>["advice"]> = (error, { operation }) => {
  if (error instanceof MissingLookupError && operation === "import") {
    return { code: "AGB314", text: "Import the id or the name of a context that exists." };
  }
  if (error instanceof AgbContextExistsError) {
    return error.isTakenInThisRun
      ? { code: "AGB114", text: "Declare the context once and pass it to all that use it, or choose another name." }
      : operation === "create"
        ? { code: "AGB501", text: "Choose another name, or set `adopt: true` to take the context over with its files." }
        : { code: "AGB501", text: "Choose another name, or rename or delete the other context first." };
  }
  if (error instanceof AgbContextNotEmptyError) {
    const text =
      "Nothing was deleted. To delete the files too, set `forceDestroy: true` on the context, run `pulumi up`, then delete " +
      "it again. To keep the context, set Pulumi's option `retainOnDelete: true` and run `pulumi up` first.";
    return { code: "AGB502", text };
  }
  if (error instanceof AgbContextClearingError) {
    const text = `Wait until AGB is done, then run the command again, or set a longer \`timeouts.${operation}\`.`;
    return { code: "AGB503", text };
  }
  if (error instanceof AgbContextUnchangedError) {
    return { code: "AGB504", text: "Run the command again to look once more." };
  }
  if (error instanceof AgbUncertainContextError) {
    const text =
      "Run `pulumi up` again. If it says that the name exists, AGB did create the context: set `adopt: true` to take it over.";
    return { code: "AGB505", text };
  }
  if (error instanceof ContextTakenOverError) {
    const text =
      "Remove this resource from the program: that does not delete the other resource's context. Or give it another name and " +
      "remove `adopt` from the other resource.";
    return { code: "AGB506", text };
  }
  if (error instanceof AgbNotFoundError || error instanceof MissingContextError) {
    const text = "Someone deleted the context. Run `pulumi up --refresh` to recreate it; its files are gone.";
    return { code: "AGB507", text };
  }
  if (
    operation !== "read" &&
    operation !== "import" &&
    error instanceof AgbApiError &&
    !(error instanceof AgbAuthenticationError) &&
    !isAtWrongAddress(error) &&
    !isTransient(error)
  ) {
    return { code: "AGB508", text: refusalAdvice[operation] };
  }
  return undefined;
};

/** What to do when AGB refused what was asked, by operation. */
const refusalAdvice: Readonly<Record<LimitedOperation, string>> = {
  create: "Nothing was created. Check the name, and how many contexts the account may have.",
  update: "The context keeps its name. Check the new name.",
  delete: "Nothing was deleted. A session may still mount the context: release it first, then run the command again.",
};
