import * as pulumi from "@pulumi/pulumi";
import { settingNames } from "../config";
import { type MessageCode, withCode } from "../messages/message-codes";
import { programError } from "./program-error";
import { warnOfUnknownSettings } from "./unknown-settings";

/** What a class says of itself in the messages of its constructor. */
export interface ClassWords {
  /** Such as `AgbSession`. */
  readonly className: string;
  /** How to take over what exists already, such as "the argument adopt". */
  readonly insteadOfImport: string;
  /** Why it has no method `get`, if so. */
  readonly noLookup?: { readonly reason: string; readonly code: MessageCode };
  /** Why the old resource must be deleted before its replacement is created. Default: because files would be lost. */
  readonly whyDeletingFirst?: { readonly reason: string; readonly code: MessageCode };
}

/**
 * Checks what is the same for all classes when a resource is constructed.
 *
 * @throws RunError when `opts.import` is set: Pulumi cannot import dynamic resources
 * @throws RunError when `opts.id` is set and the class has no look-up
 */
export function checkConstruction(words: ClassWords, name: string, opts: pulumi.CustomResourceOptions): void {
  refuseImport(words, name, opts);
  warnOfSettings();
  warnOfCustomTimeouts(words, name, opts);
  refuseLookup(words, name, opts);
}

/** Warns once per program about settings of the stack that are unsafe or unknown. */
export function warnOfSettings(): void {
  warnOfPlainKey();
  warnOfUnknownSettings();
}

const losesFiles = {
  reason: "would lose files: the new resource would exist before the old one has saved them",
  code: "AGB117",
} as const;

/**
 * The options of a resource that must be deleted before its replacement is created. The provider says so too, but Pulumi does
 * not ask it for `--replace` and tainted resources.
 *
 * @throws RunError when the option is set to the contrary
 */
export function deletingFirst(
  { className, whyDeletingFirst = losesFiles }: ClassWords,
  name: string,
  opts: pulumi.CustomResourceOptions,
): pulumi.CustomResourceOptions {
  if (opts.deleteBeforeReplace === false) {
    const { reason, code } = whyDeletingFirst;
    const message = `${className} "${name}": deleteBeforeReplace: false ${reason}. Remove the option.`;
    throw programError(message, code);
  }
  return pulumi.mergeOptions(opts, { deleteBeforeReplace: true });
}

function refuseImport(
  { className, insteadOfImport, noLookup }: ClassWords,
  name: string,
  opts: pulumi.CustomResourceOptions,
): void {
  if (opts.import !== undefined) {
    const lookup = noLookup ? "" : `, or ${className}.get("${name}", id) to look one up without owning it`;
    const message = `${className} "${name}": Pulumi cannot import dynamic resources. Use ${insteadOfImport}${lookup}.`;
    throw programError(message, "AGB115");
  }
}

function refuseLookup({ className, noLookup }: ClassWords, name: string, { id }: pulumi.CustomResourceOptions): void {
  if (noLookup !== undefined && id !== undefined) {
    const { reason, code } = noLookup;
    throw programError(`${className} "${name}": ${reason}. Remove the option id.`, code);
  }
}

function warnOfCustomTimeouts({ className }: ClassWords, name: string, opts: pulumi.CustomResourceOptions): void {
  if (opts.customTimeouts !== undefined) {
    const message =
      `${className} "${name}": customTimeouts has no effect, because Pulumi does not pass it to a dynamic provider. ` +
      "Use the argument timeouts.";
    void pulumi.log.warn(withCode(message, "AGB116"));
  }
}

/** Warns once per program: a plain key stands readable in the stack's file and in the state. */
function warnOfPlainKey(): void {
  const { key } = settingNames.apiKey;
  if (plainKeyWarned || !pulumi.runtime.getConfig(key) || isConfigSecret(key)) {
    return;
  }
  plainKeyWarned = true;
  const message =
    `${key} is stored as plain text in the stack's configuration and state. Replace the key at AGB, then store the new one ` +
    `as a secret: \`pulumi config set --secret ${key}\`.`;
  void pulumi.log.warn(withCode(message, "AGB210"));
}

let plainKeyWarned = false;

/** Whether a value of the stack's configuration is secret. Pulumi leaves the function that knows it out of its types. */
export function isConfigSecret(key: string): boolean {
  const runtime = pulumi.runtime as typeof pulumi.runtime & { isConfigSecret?: (key: string) => boolean };
  return runtime.isConfigSecret?.(key) ?? true;
}
