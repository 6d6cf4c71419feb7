import { describeService, isEmulatorName, isSameService } from "../api/endpoint";
import { CleanError } from "../api/errors";
import type { Account } from "./connection";

/** A resource was not found, which does not mean that it is gone. */
export class DoubtfulAbsenceError extends CleanError {
  constructor(
    message: string,
    readonly doubt: "rotated key" | "other service" | "other emulator",
  ) {
    super(message);
  }
}

/** A program looks a resource up by its id, and there is none. */
export class MissingLookupError extends CleanError {}

/** A resource that AGB did not find. */
interface Missing {
  /** What AGB calls it, such as `session`. */
  readonly noun: string;
  /** Whether the program looks it up by its id, so that nothing else is known of it. */
  readonly isLookup: boolean;
  /** Where it was created, see `serviceName`. */
  readonly service: string | undefined;
}

/**
 * Makes sure that a resource that AGB did not find is gone. "Not found" proves nothing where the resource may live on
 * unseen: with the fallback key, which may be another account's, or at another service than the one that created it.
 *
 * @throws DoubtfulAbsenceError when it may still exist
 */
export function requireCertainAbsence(account: Account, { noun, isLookup, service }: Missing): void {
  const { settings, apiKey, client } = account;
  if (apiKey !== settings.apiKey) {
    throw new DoubtfulAbsenceError(
      `AGB refused the key from ${settings.apiKey.source}, and with the one from ${apiKey.source} the ${noun} is not ` +
        "found: it is gone, or it belongs to another account",
      "rotated key",
    );
  }
  if (!isLookup && !isSameService(service, settings.baseUrl, client.emulatorId)) {
    throw new DoubtfulAbsenceError(
      `the ${noun} was created at ${describeService(service)} and may still be there; ${settings.baseUrl}, which was ` +
        "asked now, is another service and does not know it",
      isEmulatorName(service) ? "other emulator" : "other service",
    );
  }
}

/**
 * Fails a look-up that found nothing: the program would go on with outputs that are not there. A refresh may drop a
 * resource that was looked up earlier, because then the program decides.
 *
 * @throws MissingLookupError when the resource is being looked up
 */
export function refuseMissingLookup({ settings, apiKey }: Account, { noun, isLookup }: Missing): void {
  if (isLookup) {
    throw new MissingLookupError(
      `no ${noun} with this id exists at ${settings.baseUrl} in the account of the key from ${apiKey.source}`,
    );
  }
}
