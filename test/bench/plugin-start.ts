// `npm run bench:plugin [-- --rounds N]` measures how long the plugin takes from the start of its process to its port: as separate
// files in Node, as a bundle in Node, from the archive through its launcher, and as an executable.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { bundlePlugin } from "../../tools/plugin/bundle";
import { buildExecutable } from "../../tools/plugin/single-executable";
import { formatRange, median } from "./statistics";
import { formatTable } from "./table";

const root = join(__dirname, "..", "..");

async function runBenchmark(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "15" } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error("--rounds must be a whole number, 1 or more");
  }
  // In the repository, where the separate files find their packages.
  await mkdir(join(root, "dist-plugin"), { recursive: true });
  const folder = await mkdtemp(join(root, "dist-plugin", "bench-"));
  try {
    const subjects = await prepare(folder);
    const times = new Map(subjects.map(({ name }) => [name, [] as number[]]));
    // The first start reads files that are not cached yet.
    for (const { command } of subjects) {
      await timeStart(command);
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, command } of round % 2 === 0 ? subjects : [...subjects].reverse()) {
        times.get(name)?.push(await timeStart(command));
      }
    }
    const plain = median(times.get(subjects[0]?.name ?? "") ?? []);
    const rows = [...times].map(([name, each]) => [
      name,
      `${median(each).toFixed(2)} s (${formatRange(each)})`,
      (median(each) / plain).toFixed(2),
    ]);
    console.log(`${rounds} rounds, load average ${loadavg()[0]?.toFixed(2)} at the end\n`);
    console.log(formatTable([["start to port", "median (spread)", "ratio"], ...rows]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Subject {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

async function prepare(folder: string): Promise<Subject[]> {
  const plain = join(folder, "plain");
  const define = { PLUGIN_VERSION: '"0.0.0"', PLUGIN_SCHEMA: '"{}"' };
  const settings = { platform: "node", format: "cjs", target: "node20", outdir: plain, define } as const;
  await build({ ...settings, entryPoints: [join(root, "provider/**/*.ts")], logLevel: "error" });
  const code = await bundlePlugin();
  await cp(join(root, "tools", "plugin", "launcher"), folder, { recursive: true });
  const bundle = join(folder, "pulumi-resource-agb.cjs");
  await writeFile(bundle, code);
  const executable = join(folder, "executable");
  await writeFile(executable, await buildExecutable(code), { mode: 0o755 });
  return [
    { name: "separate files", command: [process.execPath, join(plain, "plugin", "main.js")] },
    { name: "bundle", command: [process.execPath, bundle] },
    { name: "bundle through its launcher", command: [join(folder, "pulumi-resource-agb")] },
    { name: "executable", command: [executable] },
  ];
}

/** Returns seconds. */
async function timeStart([program, ...parameters]: Subject["command"]): Promise<number> {
  const start = performance.now();
  const child = spawn(program, parameters, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "close");
  const first = await Promise.race([once(child.stdout, "data"), exit]);
  const seconds = (performance.now() - start) / 1_000;
  if (!/^\d+\s*$/.test(String(first[0])) || child.exitCode !== null) {
    throw new Error(`${program} ended before it printed a port`);
  }
  child.stdin.end();
  await exit;
  return seconds;
}

runBenchmark().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
