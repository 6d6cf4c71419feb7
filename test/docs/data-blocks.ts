// Checks blocks of JSON and YAML: they parse, and a file of a known kind has only keys that it can have.
// A fault rule of the emulator is one that the emulator accepts.

import { parseAllDocuments } from "yaml";
import { configNamespace, settingNames } from "../../provider/config";
import { faultRuleSchema } from "../../provider/emulator/faults";
import { annotationOf, type CodeBlock, placeOf } from "./code-blocks";

/** Keys that a file can have. `true` allows any value. */
interface Keys {
  readonly [key: string]: true | Keys;
}

const yamlFiles: Readonly<Record<string, Keys>> = {
  "Pulumi.yaml": {
    name: true,
    runtime: true,
    description: true,
    main: true,
    author: true,
    website: true,
    license: true,
    stackConfigDir: true,
    backend: { url: true },
    options: { refresh: true },
    template: true,
    plugins: true,
    packages: true,
    config: true,
    // The program itself, in YAML.
    resources: true,
    variables: true,
    outputs: true,
  },
  "Pulumi.STACK.yaml": { config: true, secretsprovider: true, encryptionsalt: true, environment: true },
  "a workflow of GitHub": {
    name: true,
    "run-name": true,
    on: true,
    permissions: true,
    env: true,
    defaults: true,
    concurrency: true,
    jobs: true,
  },
  "a file of GitLab CI": { include: true, stages: true, variables: true, workflow: true, default: true },
};

const jsonFiles: Readonly<Record<string, Keys>> = {
  "package.json": {
    name: true,
    version: true,
    private: true,
    type: true,
    main: true,
    scripts: true,
    engines: true,
    overrides: true,
    dependencies: true,
    devDependencies: true,
    peerDependencies: true,
  },
  "tsconfig.json": { extends: true, compilerOptions: true, include: true, exclude: true, files: true },
};

/** Returns what is wrong with a block of JSON or YAML. Blocks in other languages have no problems. */
export function dataProblems(block: CodeBlock): string[] {
  if (!["json", "yaml"].includes(block.language) || annotationOf(block, "source") !== undefined) {
    return [];
  }
  const place = placeOf(block);
  let values: unknown[];
  try {
    values = block.language === "json" ? [JSON.parse(block.code)] : parseYaml(block.code);
  } catch (error) {
    return [`${place}: This ${block.language} does not parse: ${error instanceof Error ? error.message : error}`];
  }
  const files = block.language === "json" ? jsonFiles : yamlFiles;
  return values.flatMap((value) => {
    if (faultRuleSchema.safeParse(value).success) {
      return [];
    }
    const problems = Object.values(files).map((keys) => unknownKeys(value, keys));
    const fits = problems.some((unknown) => unknown.length === 0);
    const closest = Object.keys(files)[problems.indexOf(shortest(problems))];
    return fits
      ? unknownSettings(value).map((key) => `${place}: There is no setting ${key}.`)
      : [
          `${place}: ${closest} has no key ${shortest(problems).join(", ")}. Correct it. If it exists, or the block shows ` +
            "another kind of file, add it to test/docs/data-blocks.ts.",
        ];
  });
}

function parseYaml(code: string): unknown[] {
  return parseAllDocuments(code).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      throw problem;
    }
    return document.toJS();
  });
}

function unknownKeys(value: unknown, keys: Keys, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [`${path || "(top level)"} (a list or a plain value)`];
  }
  return Object.entries(value).flatMap(([key, inner]) => {
    const allowed = keys[key];
    if (allowed === undefined) {
      return [`${path}${key}`];
    }
    return allowed === true ? [] : unknownKeys(inner, allowed, `${path}${key}.`);
  });
}

/** Returns the keys below `agb:` in a stack's configuration that are no settings of the provider. */
function unknownSettings(value: unknown): string[] {
  const config = (value as { config?: Record<string, unknown> }).config ?? {};
  const known: string[] = Object.values(settingNames).map(({ key }) => key);
  return Object.keys(config).filter((key) => key.startsWith(`${configNamespace}:`) && !known.includes(key));
}

function shortest<T>(lists: readonly T[][]): T[] {
  return lists.reduce((best, list) => (list.length < best.length ? list : best));
}
