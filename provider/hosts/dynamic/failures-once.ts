import type { DynamicProvider } from "./resource-provider";
import { ShownFailure } from "./shown-failure";

/** Methods whose errors Pulumi's process prints before it passes them to the engine, which shows them again. */
const printedMethods = ["check", "diff", "read", "delete"] as const;

/**
 * Shows each failure of the providers once, next to its resource. Pulumi's process also prints what `check`, `diff`, `read`
 * and `delete` throw, so it would appear a second time, below the stack. This suppresses only that print. If Pulumi ever
 * changes its form, both appear.
 *
 * @param print where the process prints; its `error` is replaced
 */
export function showFailuresOnce(providers: readonly DynamicProvider[], print: Pick<Console, "error"> = console): void {
  // A list, because two resources may fail with the same words.
  const expected: string[] = [];
  for (const provider of providers) {
    for (const name of printedMethods) {
      const method = provider[name] as (...given: unknown[]) => Promise<unknown>;
      Object.assign(provider, { [name]: noting(method, (error) => expected.push(`${error}: ${error.stack}`)) });
    }
  }
  const printAll = print.error.bind(print);
  print.error = (...given: unknown[]) => {
    const index = given.length === 1 ? expected.indexOf(given[0] as string) : -1;
    if (index === -1) {
      printAll(...given);
    } else {
      expected.splice(index, 1);
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
