import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

/** What a stack's state says of sessions. */
export interface StackState {
  /** Ids of all sessions in the state, those that wait for their deletion included. */
  readonly sessionIds: ReadonlySet<string>;
  /** The stack that the state belongs to; `undefined` when it holds no resource that would tell. */
  readonly name: { readonly project: string; readonly stack: string } | undefined;
}

const exportSchema = z.looseObject({
  deployment: z.looseObject({
    resources: z
      .array(z.looseObject({ urn: z.string(), type: z.string(), id: z.string().optional() }))
      .nullish()
      .transform((resources) => resources ?? []),
  }),
});

const sessionType = "pulumi-nodejs:dynamic/agb:AgbSession";
const largestExportBytes = 512 * 1024 * 1024;

/**
 * Reads what `pulumi stack export` wrote.
 *
 * @throws Error when the text is no exported state: taken for an empty one, every session would look like an orphan
 */
export function parseStackState(text: string): StackState {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error("it is not JSON");
  }
  const parsed = exportSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error("it is not what `pulumi stack export` writes");
  }
  const { resources } = parsed.data.deployment;
  const sessions = resources.filter(({ type }) => type === sessionType);
  return {
    sessionIds: new Set(sessions.flatMap(({ id }) => (id === undefined ? [] : [id]))),
    name: stackOfUrn(resources[0]?.urn),
  };
}

/** Reads an exported state from a file. */
export async function readStateFile(path: string): Promise<StackState> {
  try {
    return parseStackState(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`the state file ${path} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Asks the Pulumi CLI for the state of a stack.
 *
 * @param stack name of the stack; the selected one when absent
 */
export async function exportStackState(stack: string | undefined): Promise<StackState> {
  const parameters = ["stack", "export", "--non-interactive", ...(stack === undefined ? [] : ["--stack", stack])];
  try {
    const { stdout } = await run("pulumi", parameters, { maxBuffer: largestExportBytes });
    return parseStackState(stdout);
  } catch (error) {
    const details = (error as { stderr?: string }).stderr?.trim();
    throw new Error(
      `pulumi ${parameters.join(" ")} did not give the state: ${details || (error as Error).message}\n` +
        "Give an exported state with --state FILE, or say --stack-is-gone when the stack was removed.",
    );
  }
}

/** Project and stack of a URN, `urn:pulumi:STACK::PROJECT::TYPE::NAME`. */
function stackOfUrn(urn: string | undefined): StackState["name"] {
  const [head, project] = urn?.split("::") ?? [];
  const stack = /^urn:pulumi:(.+)$/.exec(head ?? "")?.[1];
  return project && stack ? { project, stack } : undefined;
}
