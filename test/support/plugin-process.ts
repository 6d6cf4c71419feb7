import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { closeAfterTest } from "./close-after-test";
import { type EmulatedEngine, PluginClient, startEngine } from "./plugin-client";
import { writePlugin } from "./plugin-file";

/** The program that the engine starts, built as users get it. */
export interface PluginProcess {
  readonly plugin: PluginClient;
  readonly engine: EmulatedEngine;
  /** What the process has written to its output, with the line of its port. */
  stdout(): string;
  /** What the process has written to its error stream so far. */
  stderr(): string;
  /** Ends the standard input, as the death of the engine does. */
  endInput(): void;
  /** Sends the process a signal. */
  signal(name: NodeJS.Signals): void;
  /** Waits until the process has ended. @returns its exit code, or the name of the signal that ended it */
  ended(): Promise<number | NodeJS.Signals | null>;
  /** Ends the process and waits for the last of its output. */
  close(): Promise<void>;
}

/** How a plugin is started. */
export interface PluginStart {
  /** Default: the address of the engine, as the engine passes it. */
  readonly parameters?: readonly string[];
  /** Its standard input. Default: a pipe, as the engine gives it. */
  readonly input?: "ignore" | "pipe";
}

/** Starts a plugin without a configuration. It ends with the test. */
export async function startPluginProcess(
  environment: Readonly<Record<string, string>>,
  { parameters, input = "pipe" }: PluginStart = {},
): Promise<PluginProcess> {
  const engine = await startEngine();
  const program = join(await buildPluginFolder(), "pulumi-resource-agb");
  const child = spawn(process.execPath, [program, ...(parameters ?? [engine.address])], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: [input as "pipe", "pipe", "pipe"],
  });
  const exit = once(child, "close");
  const close = async () => {
    child.kill("SIGKILL");
    await exit;
  };
  closeAfterTest({ close });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      written[stream] += text;
    });
  }
  const port = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([line]) => Number(line)),
    exit.then(() => {
      throw new Error(`the plugin ended before it named its port: ${written.stderr}`);
    }),
  ]);
  return {
    plugin: PluginClient.connect(port, engine),
    engine,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    endInput: () => void child.stdin?.end(),
    signal: (name) => void child.kill(name),
    ended: async () => {
      await exit;
      return child.exitCode ?? child.signalCode;
    },
    close,
  };
}

/** Builds the plugin into a folder that is deleted after the test. @returns the folder */
async function buildPluginFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agb-plugin-"));
  closeAfterTest({ close: () => rm(folder, { recursive: true, force: true }) });
  await writePlugin(folder);
  return folder;
}
