import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Emulator } from "../../provider/emulator";
import {
  findMissingForLanguage,
  type PluginLanguage,
  type PluginProjects,
  prepareProjects,
} from "../support/plugin-languages";
import { createPulumiProject, javascriptFiles, type PulumiProject } from "../support/pulumi-project";
import { floorPackageName, writeFloorPackage } from "./floor-package";

const nodeModules = join(__dirname, "..", "..", "node_modules");

type Labels = Readonly<Record<string, string>>;
type WriteProgram = (count: number, labels: Labels) => Readonly<Record<string, string>>;

/** Something that is measured. It has a column in each table. */
interface SubjectDeclaration {
  /** Returns the files of a program that declares `count` sessions with the labels. */
  readonly program: WriteProgram;
  /** Resources of a stack besides its sessions. One is the stack itself. */
  readonly otherResources: number;
  /** The language of a program for the plugin. Without it, the program uses a package with a dynamic resource. */
  readonly pluginLanguage?: PluginLanguage;
}

const declarations = {
  floor: { program: nodeProgram(floorPackageName, "AgbSession"), otherResources: 1 },
  // The package declares the stack's identity.
  "pulumi-agb": { program: nodeProgram("pulumi-agb", "AgbSession"), otherResources: 2 },
  "plugin, TypeScript": {
    program: nodeProgram("@pulumi/agb", "Session"),
    otherResources: 1,
    pluginLanguage: "TypeScript",
  },
  "plugin, YAML": { program: yamlProgram, otherResources: 1, pluginLanguage: "YAML" },
} as const satisfies Record<string, SubjectDeclaration>;

/** The title of a subject's column. */
export type SubjectName = keyof typeof declarations;

/** All subjects, in the order of their columns. */
export const subjectNames = Object.keys(declarations) as SubjectName[];

/** The subjects that are compared with the floor, which calls no API. */
export const comparedNames = subjectNames.filter((name) => name !== "floor");

/** The subjects that this computer cannot measure, and why. */
export function findMissingSubjects(): Map<SubjectName, string> {
  const missing = new Map<SubjectName, string>();
  for (const name of subjectNames) {
    const { pluginLanguage }: SubjectDeclaration = declarations[name];
    const reason = pluginLanguage && findMissingForLanguage(pluginLanguage);
    if (reason !== undefined) {
      missing.set(name, reason);
    }
  }
  return missing;
}

/** A subject that is ready to be measured. */
export interface Subject {
  readonly name: SubjectName;
  /** Resources of a stack besides its sessions. */
  readonly otherResources: number;
  /** Creates a project with an empty stack for `count` sessions with three labels. The caller must close it. */
  createProject(count: number, emulator: Emulator): Promise<PulumiProject>;
  /** Changes one label of each session in the program. */
  editLabel(project: PulumiProject, count: number): Promise<void>;
  /** Removes what its projects share. */
  close(): Promise<void>;
}

/** Builds what the projects of a subject share. */
export async function prepareSubject(name: SubjectName): Promise<Subject> {
  const { program, otherResources, pluginLanguage }: SubjectDeclaration = declarations[name];
  const projects = await (pluginLanguage === undefined ? dynamicProjects : prepareProjects(pluginLanguage));
  const labels = { project: "shop", environment: "bench", team: "storefront" };
  return {
    name,
    otherResources,
    createProject: (count, emulator) =>
      projects.createProject({
        files: program(count, labels),
        environment: { AGB_API_KEY: "bench-key", AGB_ENDPOINT: emulator.url },
      }),
    async editLabel(project, count) {
      for (const [file, text] of Object.entries(program(count, { ...labels, team: "search" }))) {
        await project.write(file, text);
      }
    },
    close: projects.close,
  };
}

/** Projects in which the floor and the npm package are loaded in the same way. */
const dynamicProjects: PluginProjects = {
  createProject: (options) =>
    createPulumiProject({
      ...options,
      async install(projectDirectory) {
        const target = join(projectDirectory, "node_modules");
        await mkdir(join(target, "@pulumi"), { recursive: true });
        await Promise.all([
          symlink(join(nodeModules, "@pulumi", "pulumi"), join(target, "@pulumi", "pulumi"), "junction"),
          symlink(join(nodeModules, "pulumi-agb"), join(target, "pulumi-agb"), "junction"),
          writeFloorPackage(target),
        ]);
      },
    }),
  close: async () => {},
};

/** JavaScript, because Pulumi would check the types of TypeScript in each run. */
function nodeProgram(packageName: string, className: string): WriteProgram {
  return (count, labels) =>
    javascriptFiles(`
      const { ${className} } = require(${JSON.stringify(packageName)});
      const labels = ${JSON.stringify(labels)};
      for (let number = 1; number <= ${count}; number++) {
        new ${className}("session-" + String(number).padStart(3, "0"), { imageId: "agb-code-space-1", labels });
      }
    `);
}

/** YAML has no loops, so the program declares each session. The project's name is part of each URN, so it is the same. */
function yamlProgram(count: number, labels: Labels): Readonly<Record<string, string>> {
  const sessions = Array.from({ length: count }, (_, index) => [
    `  session-${String(index + 1).padStart(3, "0")}:`,
    "    type: agb:Session",
    "    properties:",
    "      imageId: agb-code-space-1",
    `      labels: ${JSON.stringify(labels)}`,
  ]);
  const head = ["name: engine-test", "runtime: yaml", "options:", "  refresh: always", "resources:"];
  return { "Pulumi.yaml": `${[...head, ...sessions.flat()].join("\n")}\n` };
}
