import { type MessageCode, withCode } from "../../messages/message-codes";
import type { Problem } from "../../messages/problem";
import { DoubtfulAbsenceError, MissingLookupError, missingLookup, requireCertainAbsence } from "../certain-absence";
import { declarationProblems } from "../check";
import { cleanProperties } from "../clean-properties";
import { type Account, Connection, type ConnectionOptions, type ReadConfig } from "../connection";
import { describeResource, explainFailure } from "../failure";
import { formatProblem, type Properties, ResourceError } from "../hosted-kind";
import type { Advice } from "../kind";
import { getContext } from "./get-context";
import { getSession } from "./get-session";
import { getSessionLink } from "./get-session-link";
import { getSessionUrl } from "./get-session-url";
import { getSessions } from "./get-sessions";
import type { FunctionProperties, LookUp } from "./look-up";

/** The table of look-up functions. A name here is the last part of the function's token, such as `agb:index:getSession`. */
export const lookUps = { getSession, getSessions, getContext, getSessionUrl, getSessionLink };

/** Names of the functions in their tokens. */
export type FunctionName = keyof typeof lookUps;

type AnyLookUp = LookUp<FunctionProperties, FunctionProperties>;

/** Options of a connection that belongs to functions alone. */
export interface FunctionCallOptions extends ConnectionOptions {
  /** The configuration. */
  readonly config: ReadConfig;
}

/**
 * Serves look-up functions to a host. Adds what all of them share: checked inputs, the account with its fallback key,
 * certain absence and explained failures.
 */
export class FunctionCalls {
  private readonly connection: Connection;

  /**
   * @param given the connection to use, or how to open one
   * @param nameOf gives what programs call a function, for messages. Default: its name in the npm package
   */
  constructor(
    given: FunctionCallOptions | Connection,
    private readonly nameOf: (name: FunctionName) => string = (name) => lookUps[name].name,
  ) {
    this.connection = given instanceof Connection ? given : configured(given);
  }

  /**
   * Calls a function.
   *
   * @param resource name of the session in the program, for a link that the program asks of its `AgbSession`
   * @throws ResourceError that says what failed, why and what to do
   */
  async call(name: FunctionName, given: Properties, resource?: string): Promise<Properties> {
    const lookUp = { ...lookUps[name], name: this.nameOf(name) } as unknown as AnyLookUp;
    const inputs = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    checkLookUp(lookUp, inputs, resource);
    let used: Account | undefined;
    const work = async (account: Account) => {
      used = account;
      const result = await lookUp.call(account.client.hiding(lookUp.secrets?.(inputs) ?? []), inputs);
      if (result !== "missing") {
        return cleanProperties(result);
      }
      const isById = lookUp.by === "id";
      if (isById) {
        requireCertainAbsence(account, { noun: lookUp.noun, isLookup: true, service: undefined });
      }
      throw missingLookup(account, lookUp.noun, isById ? "id" : "name");
    };
    try {
      return await (lookUp.by === "id" ? this.connection.withFallbackKey(work) : work(this.connection.account()));
    } catch (error) {
      const attempt = {
        operation: "read",
        verb: "look up",
        kind: { name: lookUp.name, noun: lookUp.noun },
        resource,
        headline: `${callerOf(lookUp, resource)}: could not ${lookUp.describe(inputs)}`,
        isLookup: true,
        advice: (thrown: unknown) => adviceOf(thrown, lookUp, resource !== undefined),
      } as const;
      throw explainFailure(error, attempt, used);
    }
  }

  /** Closes the connections to AGB. */
  close(): Promise<void> {
    return this.connection.close();
  }
}

function configured({ config, ...options }: FunctionCallOptions): Connection {
  const connection = new Connection(options);
  connection.configure(config);
  return connection;
}

/**
 * Checks the inputs of a function. Values that a preview does not know yet pass.
 *
 * @param resource name of the session in the program, for a link that the program asks of its `AgbSession`
 * @throws ResourceError that lists everything that is wrong
 */
export function checkInputs(name: FunctionName, inputs: Properties, resource: string | undefined): void {
  checkLookUp(lookUps[name] as unknown as AnyLookUp, inputs, resource);
}

function checkLookUp(lookUp: AnyLookUp, inputs: Properties, resource: string | undefined): void {
  const problems = declarationProblems(lookUp.name, lookUp.inputs, inputs);
  if (problems.length > 0) {
    throw invalidInputs(callerOf(lookUp, resource), problems);
  }
}

/** What the program called. */
function callerOf({ name }: AnyLookUp, resource: string | undefined): string {
  return resource === undefined ? name : describeResource("AgbSession", resource);
}

function adviceOf(error: unknown, { missing, noun }: AnyLookUp, isOwn: boolean): Advice | undefined {
  if (error instanceof MissingLookupError) {
    return isOwn ? goneSession : missing;
  }
  if (error instanceof DoubtfulAbsenceError) {
    return { code: "AGB311", text: `Use a key of the account that owns the ${noun}.` };
  }
  return undefined;
}

/** A session that the program declares. */
const goneSession: Advice = {
  code: "AGB404",
  text:
    "AGB or someone else released the session. Run `pulumi up --refresh` to recreate it. With `options: refresh: always` in " +
    "Pulumi.yaml, each `pulumi up` does that.",
};

/** All problems in one message, each with its code. */
function invalidInputs(caller: string, problems: readonly Problem[]): ResourceError {
  const last = problems.at(-1) as Problem & { readonly code: MessageCode };
  const lines = problems.slice(0, -1).map(formatProblem);
  const lastLine = formatProblem(last).slice(0, -withCode("", last.code).length);
  return new ResourceError(`${caller}: wrong arguments`, [...lines, lastLine].join("\n"), last.code);
}
