import { createHash, randomBytes } from "node:crypto";

/**
 * Where a run is found in its session. The same identity always names the same run: a second start of it starts nothing.
 * Both parts are hexadecimal digits.
 */
export interface RunIdentity {
  /** Names whose commands these are, such as a resource of a stack. A new run ends those of its owner that still go on. */
  readonly owner: string;
  /** Names the run among those of its owner. */
  readonly run: string;
}

/** Returns an identity that no other run has. */
export function newRunIdentity(): RunIdentity {
  return { owner: randomHex(), run: randomHex() };
}

/**
 * Returns the identity that follows from what a run is for, so that a later process finds the run again.
 *
 * @param owner the parts of the owner's name
 * @param run everything that makes this run another one, secrets included: only a hash of it is used
 */
export function runIdentityOf(owner: readonly string[], run: unknown): RunIdentity {
  const ownerName = hashOf(owner);
  return { owner: ownerName, run: hashOf([ownerName, run]) };
}

/** Returns a random token. A state may hold it, because it says nothing about the command. */
export function newRunToken(): string {
  return randomHex();
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 32);
}

function randomHex(): string {
  return randomBytes(16).toString("hex");
}
