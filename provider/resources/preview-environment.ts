import * as pulumi from "@pulumi/pulumi";
import { appFolder, overheadSeconds, startAppScript, stopAppScript } from "../lifecycle/app-scripts";
import { previewEnvironmentType } from "../type-tokens";
import { AgbCommand } from "./agb-command";
import { AgbContext } from "./agb-context";
import { AgbFile } from "./agb-file";
import { AgbSession } from "./agb-session";
import { withoutUndefined } from "./given-values";
import { isLater } from "./later-values";
import { checkedLater, refuseWrongArguments } from "./preview-arguments";
import { cacheName } from "./preview-cache";
import type {
  PreviewAppArgs,
  PreviewCacheArgs,
  PreviewEnvironmentArgs,
  PreviewSetupCommand,
} from "./preview-environment-args";
import { withFacts } from "./preview-labels";

const defaultIdleTimeoutSeconds = 1_800;
const defaultStartTimeoutSeconds = 60;

/**
 * A preview environment: a labelled session with files, commands that prepare it, and an app that runs in it.
 *
 * The app is a process that goes on when `pulumi up` has ended. The `up` waits until the app answers, and fails with the end of
 * its log if it does not. When a file, a command or a variable changes, the next `up` restarts the app. When nothing changes, it
 * goes on. When AGB has released the session, the next `up` recreates everything, and the files of `cache` are there again.
 *
 * Pulumi does not notice an app that ends later. `pulumi-agb preview-environment up` asks the app through AGB's link before and
 * after an update, and restarts one that does not answer. By hand: `pulumi up --replace URN`, with the URN of the app's command.
 *
 * The component sets the labels `project`, `environment` (`pr-` and the request's number, or the stack's name), `request` and
 * `commit`. It takes the last two from `preview:request` and `preview:commit` of the configuration, which CI jobs set.
 *
 * @example
 * import * as pulumi from "@pulumi/pulumi";
 * import { PreviewEnvironment } from "pulumi-agb";
 *
 * const preview = new PreviewEnvironment("preview", {
 *   imageId: "agb-code-space-1",
 *   files: { "/home/user/app": new pulumi.asset.FileArchive("./app") },
 *   setup: ["npm ci"],
 *   app: {
 *     command: "node server.js",
 *     workingDirectory: "/home/user/app",
 *     port: 30100,
 *     healthPath: "/health",
 *   },
 * });
 *
 * export const sessionId = preview.sessionId;
 */
export class PreviewEnvironment extends pulumi.ComponentResource {
  /** The session, for further files, commands and links. */
  readonly session: AgbSession;
  /** AGB's id of the session. */
  readonly sessionId: pulumi.Output<string>;
  /** The declared labels and those of the component. */
  readonly labels: pulumi.Output<Record<string, string>>;
  readonly #app: AgbCommand;
  readonly #port: number;

  /**
   * @param name name of the resource, unique in the stack. The names of its parts begin with it
   * @throws RunError that lists everything that is wrong with the arguments; nothing of it was created then
   */
  constructor(name: string, args: PreviewEnvironmentArgs, opts: pulumi.ComponentResourceOptions = {}) {
    refuseWrongArguments(name, args);
    super(previewEnvironmentType, name, {}, opts);
    const { imageId, labels, idleTimeoutSeconds = defaultIdleTimeoutSeconds, policyId, keepAlive, cache, app } = args;
    const { port, healthPath = "/" } = app;
    const child = { parent: this };
    this.session = new AgbSession(
      `${name}-session`,
      {
        imageId,
        labels: withFacts(labels),
        idleTimeoutSeconds,
        ...(policyId !== undefined && { policyId }),
        ...(keepAlive !== undefined && { keepAlive }),
        ...(cache !== undefined && { contextSyncs: [{ contextId: contextOf(this, name, cache), path: cache.path }] }),
      },
      child,
    );
    this.sessionId = this.session.sessionId;
    this.labels = this.session.labels;
    const files = declareFiles(name, args.files ?? {}, this.sessionId, child);
    const before: pulumi.Input<unknown>[] = files.size > 0 ? [hashesOf(files)] : [];
    const done: pulumi.Resource[] = [...files.values()];
    for (const [index, entry] of (args.setup ?? []).entries()) {
      const { command, ...more } = setupCommand(entry);
      const spec = { ...(app.workingDirectory !== undefined && { workingDirectory: app.workingDirectory }), ...more };
      const step = new AgbCommand(
        `${name}-setup-${index + 1}`,
        { sessionId: this.sessionId, create: command, ...spec, triggers: [...before] },
        { ...child, dependsOn: [...done] },
      );
      before.push({ command, workingDirectory: spec.workingDirectory, environment: spec.environment });
      done.push(step);
    }
    this.#port = port;
    this.#app = new AgbCommand(
      `${name}-app`,
      { sessionId: this.sessionId, ...appCommand(name, app, healthPath), triggers: before },
      { ...child, dependsOn: done },
    );
    const previewApp = {
      sessionId: this.sessionId,
      port,
      healthPath,
      command: this.#app.urn,
      log: `${appFolder}/log`,
    };
    this.registerOutputs({ sessionId: this.sessionId, labels: this.labels, previewApp });
  }

  /**
   * AGB's link to the app, once the app answers. The program asks for it when it first reads this field. It holds a token, so it
   * is secret, and it is another one in each run: do not export it from programs that run in CI.
   */
  get url(): pulumi.Output<string> {
    return pulumi.secret(this.#app.id.apply(() => this.session.link(this.#port)));
  }
}

/** The context of a component: its own, or the one that it is given. */
function contextOf(
  component: PreviewEnvironment,
  componentName: string,
  { name, contextId, adopt = name === undefined, forceDestroy = true }: PreviewCacheArgs,
): pulumi.Input<string> {
  if (contextId !== undefined) {
    return contextId;
  }
  const ownName = name ?? cacheName(component, componentName);
  const args = { name: ownName, adopt, forceDestroy };
  return new AgbContext(`${componentName}-cache`, args, { parent: component }).contextId;
}

/** Declares the files in the order of their paths, so that another order in the program is no change. */
function declareFiles(
  component: string,
  files: NonNullable<PreviewEnvironmentArgs["files"]>,
  sessionId: pulumi.Input<string>,
  child: pulumi.CustomResourceOptions,
): ReadonlyMap<string, AgbFile> {
  const declared = new Map<string, AgbFile>();
  const given = Object.entries(withoutUndefined(files));
  for (const [path, source] of given.sort(([one], [other]) => (one < other ? -1 : 1))) {
    // A file may come from the archive of a folder above. The folder's update deletes it there, so it must be done first.
    const above = [...declared].filter(([folder]) => path.startsWith(`${folder}/`)).map(([, file]) => file);
    const options = { ...child, dependsOn: above };
    declared.set(path, new AgbFile(`${component}-file${path}`, { sessionId, source, path }, options));
  }
  return declared;
}

/** What changes when a file changes, moves, comes or goes. */
function hashesOf(files: ReadonlyMap<string, AgbFile>): Readonly<Record<string, pulumi.Output<string>>> {
  return Object.fromEntries([...files].map(([path, { contentHash }]) => [path, contentHash]));
}

function setupCommand(entry: pulumi.Input<string> | PreviewSetupCommand): PreviewSetupCommand {
  return typeof entry === "string" || isLater(entry) ? { command: entry } : withoutUndefined(entry);
}

function appCommand(component: string, app: PreviewAppArgs, healthPath: string) {
  const { port, workingDirectory, environment, startTimeoutSeconds = defaultStartTimeoutSeconds } = app;
  const command = checkedLater(component, "command", app.command);
  const start = (known: string) => startAppScript({ command: known, port, healthPath, startTimeoutSeconds });
  return {
    create: isLater(command) ? pulumi.output(command).apply(start) : start(command),
    delete: stopAppScript,
    // The app gets its environment, and nothing of an earlier start.
    addPreviousOutputInEnv: false,
    ...(environment !== undefined && { environment: checkedLater(component, "environment", environment) }),
    ...(workingDirectory !== undefined && { workingDirectory }),
    timeoutSeconds: startTimeoutSeconds + overheadSeconds,
  };
}
