import type { AgbClient } from "../api/client";
import { CleanError } from "../api/errors";
import { getLabels, type Labels } from "../api/labels";
import { printable } from "../api/outside-text";
import { listSessions } from "../api/sessions";
import { unlessGone } from "../api/unless-gone";
import type { MessageCode } from "../messages/message-codes";
import { hasLabel } from "./labels";
import { createTokenTime, ownerKeys, ownershipKeys } from "./ownership";

/** A running session to take over: by its id, or by labels that exactly one session carries. */
export interface AdoptTarget {
  readonly sessionId?: string | undefined;
  readonly labels?: Labels | undefined;
}

/** A session cannot be adopted, or it is not clear which one is meant. */
export class AgbAdoptError extends CleanError {
  constructor(
    message: string,
    readonly messageCode: MessageCode,
  ) {
    super(message);
  }
}

const listedAtMost = 10;

/**
 * Finds the session to adopt and confirms that no other resource owns it.
 *
 * @param owner labels of the resource that adopts it
 * @returns the session's id and its current labels
 * @throws AgbAdoptError when none or several match, or when another resource owns it
 * @throws AgbNotFoundError when no running session has the id
 */
export async function findAdoptable(
  client: AgbClient,
  target: AdoptTarget,
  owner: Labels,
): Promise<{ sessionId: string; labels: Labels }> {
  const sessionId = target.sessionId ?? (await findOnlyMatch(client, target.labels ?? {}));
  const labels = await getLabels(client, sessionId);
  // If the list did not filter, we would adopt someone else's session and release it with the stack.
  if (!Object.entries(target.labels ?? {}).every(([key, value]) => hasLabel(labels, key, value))) {
    throw new AgbAdoptError(
      `AGB listed session ${printable(sessionId)}, which does not carry the labels of \`adopt\``,
      "AGB408",
    );
  }
  refuseOtherOwner(sessionId, labels, owner);
  return { sessionId, labels };
}

/**
 * Makes sure that no other resource owns a session, as far as its labels say.
 *
 * @param owner labels of the resource that takes the session over
 * @param keys the labels to compare. Default: all that name an owner
 * @throws AgbAdoptError when another resource owns it
 */
export function refuseOtherOwner(
  sessionId: string,
  labels: Labels,
  owner: Labels,
  keys: readonly string[] = ownerKeys,
): void {
  if (keys.some((key) => labels[key] !== undefined && labels[key] !== owner[key])) {
    const { project, stack, stackId, resource, repository } = ownershipKeys;
    const show = (key: string) => printable(labels[key] ?? "?");
    const ofRepository = labels[repository] === undefined ? "" : ` (repository ${show(repository)})`;
    const name = `${show(project)}/${show(stack)}${ofRepository}`;
    const hasOurName = [project, stack].every((key) => labels[key] === owner[key]);
    const [theirId, ourId] = [labels[stackId], owner[stackId]];
    const isNamesake = hasOurName && theirId !== undefined && ourId !== undefined && theirId !== ourId;
    const ofStack = isNamesake
      ? `another stack called ${name}: its id is ${printable(theirId)}, and the id of this stack is ${printable(ourId)}`
      : name;
    throw new AgbAdoptError(
      `session ${printable(sessionId)} belongs to resource ${show(resource)} of ${ofStack}. ` +
        "Two owners would undo each other's changes. Remove it from that stack first: " +
        "`pulumi state delete` removes it from the state without releasing it. Then remove its pulumi- labels, so that " +
        "no sweep of that stack releases it",
      "AGB407",
    );
  }
}

/**
 * Returns whether a session carries a valid create label that its former owner did not set.
 *
 * @param known the create label that the former owner set; if `undefined`, any create label belongs to someone else
 */
export async function wasTakenOver(client: AgbClient, sessionId: string, known: string | undefined): Promise<boolean> {
  const found = (await unlessGone(getLabels(client, sessionId)))?.[ownershipKeys.create] ?? "";
  return found !== known && createTokenTime(found) !== undefined;
}

async function findOnlyMatch(client: AgbClient, labels: Labels): Promise<string> {
  const matches: string[] = [];
  for await (const session of listSessions(client, labels)) {
    matches.push(session.sessionId);
    if (matches.length > listedAtMost) {
      break;
    }
  }
  const [only] = matches;
  if (only === undefined) {
    throw new AgbAdoptError("no running session carries the labels of `adopt`", "AGB405");
  }
  if (matches.length > 1) {
    const listed = matches.slice(0, listedAtMost).map((id) => printable(id));
    const more = matches.length > listedAtMost ? " and more" : "";
    throw new AgbAdoptError(
      `several sessions carry the labels of \`adopt\`: ${listed.join(", ")}${more}. Name one with adopt: { sessionId }`,
      "AGB406",
    );
  }
  return only;
}
