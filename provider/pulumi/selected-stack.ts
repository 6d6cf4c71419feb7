import { z } from "zod";
import { askPulumi, stackOption } from "./ask-pulumi";

const configSchema = z.record(z.string(), z.looseObject({ value: z.string().optional() }));

/**
 * Asks the Pulumi CLI for the configuration of a stack, secrets decrypted.
 *
 * @param stack name of the stack; the selected one when absent
 * @returns gives the value of a key such as `agb:endpoint`
 * @throws Error when the CLI does not give it, among other things outside of a project's folder
 */
export async function readStackConfig(stack: string | undefined): Promise<(key: string) => string | undefined> {
  const parameters = ["config", "--json", "--show-secrets", ...stackOption(stack), "--non-interactive"];
  const text = await askPulumi(parameters).catch((error: Error) => {
    throw new Error(`pulumi ${parameters.slice(0, -1).join(" ")} failed: ${error.message}`);
  });
  const config = configSchema.parse(JSON.parse(text));
  return (key) => config[key]?.value;
}

/** Name of the selected stack, without its organization; `undefined` when none is selected. */
export async function readSelectedStack(): Promise<string | undefined> {
  const name = await askPulumi(["stack", "--show-name", "--non-interactive"]).catch(() => "");
  return name.trim().split("/").at(-1) || undefined;
}
