import {
  AgbApiError,
  AgbAuthenticationError,
  AgbError,
  AgbNetworkError,
  AgbNotFoundError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
} from "../api/errors";
import { isTransient } from "../api/retry";
import { AgbConfigurationError, settingNames } from "../config";
import { AgbAdoptError } from "../lifecycle/adopt";
import { AgbReleaseTimeoutError, AgbUncertainCreateError } from "../lifecycle/errors";
import type { Account } from "./connection";
import { AbandonedCreateError } from "./creates-in-flight";
import { DoubtfulAbsenceError } from "./doubtful-absence";
import type { Properties } from "./properties";

/**
 * An error as the user of Pulumi sees it: what failed, for which resource, why, and what to do next.
 *
 * For some methods Pulumi prints the error as text with its stack, and then the message again beside the resource. So
 * the text is the headline alone and the stack, which says nothing to the user, is empty.
 */
export class ResourceError extends Error {
  /** @param headline what failed, for which resource */
  constructor(
    readonly headline: string,
    details: string,
    options?: ErrorOptions,
  ) {
    super(`${headline}: ${details}`, options);
    this.name = "AgbError";
    this.stack = "the reason stands beside the resource";
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
  const resource = attempt.resource === undefined ? "AgbSession" : `AgbSession "${attempt.resource}"`;
  const session = attempt.sessionId === undefined ? "" : ` (session ${attempt.sessionId})`;
  const reason = error instanceof Error ? error.message : String(error);
  const advice = adviceFor(error, attempt);
  return new ResourceError(
    `could not ${attempt.verb} ${resource}${session}`,
    `${reason.replace(/\.$/, "")}.${advice && ` ${advice}`}`,
    error instanceof Error ? { cause: error } : undefined,
  );
}

function adviceFor(error: unknown, { account, sessionId, limit, adopting }: Attempt): string {
  if (
    error instanceof AgbConfigurationError ||
    error instanceof AgbAdoptError ||
    error instanceof AbandonedCreateError
  ) {
    return "";
  }
  if (error instanceof AgbAuthenticationError) {
    const kept = sessionId === undefined ? "" : " The session stays in the state.";
    return `${authenticationAdvice(account)}${kept}`;
  }
  if (error instanceof DoubtfulAbsenceError) {
    return `${absenceAdvice(error)} The session stays in the state.`;
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
    const ofCalls = named(settingNames.timeoutMs);
    return `A longer limit can be set with ${limit === undefined ? ofCalls : `${limit} of the session, or ${ofCalls}`}.`;
  }
  if (error instanceof AgbNetworkError || error instanceof AgbUnexpectedReplyError) {
    const endpoint = account === undefined ? "The endpoint" : `The endpoint is ${account.settings.baseUrl}; it`;
    return `${endpoint} can be set with ${named(settingNames.endpoint)}.`;
  }
  if (error instanceof AgbApiError && error.operation === "createSession") {
    return createAdvice(error);
  }
  if (error instanceof AgbUncertainCreateError) {
    return (
      `The endpoint is ${account?.settings.baseUrl}. If it is AGB's: look for a session with that label before you run ` +
      "`pulumi up` again, or let AGB release it when it is idle; `pulumi-agb sweep` finds and releases it too."
    );
  }
  if (error instanceof AgbReleaseTimeoutError) {
    return "Run the command again to look once more.";
  }
  return error instanceof AgbError ? "" : "This is a defect of pulumi-agb; please report it.";
}

function createAdvice(error: AgbApiError): string {
  if (error.sessionId !== undefined) {
    return (
      `AGB named session ${error.sessionId} all the same, so it may exist: look for it before you run \`pulumi up\` ` +
      "again, or let AGB release it when it is idle."
    );
  }
  if (isTransient(error)) {
    return "Nothing was made. Run `pulumi up` again in a while.";
  }
  return (
    "Nothing was made. Check imageId and policyId (both depend on the account) and how many sessions it may run; a " +
    "replacement is made before the old session is released, which the option `deleteBeforeReplace` turns round."
  );
}

function absenceAdvice({ doubt }: DoubtfulAbsenceError): string {
  const endpoint = named(settingNames.endpoint);
  switch (doubt) {
    case "rotated key":
      return runProgramAdvice;
    case "other service":
      return `Go back to that service with ${endpoint}, or give the session up with \`pulumi state delete\`.`;
    case "other emulator":
      return (
        `Start that emulator with its state file and name its address with ${endpoint}. If its state file was deleted, ` +
        "the session is gone: remove it with `pulumi state delete`, then run `pulumi up`."
      );
  }
}

const runProgramAdvice =
  "refresh and destroy use the configuration of the last `pulumi up`, which is kept in the state: " +
  "if you have changed the key since, add --run-program.";

function authenticationAdvice(account: Account | undefined): string {
  if (account === undefined) {
    return "Check the key.";
  }
  const { settings, apiKey } = account;
  const origin = `The key came from ${apiKey.source}; check that it is valid for ${settings.baseUrl}.`;
  return settings.apiKey.source === settingNames.apiKey.variable ? origin : `${origin} ${runProgramAdvice}`;
}

function named(setting: { key: string; variable: string | undefined }): string {
  return `${setting.key} or ${setting.variable}`;
}
