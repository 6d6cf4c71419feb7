import type { ContextStack } from "./context-stack";
import { contextCall } from "./emulator-requests";

/** Renames a context behind Pulumi's back. */
export const rename = (stack: ContextStack, id: string, name: string) =>
  contextCall(stack.emulator.url, "ModifyContext", { id, name });
/** Deletes a context behind Pulumi's back. */
export const deleteBehindItsBack = (stack: ContextStack, id: string) =>
  contextCall(stack.emulator.url, "DeleteContext", { id });
