import { readFileSync } from "node:fs";
import ts from "typescript";

/** One option, from its declaration and the comment above it. */
export interface OptionRow {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly defaultValue: string;
}

/**
 * Reads the options from the interface that declares them.
 *
 * @throws Error when the file has no such interface, or an option has no @default
 */
export function readOptions(path: string, interfaceName: string): OptionRow[] {
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const declaration = source.statements.find(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
  );
  if (declaration === undefined) {
    throw new Error(`${path} declares no interface ${interfaceName}`);
  }
  return declaration.members.filter(ts.isPropertySignature).map((member) => {
    const name = member.name.getText(source);
    const [comment] = ts.getJSDocCommentsAndTags(member).filter(ts.isJSDoc);
    const tag = comment?.tags?.find((other) => other.tagName.text === "default");
    const description = oneLine(ts.getTextOfJSDocComment(comment?.comment));
    const defaultValue = oneLine(ts.getTextOfJSDocComment(tag?.comment));
    if (defaultValue === "") {
      throw new Error(`${path}: ${name} has no @default`);
    }
    return { name, type: oneLine(member.type?.getText(source)), description, defaultValue };
  });
}

function oneLine(text: string | undefined): string {
  return (text ?? "").replace(/\s+/g, " ").trim();
}
