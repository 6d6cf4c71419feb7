import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Emulator } from "../../provider/emulator";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { floorPackageName, writeFloorPackage } from "./floor-package";

const nodeModules = join(__dirname, "..", "..", "node_modules");

/** What is measured: this package or the floor. */
export type SubjectName = "agb" | "floor";

/** The three labels of each session. */
export const benchLabels = { project: "shop", environment: "bench", team: "storefront" };

/** Returns a program that declares `count` sessions with the labels, from either package. */
export function benchProgram(
  subject: SubjectName,
  count: number,
  labels: Record<string, string> = benchLabels,
): string {
  return `
    const { AgbSession } = require(${JSON.stringify(subject === "agb" ? "pulumi-agb" : floorPackageName)});
    const labels = ${JSON.stringify(labels)};
    for (let number = 1; number <= ${count}; number++) {
      new AgbSession("session-" + String(number).padStart(3, "0"), { imageId: "agb-code-space-1", labels });
    }
  `;
}

/** Creates a project with an empty stack for the program. Both subjects load their package in the same way. */
export function createBenchProject(subject: SubjectName, count: number, emulator: Emulator): Promise<PulumiProject> {
  return createPulumiProject({
    files: javascriptFiles(benchProgram(subject, count)),
    environment: { AGB_API_KEY: "bench-key", AGB_ENDPOINT: emulator.url },
    async install(projectDirectory) {
      const target = join(projectDirectory, "node_modules");
      await mkdir(join(target, "@pulumi"), { recursive: true });
      await Promise.all([
        symlink(join(nodeModules, "@pulumi", "pulumi"), join(target, "@pulumi", "pulumi"), "junction"),
        symlink(join(nodeModules, "pulumi-agb"), join(target, "pulumi-agb"), "junction"),
        writeFloorPackage(target),
      ]);
    },
  });
}
