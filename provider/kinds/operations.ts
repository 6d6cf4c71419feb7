import { serviceName } from "../api/endpoint";
import { AgbConfigurationError, type Settings } from "../config";
import { withCode } from "../messages/message-codes";
import type { Problem } from "../messages/problem";
import { missingLookup, refuseMissingLookup, requireCertainAbsence } from "./certain-absence";
import { declarationProblems } from "./check";
import { cleanProperties } from "./clean-properties";
import type { Account, Connection } from "./connection";
import { differenceOf, isNotTold } from "./diff";
import { describeResource, explainFailure } from "./failure";
import {
  type Caller,
  type CheckedInputs,
  type DetailedDifference,
  type FoundResource,
  type ImportedResource,
  type LimitedOperation,
  type NativeKind,
  type Properties,
  ResourceError,
  type Source,
  UnfinishedError,
} from "./hosted-kind";
import { type Call, type ResourceKind, UnfinishedResource } from "./kind";
import { inputNames, inputsOf, outputNames, outputsOf } from "./state";
import { unknownValue } from "./unknown";

/** Properties that the state of every resource at AGB may hold. */
interface CommonState {
  readonly service?: string | undefined;
  readonly timeouts?: { readonly [Operation in LimitedOperation]?: number | undefined } | undefined;
}

/** The resource of an operation, and the operation itself. */
interface Subject<State> {
  readonly operation: LimitedOperation | "read" | "import";
  readonly verb: string;
  readonly id?: string;
  readonly isLookup?: boolean;
  /** Names the resource in the program and holds its limits. */
  readonly state: Partial<State>;
  /** States whose secrets no message may repeat. */
  readonly secretsOf: readonly Partial<State>[];
}

/**
 * Serves one kind to a host. Adds what all kinds share to the kind's own create, read, update and delete: the account with
 * its fallback key, limits, explained failures, certain absence, the service that holds the resource, and clean
 * properties.
 */
export class KindOperations<State extends CommonState> implements NativeKind {
  /** @param name what programs call the kind, for messages. Default: the name of its class */
  constructor(
    private readonly kind: ResourceKind<State>,
    private readonly connection: Connection,
    private readonly name: string = kind.name,
  ) {}

  /**
   * Finds what is wrong with the settings, else everything that is wrong with the declaration, else a key that AGB refuses or an
   * endpoint that is not AGB's. So a preview shows it, and an `up` without changes writes no such settings to the state.
   */
  async check(declared: Properties, caller: Caller, olds: Properties = {}): Promise<CheckedInputs> {
    const { kind } = this;
    const { stack } = caller;
    let account: Account;
    try {
      account = this.connection.account();
    } catch (error) {
      if (error instanceof AgbConfigurationError) {
        return { inputs: declared, problems: error.problems.map((problem) => ({ path: "", ...problem })) };
      }
      throw error;
    }
    const { settings } = account;
    const news = (stack && kind.withOwner?.(declared, { ...caller, stack }, olds, settings)) ?? declared;
    const problems = this.problemsOf(news, settings, caller).filter(({ path }) => {
      const property = kind.properties[path];
      // An import must pass, and so must the code that Pulumi prints for it.
      return !(isNotTold(property, news[path]) && isNotTold(property, olds[path]));
    });
    if (problems.length > 0) {
      return { inputs: news, problems };
    }
    try {
      await this.connection.confirm();
    } catch (error) {
      const attempt = {
        operation: "check",
        verb: "check",
        kind: { name: this.name, noun: kind.noun },
        resource: undefined,
        isLookup: false,
      } as const;
      const { explanation, code } = explainFailure(error, attempt, account);
      const reason =
        `AGB cannot be used with the current settings: ${explanation} If you ran \`pulumi up --skip-preview\`, Pulumi has ` +
        "saved these settings in the state: after you change them, run `pulumi refresh --run-program` first.";
      return { inputs: news, problems: [{ path: "", reason, code }] };
    }
    return { inputs: cleanProperties(kind.normalize?.(news, settings) ?? news), problems: [] };
  }

  async diff(id: string, olds: Properties, news: Properties, caller: Caller): Promise<DetailedDifference> {
    const { kind } = this;
    const [before, declared] = [olds as Partial<State>, news as unknown as State];
    const resource = this.nameOf(caller, declared);
    kind.onDiff?.(id, resource);
    const secretsOf = [before, declared];
    const open = () => this.callWith(this.connection.account(), caller, { secretsOf }, undefined, resource);
    await kind.keepAlive?.(open, id, before, declared);
    return { ...differenceOf(kind, olds, news), before: inputsOf(kind, olds) };
  }

  create(inputs: Properties, caller: Caller): Promise<{ readonly id: string; readonly outputs: Properties }> {
    const declared = inputs as unknown as State;
    const subject = { operation: "create", verb: "create", state: declared, secretsOf: [declared] } as const;
    return this.withAccount(subject, caller, async (call, account) => {
      // The service is known only after AGB has answered.
      const finish = (state: Partial<State>) => this.outputsWith(serviceOf(account), state);
      const { id, state } = await this.finishing(finish, () => this.kind.create(call, declared));
      return { id, outputs: finish(state) };
    });
  }

  /**
   * Reads with the fallback key when AGB refuses the configured one. Drift goes into both outputs and inputs, so that the
   * next diff shows and repairs it.
   */
  read(id: string, known: Properties, caller: Caller): Promise<FoundResource | undefined> {
    const { kind } = this;
    const state = known as Partial<State>;
    const isLookup = Object.values(outputsOf(kind, state)).length === 0;
    const verb = isLookup ? "look up" : "refresh";
    const subject = { operation: "read", verb, id, isLookup, state, secretsOf: [state] } as const;
    return this.withFallbackKey(subject, caller, async (call, account) => {
      if (kind.isOver?.(state)) {
        // Without inputs Pulumi keeps its own, which include what was declared since.
        return { outputs: outputsOf(kind, state), inputs: undefined };
      }
      const found = await kind.read(call, id, state);
      if (found !== "gone") {
        const outputs = this.outputsWith(isLookup ? serviceOf(account) : state.service, found);
        const isDeclared = kind.isDeclared?.(state) ?? caller.resource !== undefined;
        return { outputs, inputs: isDeclared ? inputsOf(kind, outputs) : undefined };
      }
      const missing = { noun: kind.noun, isLookup, service: state.service };
      requireCertainAbsence(account, missing);
      refuseMissingLookup(account, missing);
      const left = kind.stateWhenGone?.(state);
      if (left !== undefined) {
        const outputs = this.outputsWith(state.service, left);
        return { outputs, inputs: inputsOf(kind, outputs) };
      }
      return undefined;
    });
  }

  import(importId: string, caller: Caller): Promise<ImportedResource | undefined> {
    const { kind } = this;
    const subject = { operation: "import", verb: "import", id: importId, state: {}, secretsOf: [] } as const;
    return this.withAccount(subject, caller, async (call, account) => {
      if (kind.import === undefined) {
        throw new ResourceError(
          `could not import ${call.described}`,
          `a ${kind.noun} exists only in the state of the program that created it. Declare a new one in the program.`,
          "AGB120",
        );
      }
      const found = await kind.import(call, importId, account.settings);
      if (found === "gone") {
        throw missingLookup(account, kind.noun, "id");
      }
      const outputs = this.outputsWith(serviceOf(account), found.state);
      return { id: found.id, outputs, inputs: inputsOf(kind, outputs) };
    });
  }

  /** Before a create, outputs of AGB are unknown. Before an update, only those that it may change are. */
  preview(olds: Properties | undefined, news: Properties): Properties {
    const { kind } = this;
    const unknownNames =
      olds === undefined
        ? outputNames(kind.properties).filter((name) => !kind.properties[name]?.isInternal)
        : (kind.changingOutputs?.(olds as Partial<State>, news as unknown as State) ?? []);
    const kept = outputNames(kind.properties).map((name) => [name, olds?.[name]]);
    const declared = inputNames(kind.properties).map((name) => [name, news[name]]);
    const unknown = unknownNames.map((name) => [name, unknownValue]);
    return outputsOf(kind, Object.fromEntries([...kept, ...declared, ...unknown]) as Partial<State>);
  }

  get sources(): Readonly<Record<string, Source>> {
    const made = Object.entries(this.kind.properties).filter(([, { madeFrom }]) => madeFrom !== undefined);
    return Object.fromEntries(made.map(([name, { madeFrom = {} }]) => [name, madeFrom]));
  }

  get readable(): readonly string[] {
    return Object.keys(this.kind.properties).filter((name) => this.kind.properties[name]?.isReadable);
  }

  secretOutputs(outputs: Properties): readonly string[] {
    return this.kind.secretOutputs?.(outputs as Partial<State>) ?? [];
  }

  update(id: string, olds: Properties, news: Properties, caller: Caller): Promise<Properties> {
    const [before, declared] = [olds as Partial<State>, news as unknown as State];
    const subject = {
      operation: "update",
      verb: "update",
      id,
      state: declared,
      secretsOf: [before, declared],
    } as const;
    return this.withAccount(subject, caller, async (call) => {
      const finish = (state: Partial<State>) => this.outputsWith(before.service, state);
      return finish(await this.finishing(finish, () => this.kind.update(call, id, before, declared)));
    });
  }

  /** Deletes with the fallback key when AGB refuses the configured one. */
  delete(id: string, known: Properties, caller: Caller): Promise<void> {
    const { kind } = this;
    const state = known as Partial<State>;
    const subject = { operation: "delete", verb: kind.deleteVerb, id, state, secretsOf: [state] } as const;
    return this.withFallbackKey(subject, caller, async (call, account) => {
      if (!kind.isOver?.(state) && (await kind.delete(call, id, state)) === "absent") {
        requireCertainAbsence(account, { noun: kind.noun, isLookup: false, service: state.service });
      }
    });
  }

  private problemsOf(news: Properties, settings: Settings, caller: Caller): Problem[] {
    const { kind } = this;
    const ofTypes = declarationProblems(this.name, kind.properties, news, caller.stack !== undefined);
    const resource = this.nameOf(caller, news as Partial<State>);
    return [...ofTypes, ...(kind.problems?.(news, settings, resource) ?? [])];
  }

  /** Name of the resource in the program: the host's, or the one in its own properties. */
  private nameOf({ resource }: Caller, state: Partial<State>): string | undefined {
    return resource ?? this.kind.resourceName?.(state);
  }

  private outputsWith(service: string | undefined, state: Partial<State>): Properties {
    return outputsOf(this.kind, { ...state, service });
  }

  /** Turns the kind's error for an unfinished resource into the host's, with the outputs that the state should hold. */
  private async finishing<Result>(
    finish: (state: Partial<State>) => Properties,
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UnfinishedResource) {
        const { id, state, message, messageCode } = error;
        throw new UnfinishedError(`${this.name} ${id}`, id, finish(state), message, messageCode);
      }
      throw error;
    }
  }

  private withAccount<Result>(
    subject: Subject<State>,
    caller: Caller,
    work: (call: Call, account: Account) => Promise<Result>,
  ): Promise<Result> {
    return this.explained(subject, caller, work, async (use) => use(this.connection.account()));
  }

  private withFallbackKey<Result>(
    subject: Subject<State>,
    caller: Caller,
    work: (call: Call, account: Account) => Promise<Result>,
  ): Promise<Result> {
    return this.explained(subject, caller, work, (use) => this.connection.withFallbackKey(use));
  }

  private async explained<Result>(
    subject: Subject<State>,
    caller: Caller,
    work: (call: Call, account: Account) => Promise<Result>,
    choose: (use: (account: Account) => Promise<Result>) => Promise<Result>,
  ): Promise<Result> {
    const { kind } = this;
    const { operation, verb, id, isLookup = false, state } = subject;
    const resource = isLookup ? undefined : this.nameOf(caller, state);
    const limitSeconds = caller.limitSeconds ?? limitOf(state, operation);
    let used: Account | undefined;
    try {
      return await choose((account) => {
        used = account;
        return work(this.callWith(account, caller, subject, limitSeconds, resource), account);
      });
    } catch (error) {
      const limit = limitName(operation, caller.limitSeconds !== undefined, limitOf(state, operation) !== undefined);
      const advice = (thrown: unknown, endpointAdvice: string) =>
        kind.advice?.(thrown, { operation, known: state, endpointAdvice, limit });
      const words = { name: this.name, noun: kind.noun };
      throw explainFailure(error, { operation, verb, kind: words, resource, id, isLookup, limit, advice }, used);
    }
  }

  private callWith(
    account: Account,
    caller: Caller,
    { secretsOf }: Pick<Subject<State>, "secretsOf">,
    limitSeconds: number | undefined,
    resource: string | undefined,
  ): Call {
    const secrets = secretsOf.flatMap((state) => this.kind.secrets?.(state) ?? []);
    const unlimitedClient = account.client.hiding(secrets);
    const limitMs = limitSeconds && limitSeconds * 1_000;
    return {
      client: limitMs === undefined ? unlimitedClient : unlimitedClient.within(limitMs),
      unlimitedClient,
      limitMs,
      resource,
      described: describeResource(this.name, resource),
      stack: caller.stack,
      say: (line) => caller.say(line),
      warn: (message, code) => caller.say(withCode(message, code), "warning"),
    };
  }
}

function serviceOf({ settings, client }: Account): string | undefined {
  return serviceName(settings.baseUrl, client.emulatorId);
}

/** What limits the operation, for messages: the host's own limit wins. */
function limitName(operation: string, isOfHost: boolean, isDeclared: boolean): string | undefined {
  if (isOfHost) {
    return `the option customTimeouts.${operation}`;
  }
  return isDeclared ? `timeouts.${operation}` : undefined;
}

function limitOf({ timeouts }: CommonState, operation: LimitedOperation | "read" | "import"): number | undefined {
  return operation === "read" || operation === "import" ? undefined : timeouts?.[operation];
}
