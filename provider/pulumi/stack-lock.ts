/**
 * Finds out whether a command failed because another run holds the stack's lock: backends in files and buckets name
 * the locks, Pulumi Cloud answers that there is a conflict.
 *
 * @param stderr what the command printed as its errors
 * @returns what is told of the lock, the same text as long as the same run holds it; `undefined` when that is not what
 *   the command failed of
 */
export function lockHolder(stderr: string): string | undefined {
  const start = stderr.search(
    /the stack is currently locked by|\[409\] Conflict: Another update is currently in progress/,
  );
  return start < 0 ? undefined : stderr.slice(start).trim();
}

/** The run that holds a lock, in a few words. */
export function describeHolder(holder: string): string {
  const origin = /: (created by .+)$/m.exec(holder)?.[1];
  return origin === undefined ? "another run" : `another run (${origin})`;
}
