import { describeService, isEmulatorName, isSameService } from "../api/endpoint";
import { CleanError } from "../api/errors";
import type { Account } from "./connection";

/** A resource was not found, but may still exist. */
export class DoubtfulAbsenceError extends CleanError {
  constructor(
    message: string,
    readonly doubt: "rotated key" | "other service" | "other emulator",
  ) {
    super(message);
  }
}

/** A program looks up a resource by its id, and none exists. */
export class MissingLookupError extends CleanError {}

/** A resource that AGB did not find. */
interface Missing {
  /** What AGB calls it, such as `session`. */
  readonly noun: string;
  /** Whether the program looks it up by its id. Nothing else is known about it then. */
  readonly isLookup: boolean;
  /** Where it was created, see `serviceName`. */
  readonly service: string | undefined;
}

/**
 * Makes sure that a resource that AGB did not find is gone. "Not found" proves nothing when the fallback key was used,
 * which may be another account's, or when another service was asked than the one that created the resource.
 *
 * @throws DoubtfulAbsenceError when it may still exist
 */
export function requireCertainAbsence(account: Account, { noun, isLookup, service }: Missing): void {
  const { settings, apiKey, client } = account;
  if (apiKey !== settings.apiKey) {
    throw new DoubtfulAbsenceError(
      `AGB refused the key from ${settings.apiKey.source}. With the key from ${apiKey.source}, the ${noun} was not found: ` +
        "it is gone, or it belongs to another account",
      "rotated key",
    );
  }
  if (!isLookup && !isSameService(service, settings.baseUrl, client.emulatorId)) {
    throw new DoubtfulAbsenceError(
      `the ${noun} was not found at ${settings.baseUrl}, but it was created at ${describeService(service)} and may still ` +
        "exist there",
      isEmulatorName(service) ? "other emulator" : "other service",
    );
  }
}

/**
 * Fails a look-up that found nothing, because the program would go on with missing outputs. A refresh may remove a resource
 * that was looked up earlier: the program decides whether it is still needed.
 *
 * @throws MissingLookupError when the resource is being looked up
 */
export function refuseMissingLookup(account: Account, { noun, isLookup }: Missing): void {
  if (isLookup) {
    throw missingLookup(account, noun, "id");
  }
}

/** The error of a look-up that found nothing, by what it looked for. */
export function missingLookup({ settings, apiKey }: Account, noun: string, by: "id" | "name"): MissingLookupError {
  return new MissingLookupError(
    `no ${noun} with this ${by} exists at ${settings.baseUrl} in the account of the key from ${apiKey.source}`,
  );
}
