import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CodedError } from "../messages/coded-error";

const fileNames = ["Pulumi.yaml", "Pulumi.yml"];

/** Name of the Pulumi project in a folder; `undefined` when there is none. */
export async function readProjectName(directory: string): Promise<string | undefined> {
  for (const fileName of fileNames) {
    const text = await readFile(join(directory, fileName), "utf8").catch(() => "");
    const name = /^name:\s*["']?([\w.-]+)/m.exec(text)?.[1];
    if (name !== undefined) {
      return name;
    }
  }
  return undefined;
}

/** Name of the Pulumi project in a folder. @throws CodedError when there is none */
export async function requireProjectName(directory: string): Promise<string> {
  const name = await readProjectName(directory);
  if (name === undefined) {
    throw new CodedError(
      "This folder has no Pulumi project: Pulumi.yaml is missing or has no `name`. Run this in the folder of the project.",
      "AGB601",
    );
  }
  return name;
}
