import { isLoopback } from "../api/endpoint";
import {
  AgbApiError,
  AgbAuthenticationError,
  AgbError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { noSuchCallCode } from "../api/gone";
import { keySecret } from "../api/known-secrets";
import { cleanerFor, printable } from "../api/outside-text";
import { isTransient } from "../api/retry";
import { AgbConfigurationError, settingNames } from "../config";
import { AgbAdoptError } from "../lifecycle/adopt";
import { mayHaveCreatedSession } from "../lifecycle/create-outcome";
import { AgbReleaseTimeoutError, AgbRunEndedError, AgbUncertainCreateError } from "../lifecycle/errors";
import { ownershipKeys } from "../lifecycle/ownership";
import type { Account } from "./connection";
import { AbandonedCreateError } from "./creates-in-flight";
import { DoubtfulAbsenceError } from "./doubtful-absence";
import { MissingLookupError } from "./missing-lookup";
import { TakenOverError } from "./own-token";
import type { Properties } from "./properties";
import { endpointAdvice, keyAdvice, storedSettingsAdvice, timeoutAdvice } from "./settings-advice";
import { MissingStackIdError } from "./stack-identity";

/** An error as the user of Pulumi sees it: what failed, for which resource, why, and what to do next. */
export class ResourceError extends Error {
  /** @param headline what failed, for which resource */
  constructor(
    readonly headline: string,
    readonly details: string,
    options?: ErrorOptions,
  ) {
    super(`${headline}: ${details}`, options);
    this.name = "AgbError";
    // Where Pulumi prints a thrown error it prints the error as text and its stack, with a colon between.
    this.stack = details;
  }

  override toString(): string {
    return this.headline;
  }
}

/**
 * The session exists but is not as declared. Pulumi keeps a resource whose create or update fails with these three
 * fields in its state, as initialised badly, and the next `up` updates it. Only the reasons are shown.
 */
export class UnfinishedError extends ResourceError {
  constructor(
    readonly id: string,
    readonly properties: Properties,
    readonly reasons: string[],
  ) {
    super(`AgbSession ${id} is not as declared`, reasons.join("\n"));
  }
}

/** What was being done, for the first half of the message. */
export interface Attempt {
  /** Such as `create` or `refresh`. */
  readonly verb: string;
  /** Name of the resource in the program, when known. */
  readonly resource: string | undefined;
  /** Id of the session, when there is one. */
  readonly sessionId?: string | undefined;
  /** Limit of the operation that the program set, such as `timeouts.create`. */
  readonly limit?: string | undefined;
  /** Whether the create was to take over a session. */
  readonly adopting?: boolean;
  readonly account: Account | undefined;
}

/** Makes an error for the user out of whatever was thrown. */
export function explainFailure(error: unknown, attempt: Attempt): ResourceError {
  if (error instanceof ResourceError) {
    return error;
  }
  const { account, verb } = attempt;
  const clean = cleanerFor(account === undefined ? [] : [account.apiKey, account.settings.apiKey].map(toSecret));
  const resource = attempt.resource === undefined ? "AgbSession" : `AgbSession "${printable(attempt.resource)}"`;
  const session = attempt.sessionId === undefined ? "" : ` (session ${clean(attempt.sessionId)})`;
  const reason = isOurs(error) ? error.message : clean(error instanceof Error ? error.message : String(error));
  const advice = adviceFor(error, attempt);
  return new ResourceError(
    `could not ${verb} ${resource}${session}`,
    `${reason.replace(/\.$/, "")}.${advice && ` ${advice}`}`,
    error instanceof Error ? { cause: error } : undefined,
  );
}

/** Explains why AGB cannot be used with the settings, for a failure of `check`. */
export function explainNoAccess(error: unknown, account: Account): string {
  return explainFailure(error, { verb: "check", resource: undefined, account }).details;
}

function toSecret({ value }: { readonly value: string }) {
  return keySecret(value);
}

/** Whether an error is made by this package, so that what it quotes from outside is clean. */
function isOurs(error: unknown): error is Error {
  return [
    AgbError,
    AgbConfigurationError,
    AgbAdoptError,
    AbandonedCreateError,
    AgbRunEndedError,
    DoubtfulAbsenceError,
    MissingLookupError,
    TakenOverError,
    MissingStackIdError,
    AgbUncertainCreateError,
    AgbReleaseTimeoutError,
  ].some((kind) => error instanceof kind);
}

function adviceFor(error: unknown, attempt: Attempt): string {
  const { account, sessionId, limit, adopting, verb } = attempt;
  const usesStoredSettings = verb === "refresh" || verb === "release";
  const stored = usesStoredSettings ? ` ${storedSettingsAdvice}` : "";
  const kept = sessionId === undefined || verb === "look up" ? "" : " The session stays in the state.";
  if (error instanceof AgbConfigurationError) {
    return stored.trim();
  }
  if (
    error instanceof AgbAdoptError ||
    error instanceof MissingStackIdError ||
    error instanceof AbandonedCreateError ||
    error instanceof AgbRunEndedError
  ) {
    return "";
  }
  if (error instanceof TakenOverError) {
    return (
      "Remove this resource from the program: that does not release a session of another owner. If no other resource " +
      `owns the session, take the label ${ownershipKeys.create} off it and run \`pulumi up --refresh\`.`
    );
  }
  if (error instanceof AgbAuthenticationError) {
    return `${account === undefined ? "Check the key." : keyAdvice(account)}${stored}${kept}`;
  }
  if (error instanceof DoubtfulAbsenceError) {
    return `${absenceAdvice(error, account)}${stored}${kept}`;
  }
  if (error instanceof MissingLookupError) {
    return "AGB releases idle sessions. Give `AgbSession.get` the id of a running session, or take it out of the program.";
  }
  if (error instanceof AgbNotFoundError && adopting) {
    return "The session that `adopt` names is not running. Remove `adopt` to have a new one made.";
  }
  if (error instanceof AgbNotFoundError) {
    return (
      "The session is gone: AGB releases idle sessions, or someone released it. " +
      "Run `pulumi up --refresh` to have it made again."
    );
  }
  if (error instanceof AgbTimeoutError) {
    const endpoint = account === undefined ? "" : ` ${endpointAdvice(account.settings)}`;
    return `${timeoutAdvice(account?.settings, limit)}${endpoint}${stored}`;
  }
  if (error instanceof AgbNetworkError || error instanceof AgbUnexpectedReplyError || isAtWrongAddress(error)) {
    return `${adviceOnEndpoint(account)}${emulatorAdvice(error, account)}${stored}`;
  }
  if (error instanceof AgbApiError && error.operation === "createSession" && !mayHaveCreatedSession(error)) {
    return createAdvice(error);
  }
  if (error instanceof AgbUncertainCreateError) {
    return (
      `${adviceOnEndpoint(account)} If it is AGB's: look for a session with that label before you run ` +
      "`pulumi up` again. AGB releases it when it is idle; `npx pulumi-agb sweep` releases it earlier."
    );
  }
  if (error instanceof AgbReleaseTimeoutError) {
    return "Run the command again to look once more.";
  }
  return error instanceof AgbError ? "" : "This is a defect of pulumi-agb; please report it.";
}

/** Whether the endpoint is wrong: something else than AGB refused the call, or AGB knows no such call at this path. */
function isAtWrongAddress(error: unknown): boolean {
  return error instanceof AgbApiError && (!error.isFromAgb || error.code === noSuchCallCode);
}

function adviceOnEndpoint(account: Account | undefined): string {
  const { key, variable } = settingNames.endpoint;
  return account === undefined ? `Check the endpoint (${key} or ${variable}).` : endpointAdvice(account.settings);
}

/** Where nothing listens on this machine, the emulator is meant and does not run. */
function emulatorAdvice(error: unknown, account: Account | undefined): string {
  const isSilent = error instanceof AgbNetworkError && !error.requestSent;
  return isSilent && account !== undefined && isLoopback(account.settings.baseUrl)
    ? " If it is the emulator's, start it: `npx pulumi-agb emulator`."
    : "";
}

/** Advice on a create that made nothing: where a session may exist, the error is an `AgbUncertainCreateError`. */
function createAdvice(error: AgbApiError): string {
  if (isTransient(error)) {
    return "Nothing was made. Wait a while, then run `pulumi up` again.";
  }
  return (
    "Nothing was made. Check imageId and policyId (both depend on the account) and how many sessions it may run. A " +
    "replacement is made before the old session is released; set `deleteBeforeReplace` to reverse the order."
  );
}

function absenceAdvice({ doubt }: DoubtfulAbsenceError, account: Account | undefined): string {
  switch (doubt) {
    case "rotated key":
      return "Use a key of the account that the session belongs to, or give the session up with `pulumi state delete`.";
    case "other service":
      return (
        `${adviceOnEndpoint(account)} Go back to the service where the session was made, or give the session up with ` +
        "`pulumi state delete`."
      );
    case "other emulator":
      return (
        `${adviceOnEndpoint(account)} Start the emulator that made the session with its state file, and name its ` +
        "address. If its state file was deleted, the session is gone: remove it with `pulumi state delete`, then run " +
        "`pulumi up`."
      );
  }
}
