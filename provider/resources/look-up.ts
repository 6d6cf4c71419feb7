/**
 * Calls look-up functions from a program. They run in the program's process, because a dynamic provider serves no functions. The
 * HTTP client and the schemas are loaded when the first function is called.
 */
import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";
import { mappedEnvironment } from "../config";
import type { FunctionCalls, FunctionName, lookUps } from "../kinds/functions/function-calls";
import type { InputsOf, ResultOf } from "../kinds/functions/look-up";
import { warnOfSettings } from "./constructor-checks";
import type { DeepInputs } from "./deep-inputs";
import { accountOf, type LookUpAccount, providerOf } from "./look-up-account";
import { promiseOf } from "./output-promise";
import { programError } from "./program-error";

type Functions = typeof lookUps;

/** The arguments of a function, which may be outputs. */
export type LookUpInputs<Name extends FunctionName> = {
  readonly [Argument in keyof InputsOf<Functions[Name]>]: pulumi.Input<DeepInputs<InputsOf<Functions[Name]>[Argument]>>;
};

/**
 * Calls a function with plain values.
 *
 * @throws RunError that says what failed, why and what to do
 */
export async function lookUp<Name extends FunctionName>(
  name: Name,
  args: InputsOf<Functions[Name]>,
  opts: pulumi.InvokeOptions,
): Promise<ResultOf<Functions[Name]>> {
  warnOfSettings();
  const functionName = programName(name);
  refuseOutputs(functionName, args);
  const provider = providerOf(functionName, opts);
  if (isMocked()) {
    return pulumi.runtime.invoke(tokenOf(name), { ...args }, { ...opts, ...(provider && { provider }) });
  }
  const account = await whileRunning(knownValue(accountOf(provider)));
  if (account === undefined) {
    const message =
      `${functionName}: a setting of the AgbProvider is not known yet in this preview. Use ${functionName}Output, whose result ` +
      "is unknown until then.";
    throw programError(message, "AGB966");
  }
  return whileRunning(ask(name, args, account, undefined));
}

/**
 * Calls a function when all its arguments are known. In a preview in which one is not, AGB is not asked and the result is
 * unknown.
 *
 * @param resource name of the session in the program, if the program asks its `AgbSession`
 */
export function lookUpOutput<Name extends FunctionName>(
  name: Name,
  args: LookUpInputs<Name>,
  opts: pulumi.InvokeOutputOptions,
  resource?: string,
): pulumi.Output<ResultOf<Functions[Name]>> {
  warnOfSettings();
  const provider = providerOf(programName(name), opts);
  if (isMocked()) {
    return pulumi.runtime.invokeOutput(tokenOf(name), { ...args }, { ...opts, ...(provider && { provider }) });
  }
  const checked = checkPlain(name, args, resource);
  const known = pulumi.all([
    pulumi.output<unknown>({ ...args }),
    accountOf(provider),
    allDone(opts.dependsOn),
    checked,
  ]);
  const answer = known.apply(async ([inputs, account]) => {
    const result = await ask(name, inputs as InputsOf<Functions[Name]>, account, resource);
    return account.hasSecretLabels ? pulumi.secret(result) : result;
  }) as pulumi.Output<ResultOf<Functions[Name]>>;
  // A failure stays one of the output, and fails the run even if nothing uses that.
  whileRunning(knownValue(answer)).catch(() => {});
  return answer;
}

/** Checks the arguments that are no outputs. So a preview refuses a wrong port although the session does not exist yet. */
async function checkPlain(name: FunctionName, args: object, resource: string | undefined): Promise<void> {
  const { checkInputs } = await import("../kinds/functions/function-calls.js");
  const known = Object.entries(args)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === "object" ? pulumi.runtime.unknownValue : value]);
  try {
    checkInputs(name, Object.fromEntries(known), resource);
  } catch (error) {
    throw shown(error);
  }
}

async function ask<Name extends FunctionName>(
  name: Name,
  args: InputsOf<Functions[Name]>,
  account: LookUpAccount,
  resource: string | undefined,
): Promise<ResultOf<Functions[Name]>> {
  try {
    const calls = await callsTo(account);
    return (await calls.call(name, args, resource)) as ResultOf<Functions[Name]>;
  } catch (error) {
    throw shown(error);
  }
}

/** The error as the program sees it. Pulumi prints the stack of other errors, and of this one after the program's last line. */
function shown(error: unknown): pulumi.RunError {
  const { message, cause } = error as Error;
  return Object.assign(new pulumi.RunError(message), { cause, stack: message });
}

/** Keeps Pulumi from ending the run before the work is done. */
async function whileRunning<Result>(work: Promise<Result>): Promise<Result> {
  const done = pulumi.runtime.rpcKeepAlive();
  try {
    return await work;
  } finally {
    done();
  }
}

/** The connections of each program, by the settings of their account. */
const connections = new WeakMap<object, Map<string, FunctionCalls>>();

/** An Automation API program may run several stacks in one process, one after the other or at the same time. */
async function callsTo({ config, mappings }: LookUpAccount): Promise<FunctionCalls> {
  const { FunctionCalls } = await import("../kinds/functions/function-calls.js");
  const program = pulumi.runtime.getStackResource() ?? pulumi.runtime.getMonitor() ?? connections;
  const ofProgram = connections.get(program) ?? new Map<string, FunctionCalls>();
  connections.set(program, ofProgram);
  const key = JSON.stringify([config, mappings]);
  const say = (message: string) => void pulumi.log.info(`agb: ${message}`);
  const environment = mappedEnvironment(mappings);
  const calls = ofProgram.get(key) ?? new FunctionCalls({ config: (name) => config[name], environment, say });
  ofProgram.set(key, calls);
  return calls;
}

/** Under Pulumi's mocks, the mocks answer as they do for the functions of other providers. */
function isMocked(): boolean {
  return pulumi.runtime.getMonitor() instanceof MockMonitor;
}

function tokenOf(name: FunctionName): string {
  return `agb:index:${name}`;
}

/** `getAgbSession` for `getSession`. */
function programName(name: FunctionName): string {
  return name.replace(/^get/, "getAgb");
}

function refuseOutputs(functionName: string, args: object): void {
  const argument = Object.entries(args).find(([, value]) => pulumi.Output.isInstance(value))?.[0];
  if (argument !== undefined) {
    const message = `${functionName}: ${argument} is an output. Use ${functionName}Output, which takes outputs.`;
    throw programError(message, "AGB965");
  }
}

/** The value of an output; `undefined` while a preview does not know it. Pulumi leaves what this needs out of its types. */
export async function knownValue<Value>(output: pulumi.Output<Value>): Promise<Value | undefined> {
  const { isKnown } = output as unknown as { readonly isKnown: Promise<boolean> };
  return (await isKnown) ? promiseOf(output) : undefined;
}

/** Waits for resources and their children. Unknown in a preview that will create one of them. */
function allDone(dependsOn: pulumi.InvokeOutputOptions["dependsOn"]): pulumi.Output<unknown> {
  const resources = pulumi.output(dependsOn as pulumi.Input<unknown>) as pulumi.Output<unknown>;
  return resources.apply((found) => pulumi.all([found ?? []].flat().flatMap((each) => idsOf(each as pulumi.Resource))));
}

function idsOf(resource: pulumi.Resource): pulumi.Output<unknown>[] {
  // Pulumi's own functions wait for the children in the same field.
  const { __childResources: children = [] } = resource as unknown as {
    readonly __childResources?: Iterable<pulumi.Resource>;
  };
  const own = pulumi.CustomResource.isInstance(resource) ? resource.id : resource.urn;
  return [own, ...[...children].flatMap(idsOf)];
}
