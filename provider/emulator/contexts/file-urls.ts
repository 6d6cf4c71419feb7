import { createHmac, timingSafeEqual } from "node:crypto";
import type { SyncDirection } from "./context-record";

/** The path at which clients send and fetch context files. It needs a signed address and no key. */
export const contextFilesPath = "/context-files";

/** What a signed address allows: one file, in one direction, until a moment. */
export interface FileGrant {
  readonly contextId: string;
  readonly filePath: string;
  readonly direction: SyncDirection;
  /** Whole seconds since 1970-01-01 UTC. */
  readonly expiresAtSeconds: number;
}

/** @param origin where the client reached the emulator, such as `http://127.0.0.1:8080` */
export function signedFileUrl(origin: string, secret: string, grant: FileGrant): string {
  const query = new URLSearchParams({
    contextId: grant.contextId,
    filePath: grant.filePath,
    operation: grant.direction,
    expires: String(grant.expiresAtSeconds),
    signature: signatureOf(secret, grant),
  });
  return `${origin}${contextFilesPath}?${query}`;
}

/** What an address allows now; undefined if this emulator did not sign it, it was changed, or it has expired. */
export function readFileGrant(
  secret: string,
  query: Readonly<Record<string, string>>,
  nowMs: number,
): FileGrant | undefined {
  const { contextId = "", filePath = "", operation, expires = "", signature = "" } = query;
  if ((operation !== "upload" && operation !== "download") || !/^\d{1,12}$/.test(expires)) {
    return undefined;
  }
  const grant: FileGrant = { contextId, filePath, direction: operation, expiresAtSeconds: Number(expires) };
  const [expected, given] = [Buffer.from(signatureOf(secret, grant)), Buffer.from(signature)];
  const isGenuine = expected.length === given.length && timingSafeEqual(expected, given);
  return isGenuine && nowMs < grant.expiresAtSeconds * 1000 ? grant : undefined;
}

function signatureOf(secret: string, { contextId, filePath, direction, expiresAtSeconds }: FileGrant): string {
  const text = JSON.stringify([direction, contextId, filePath, expiresAtSeconds]);
  return createHmac("sha256", secret).update(text).digest("base64url");
}
