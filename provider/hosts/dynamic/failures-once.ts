import type { DynamicProvider } from "./resource-provider";
import { ShownFailure } from "./shown-failure";

/** Methods whose errors Pulumi's process prints before it passes them to the engine, which shows them again. */
const printedMethods = ["check", "diff", "read", "delete"] as const;

/**
 * Shows each failure of the providers once, beside its resource. Pulumi's process also prints what `check`, `diff`, `read`
 * and `delete` throw, so the error would appear again below the stack. Only that print is suppressed. If the process
 * prints it in another form, the user sees the complete error twice.
 *
 * @param print where the process prints; its `error` is replaced
 */
export function showFailuresOnce(providers: readonly DynamicProvider[], print: Pick<Console, "error"> = console): void {
  const expected = new Set<string>();
  for (const provider of providers) {
    for (const name of printedMethods) {
      const method = provider[name] as (...given: unknown[]) => Promise<unknown>;
      Object.assign(provider, { [name]: noting(method, (error) => expected.add(`${error}: ${error.stack}`)) });
    }
  }
  const printAll = print.error.bind(print);
  print.error = (...given: unknown[]) => {
    const isRepeated = given.length === 1 && typeof given[0] === "string" && expected.delete(given[0]);
    if (!isRepeated) {
      printAll(...given);
    }
  };
}

function noting(method: (...given: unknown[]) => Promise<unknown>, note: (error: ShownFailure) => void) {
  return async (...given: unknown[]) => {
    try {
      return await method(...given);
    } catch (error) {
      if (error instanceof ShownFailure) {
        note(error);
      }
      throw error;
    }
  };
}
