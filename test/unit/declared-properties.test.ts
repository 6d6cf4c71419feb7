import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeclarable } from "../../provider/kinds/check";
import { commandProperties } from "../../provider/kinds/command";
import { contextProperties } from "../../provider/kinds/context";
import type { PropertiesOfKind } from "../../provider/kinds/kind";
import { sessionProperties } from "../../provider/kinds/session";
import { repositoryRoot } from "../support/node-process";

// Kinds declare each property once. TypeScript's hover text needs a copy beside the class, which these tests hold to it.

const classes: readonly (readonly [string, PropertiesOfKind])[] = [
  ["agb-session.ts", sessionProperties],
  ["agb-context.ts", contextProperties],
  ["agb-command.ts", commandProperties],
];

/** The comments of fields, by name, from one block of a source file. */
function documentedFields(file: string, heading: RegExp): Map<string, string> {
  const source = readFileSync(join(repositoryRoot, "provider", "resources", file), "utf8");
  const block = source.slice(source.search(heading)).split(/^}/m)[0] ?? "";
  const fields = block.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s+(?:declare )?readonly (\w+)/g);
  return new Map(
    [...fields].map(([, comment = "", name = ""]) => [name, comment.replaceAll(/\s+\*?\s*/g, " ").trim()]),
  );
}

describe.each(classes)("%s", (file, properties) => {
  const declared = Object.entries(properties).filter(([, property]) => isDeclarable(property));

  test("takes the arguments that its kind declares", () => {
    const fields = documentedFields(file, /^export interface Agb\w+Args /m);
    expect([...fields.keys()].sort()).toEqual(declared.map(([name]) => name).sort());
  });

  test.each(declared.map(([name, { description }]) => [name, description] as const))(
    "says of the argument %s what its kind says",
    (name, description) => {
      const comment = documentedFields(file, /^export interface Agb\w+Args /m).get(name);
      expect(comment?.slice(0, description.length - 1)).toBe(description.replace(/\.$/, ""));
    },
  );

  test("has outputs that the state of its kind holds", () => {
    const fields = documentedFields(file, /^export class /m);
    // "agb-session.ts" has the id of the session as `sessionId`.
    const idName = file.replace(/^agb-(.*)\.ts$/, "$1Id");
    const own = [...fields.keys()].filter((name) => name !== idName);
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(own));
    expect(own.length).toBeGreaterThan(0);
  });
});
