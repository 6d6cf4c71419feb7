import { describeService, isEmulatorName, isSameService } from "../api/endpoint";
import type { Account } from "./connection";
import type { SessionProperties } from "./session-properties";

/** A session that was not found, which does not mean that it is gone. */
export class DoubtfulAbsenceError extends Error {
  override readonly name = "DoubtfulAbsenceError";

  constructor(
    message: string,
    readonly doubt: "rotated key" | "other service" | "other emulator",
  ) {
    super(message);
  }
}

/**
 * "Not found" says nothing where the session may well live on unseen: the key only stands in for a refused one and may
 * be another account's, or the session was made at another service than the one that was asked.
 *
 * @throws DoubtfulAbsenceError when that is so
 */
export function refuseDoubtfulAbsence({ settings, apiKey, client }: Account, known: Partial<SessionProperties>): void {
  if (apiKey !== settings.apiKey) {
    throw new DoubtfulAbsenceError(
      `AGB refused the key from ${settings.apiKey.source}, and with the one from ${apiKey.source} the session is not ` +
        "found: it is gone, or it belongs to another account",
      "rotated key",
    );
  }
  // `AgbSession.get` knows nothing but the id.
  if (known.labelsAll !== undefined && !isSameService(known.service, settings.baseUrl, client.emulatorId)) {
    throw new DoubtfulAbsenceError(
      `the session was made at ${describeService(known.service)} and may still run there; ${settings.baseUrl}, which ` +
        "was asked now, is another service and does not know it",
      isEmulatorName(known.service) ? "other emulator" : "other service",
    );
  }
}
