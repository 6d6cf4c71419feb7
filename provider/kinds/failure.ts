import { isLoopback } from "../api/endpoint";
import {
  AgbAuthenticationError,
  AgbNetworkError,
  AgbTimeoutError,
  AgbUnexpectedReplyError,
  CleanError,
} from "../api/errors";
import { keySecret } from "../api/known-secrets";
import { type CleanText, cleanerFor, printable } from "../api/outside-text";
import { AgbConfigurationError, settingNames } from "../config";
import { AgbRunEndedError } from "../lifecycle/errors";
import { callFailureCode, isAtWrongAddress, sharedAdvice } from "../messages/call-failure-code";
import type { MessageCode } from "../messages/message-codes";
import { DoubtfulAbsenceError, MissingLookupError } from "./certain-absence";
import type { Account } from "./connection";
import { AbandonedCreateError } from "./creates-in-flight";
import { ResourceError } from "./hosted-kind";
import type { Advice } from "./kind";
import { endpointAdvice, keyAdvice, storedSettingsAdvice, timeoutAdvice } from "./settings-advice";

/** What was attempted, on which resource. */
export interface Attempt {
  readonly operation: "check" | "create" | "read" | "import" | "update" | "delete";
  /** What the operation is called for this resource, such as `release`. */
  readonly verb: string;
  /** The resource's kind: what programs and what AGB call it, see `ResourceKind`. */
  readonly kind: { readonly name: string; readonly noun: string };
  /** Name of the resource in the program, when known. */
  readonly resource: string | undefined;
  /** What failed, where it is not an operation on a resource. Default: the verb and the resource. */
  readonly headline?: string;
  /** AGB's id, when there is one. */
  readonly id?: string | undefined;
  /** Whether the program looks the resource up by its id. */
  readonly isLookup: boolean;
  /** What limits the operation, such as `timeouts.create`. Default: nothing but the limits of its calls. */
  readonly limit?: string | undefined;
  /** What the kind itself says about the error, see `ResourceKind.advice`. */
  advice?(error: unknown, endpointAdvice: string): Advice | undefined;
}

/** Makes an error for the user out of anything that was thrown. */
export function explainFailure(error: unknown, attempt: Attempt, account: Account | undefined): ResourceError {
  if (error instanceof ResourceError) {
    return error;
  }
  const { kind, verb, id } = attempt;
  const clean = cleanerFor(account === undefined ? [] : [account.apiKey, account.settings.apiKey].map(toSecret));
  const resource = describeResource(kind.name, attempt.resource);
  const identified = id === undefined ? "" : ` (${kind.noun} ${clean(id)})`;
  const { code, text } = adviceFor(error, attempt, account);
  return new ResourceError(
    attempt.headline ?? `could not ${verb} ${resource}${identified}`,
    `${describeError(error, clean)}.${text && ` ${text}`}`,
    code,
    error instanceof Error ? { cause: error } : undefined,
  );
}

/** Kind and name of a resource, such as `AgbSession "web"`. */
export function describeResource(kindName: string, resource: string | undefined): string {
  return resource === undefined ? kindName : `${kindName} "${printable(resource)}"`;
}

/** What went wrong, in one sentence without its full stop, ready to be shown. */
export function describeError(error: unknown, clean: CleanText = printable): string {
  const words = error instanceof Error ? error.message : String(error);
  return (error instanceof CleanError ? words : clean(words)).replace(/\.$/, "");
}

function toSecret({ value }: { readonly value: string }) {
  return keySecret(value);
}

function adviceFor(error: unknown, attempt: Attempt, account: Account | undefined): Advice {
  const { operation, kind, id, isLookup } = attempt;
  const usesStoredSettings = operation === "delete" || (operation === "read" && !isLookup);
  const stored = usesStoredSettings ? ` ${storedSettingsAdvice}` : "";
  const kept = id === undefined || isLookup ? "" : ` The ${kind.noun} stays in the state.`;
  const ofKind = attempt.advice?.(error, adviceOnEndpoint(account));
  if (ofKind !== undefined) {
    return ofKind;
  }
  if (error instanceof AgbConfigurationError) {
    return { code: error.messageCode, text: stored.trim() };
  }
  if (error instanceof AbandonedCreateError || error instanceof AgbRunEndedError) {
    return { code: "AGB418", text: "Run `pulumi up` again." };
  }
  if (error instanceof MissingLookupError) {
    const text = `Look up a ${kind.noun} that exists, or remove the look-up from the program.`;
    return { code: "AGB314", text };
  }
  if (error instanceof DoubtfulAbsenceError) {
    const text = `${absenceAdvice(error, kind.noun, account)}${stored}${kept}`;
    return { code: absenceCodes[error.doubt], text };
  }
  const code = callFailureCode(error);
  if (error instanceof AgbAuthenticationError) {
    return {
      code,
      text: `${account === undefined ? `Check the API key (${settingNames.apiKey.key} or ${settingNames.apiKey.variable}).` : keyAdvice(account)}${stored}${kept}`,
    };
  }
  if (error instanceof AgbTimeoutError) {
    const endpoint = account === undefined ? "" : ` ${endpointAdvice(account.settings)}`;
    const limit = attempt.limit && `${attempt.limit} of the ${kind.noun}`;
    return { code, text: `${timeoutAdvice(account?.settings, limit)}${endpoint}${stored}` };
  }
  if (error instanceof AgbNetworkError && error.obstacle === "proxy") {
    // The error says what to change.
    return { code, text: stored.trim() };
  }
  if (error instanceof AgbNetworkError || error instanceof AgbUnexpectedReplyError || isAtWrongAddress(error)) {
    const again =
      code === "AGB304" ? "Run the command again. If it fails again, check the endpoint and the proxy. " : "";
    return { code, text: `${again}${adviceOnEndpoint(account)}${emulatorAdvice(error, account)}${stored}` };
  }
  return { code, text: furtherAdvice[code] ?? "" };
}

const furtherAdvice: Readonly<Partial<Record<MessageCode, string>>> = {
  ...sharedAdvice,
  AGB307: "AGB is overloaded or failing. Wait a while, then run the command again.",
  AGB308:
    "AGB limits how many calls it answers. Wait a while, then run the command again, with fewer calls at a time, such as " +
    "with `--parallel 4`.",
};

/** The code for each reason why a resource that was not found may still exist. */
const absenceCodes: Readonly<Record<DoubtfulAbsenceError["doubt"], MessageCode>> = {
  "rotated key": "AGB311",
  "other service": "AGB312",
  "other emulator": "AGB313",
};

function adviceOnEndpoint(account: Account | undefined): string {
  const { key, variable } = settingNames.endpoint;
  return account === undefined ? `Check the endpoint (${key} or ${variable}).` : endpointAdvice(account.settings);
}

/** A silent endpoint on this machine is most likely an emulator that is not running. */
function emulatorAdvice(error: unknown, account: Account | undefined): string {
  const isSilent = error instanceof AgbNetworkError && !error.requestSent && error.obstacle === undefined;
  if (!isSilent || account === undefined || !isLoopback(account.settings.baseUrl)) {
    return "";
  }
  const port = new URL(account.settings.baseUrl).port || "80";
  return ` If the emulator should run there, start it in a folder that has the npm package: \`npx pulumi-agb emulator --port ${port}\`.`;
}

function absenceAdvice({ doubt }: DoubtfulAbsenceError, noun: string, account: Account | undefined): string {
  switch (doubt) {
    case "rotated key":
      return `Use a key of the account that owns the ${noun}, or remove it from the state with \`pulumi state delete\`.`;
    case "other service":
      return (
        `${adviceOnEndpoint(account)} Use the service where the ${noun} was created, or remove it from the state with ` +
        "`pulumi state delete`."
      );
    case "other emulator":
      return (
        `${adviceOnEndpoint(account)} Start the emulator that created the ${noun} with its state file, and use its ` +
        `address. If its state file was deleted, the ${noun} is gone: remove it from the state with ` +
        "`pulumi state delete`, then run `pulumi up`."
      );
  }
}
