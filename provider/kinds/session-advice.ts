import { AgbApiError, AgbAuthenticationError, AgbNotFoundError } from "../api/errors";
import { isTransient } from "../api/retry";
import { AgbAdoptError } from "../lifecycle/adopt";
import { mayHaveHadEffect } from "../lifecycle/create-outcome";
import { AgbReleaseTimeoutError, AgbUncertainCreateError } from "../lifecycle/errors";
import { ownershipKeys } from "../lifecycle/ownership";
import { callFailureCode, isAtWrongAddress } from "../messages/call-failure-code";
import type { MessageCode } from "../messages/message-codes";
import { MissingLookupError } from "./certain-absence";
import type { Advice, FailedOperation } from "./kind";
import { TakenOverError } from "./own-token";
import { type MountState, ReleasedDuringDownloadError, UploadFailedError } from "./session-mounts";
import { MissingStackIdError } from "./stack-identity";

const adoptAdvice: Readonly<Partial<Record<MessageCode, string>>> = {
  AGB405: "Correct `adopt`, or remove it to create a new session.",
  AGB408: "Run the command again, or name the session with `adopt.sessionId`.",
};

/** The code of an error that only sessions have and what to do next; `undefined` for errors that all kinds share. */
export function sessionAdvice(error: unknown, failed: FailedOperation<MountState>): Advice | undefined {
  if (error instanceof AgbAdoptError) {
    return { code: error.messageCode, text: adoptAdvice[error.messageCode] ?? "" };
  }
  if (error instanceof MissingStackIdError) {
    return { code: "AGB119", text: "" };
  }
  if (error instanceof TakenOverError) {
    const text =
      "Remove this resource from the program: that does not release the other resource's session. If no other resource " +
      `owns the session, remove its label ${ownershipKeys.create} and run \`pulumi up --refresh\`.`;
    return { code: "AGB409", text };
  }
  if (error instanceof MissingLookupError && failed.operation === "import") {
    const text =
      "AGB releases idle sessions. Import a running one: IMAGE/SESSION_ID, or its id alone if its image is not known.";
    return { code: "AGB314", text };
  }
  if (error instanceof MissingLookupError) {
    const text =
      "AGB releases idle sessions. Look up a session that is running, or remove the look-up from the program.";
    return { code: "AGB314", text };
  }
  if (error instanceof ReleasedDuringDownloadError) {
    const text = "Run `pulumi up` again. A longer idleTimeoutSeconds leaves more time for the download.";
    return { code: "AGB414", text };
  }
  if (error instanceof UploadFailedError) {
    const text =
      "The session was not released, so no file is lost. Run the command again. To release the session without the upload, " +
      "copy the files that you need, set `releaseWithoutUpload: true` on it, run `pulumi up`, and run the command again. " +
      "Remove the option afterwards.";
    return { code: "AGB415", text };
  }
  if (error instanceof AgbNotFoundError) {
    return failed.operation === "create"
      ? { code: "AGB405", text: "The session that `adopt` names is not running. Remove `adopt` to create a new one." }
      : {
          code: "AGB404",
          text:
            "The session is gone: AGB or someone else released it. Run `pulumi up --refresh` to recreate it. With `options: " +
            "refresh: always` in Pulumi.yaml, each `pulumi up` does that.",
        };
  }
  if (error instanceof AgbApiError && error.operation === "createSession" && !mayHaveHadEffect(error)) {
    return isAtWrongAddress(error) || error instanceof AgbAuthenticationError
      ? undefined
      : createAdvice(error, failed.known);
  }
  if (error instanceof AgbUncertainCreateError) {
    const text =
      "Before you run `pulumi up` again, look for it: `npx pulumi-agb sweep --older-than 0s` shows it, and with `--yes` " +
      `releases it. If you do nothing, AGB releases it when it is idle. ${failed.endpointAdvice}`;
    return { code: "AGB403", text };
  }
  return error instanceof AgbReleaseTimeoutError
    ? { code: "AGB412", text: "Run the command again to look once more." }
    : undefined;
}

/** Advice on a create that certainly created nothing. When a session may exist, the error is an `AgbUncertainCreateError`. */
function createAdvice(error: AgbApiError, { contextSyncs = [] }: MountState): Advice {
  if (isTransient(error)) {
    return { code: callFailureCode(error), text: "Nothing was created. Wait a while, then run `pulumi up` again." };
  }
  if (contextSyncs.length > 0 && /context/i.test(error.code)) {
    const text =
      "Nothing was created. Check contextSyncs: contextId is the id that AGB gave a context, not its name. " +
      "The context must exist in this account.";
    return { code: "AGB402", text };
  }
  if (contextSyncs.length > 0) {
    const text =
      "Nothing was created. Check imageId, policyId and contextSyncs, and how many sessions the account may run at a time.";
    return { code: "AGB401", text };
  }
  const text =
    "Nothing was created. Check imageId and policyId, and how many sessions the account may run at a time. If this " +
    "replaces a session, that one still runs; set `deleteBeforeReplace` to release it first.";
  return { code: "AGB401", text };
}
