import type * as pulumi from "@pulumi/pulumi";
import { ResourceError } from "./failure";

/** The methods whose errors Pulumi's process prints before it hands them to the engine, which shows them again. */
const printedMethods = ["check", "diff", "read", "delete"] as const;

/**
 * Shows each failure of a provider once, beside its resource. Pulumi's process writes what `check`, `diff`, `read` and
 * `delete` throw to its error stream as well, where it would stand a second time, below the stack. Just that print is
 * left out; a process that prints otherwise shows the error twice, and complete both times.
 *
 * @param print where the process prints; its `error` is replaced
 */
export function showFailuresOnce<Provider extends pulumi.dynamic.ResourceProvider>(
  provider: Provider,
  print: Pick<Console, "error"> = console,
): Provider {
  const expected = new Set<string>();
  for (const name of printedMethods) {
    const method = provider[name] as ((...given: unknown[]) => Promise<unknown>) | undefined;
    if (method !== undefined) {
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
  return provider;
}

function noting(method: (...given: unknown[]) => Promise<unknown>, note: (error: ResourceError) => void) {
  return async (...given: unknown[]) => {
    try {
      return await method(...given);
    } catch (error) {
      if (error instanceof ResourceError) {
        note(error);
      }
      throw error;
    }
  };
}
