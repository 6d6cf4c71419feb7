import { z } from "zod";
import { AgbNotFoundError, CleanError } from "../api/errors";
import { printable } from "../api/outside-text";
import { createOwnedContext, deleteContext, observeContext, renameContext } from "../lifecycle/context";
import {
  AgbContextClearingError,
  AgbContextExistsError,
  AgbContextNotEmptyError,
  AgbContextUnchangedError,
  AgbUncertainContextError,
} from "../lifecycle/context-errors";
import { ContextsInUse } from "../lifecycle/contexts-in-use";
import type { Problem } from "../problem";
import type { Properties } from "./hosted-kind";
import type { Call, KindRuntime, PropertiesOfKind, ResourceKind, StateOf } from "./kind";
import { serviceOutput, timeoutsInput } from "./types";
import { isUnknown } from "./unknown";

// AGB's SDK trims names, so a name with blanks around it would never be found as it was declared.
const contextName = z
  .string()
  .refine((name) => name.trim() !== "", "must not be blank")
  .refine((name) => name.trim() === "" || name === name.trim(), "must not begin or end with a blank");

/** Everything that a program can declare of a context and that the state holds. */
export const contextProperties = {
  name: {
    description: "Name of the context, unique in the account and region.",
    type: contextName,
    example: "build-cache",
    change: "updates",
  },
  adopt: {
    description: "Whether to take over a context that has the name already.",
    type: z.boolean().optional(),
    change: "stored",
  },
  forceDestroy: {
    description: "Whether a delete also deletes the files that the context holds.",
    type: z.boolean().optional(),
    change: "stored",
  },
  timeouts: timeoutsInput,
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** A context as the state holds it. */
export type ContextState = StateOf<typeof contextProperties>;

/** A context that was to be changed is gone. */
class MissingContextError extends CleanError {}

/** Limit of the delete of a context that was created when the run was over, with its retries, in milliseconds. */
const abandonedDeleteMs = 10_000;

/** Makes the kind `AgbContext` for one process. */
export function contextKind({ clock, creates }: KindRuntime): ResourceKind<ContextState> {
  const inUse = new ContextsInUse();
  /** Ids of contexts that this run adopted: a delete in the same run is that of the resource which had one before. */
  const adopted = new Set<string>();
  /** Which resource of this run declares a name. */
  const declaredNames = new Map<string, string>();

  /** AGB cannot tell two creates of one name apart, so a program may declare each name only once. */
  function problems({ name }: Properties, _settings: unknown, resource: string | undefined): Problem[] {
    if (typeof name !== "string" || isUnknown(name) || resource === undefined) {
      return [];
    }
    const other = declaredNames.get(name) ?? resource;
    declaredNames.set(name, other);
    const reason = `${JSON.stringify(other)} declares a context with this name already; declare it once and pass it on`;
    return other === resource ? [] : [{ path: "name", reason }];
  }

  async function create({ client, unlimitedClient, limitMs: timeoutMs }: Call, inputs: ContextState) {
    const { name, adopt } = inputs;
    const made = await creates.run(
      () => createOwnedContext(client, name, { inUse, adopt, searcher: unlimitedClient, clock, timeoutMs }),
      async ({ contextId, wasAdopted }) => {
        if (!wasAdopted) {
          await deleteContext(unlimitedClient.within(abandonedDeleteMs), contextId, { clock, knownName: name });
        }
      },
    );
    if (made.wasAdopted) {
      adopted.add(made.contextId);
    }
    return { id: made.contextId, state: inputs };
  }

  async function read({ client }: Call, id: string, known: Partial<ContextState>) {
    const found = await observeContext(client, id, known.name);
    return found === undefined ? "gone" : { ...known, name: found.name };
  }

  async function update({ client, limitMs }: Call, id: string, olds: Partial<ContextState>, news: ContextState) {
    if (news.name !== olds.name) {
      const options = { inUse, knownName: olds.name, clock, timeoutMs: limitMs };
      const renamed = await renameContext(client, id, news.name, options);
      if (renamed === undefined) {
        throw new MissingContextError("AGB does not know the context");
      }
    }
    return news;
  }

  async function remove({ client, limitMs, say }: Call, id: string, { name, forceDestroy }: Partial<ContextState>) {
    if (adopted.has(id)) {
      say(`context ${printable(id)} was taken over by another resource with \`adopt\`; it is not deleted.`);
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
    // With `adopt`, a replacement that came first would take over the very context that is then deleted.
    differences: () => ({ deleteBeforeReplace: true }),
    advice: contextAdvice,
    create,
    read,
    update,
    delete: remove,
  };
}

const contextAdvice: NonNullable<ResourceKind<ContextState>["advice"]> = (error, { operation }) => {
  if (error instanceof AgbContextExistsError) {
    return error.isTakenInThisRun
      ? "Declare the context once and pass it to all that use it, or choose another name."
      : operation === "create"
        ? "Choose another name, or set `adopt: true` to take the context over with its files."
        : "Choose another name, or rename or delete the other context first.";
  }
  if (error instanceof AgbContextNotEmptyError) {
    return (
      "Nothing was deleted. To delete the files too, set `forceDestroy: true` on the context, run `pulumi up`, then delete " +
      "it again. To keep the context, set Pulumi's option `retainOnDelete: true` and run `pulumi up` first."
    );
  }
  if (error instanceof AgbContextClearingError) {
    return `Wait until AGB is done, then run the command again, or set a longer \`timeouts.${operation}\`.`;
  }
  if (error instanceof AgbContextUnchangedError) {
    return "Run the command again to look once more.";
  }
  if (error instanceof AgbUncertainContextError) {
    return "Run `pulumi up` again. If it says that the name exists, AGB did create the context: set `adopt: true` to take it over.";
  }
  if (error instanceof AgbNotFoundError || error instanceof MissingContextError) {
    return "Someone deleted the context. Run `pulumi up --refresh` to recreate it; its files are gone.";
  }
  return undefined;
};
