import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { repositoryRoot } from "./node-process";

/** A piece of a string in the source. */
export interface SourceLiteral {
  /** Path in the repository. */
  readonly file: string;
  readonly text: string;
}

/** All TypeScript files below these folders, or the files themselves, as paths in the repository. */
export function sourceFiles(places: readonly string[]): string[] {
  return places.flatMap((place) =>
    place.endsWith(".ts")
      ? [place]
      : readdirSync(join(repositoryRoot, place), { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".ts"))
          .map((name) => relative(repositoryRoot, join(repositoryRoot, place, name))),
  );
}

/**
 * The strings of source files, with a template's fixed parts one by one. Leaves out imports, types, comments and what only
 * the reference page shows of properties and settings.
 */
export function literalsIn(files: readonly string[]): SourceLiteral[] {
  return files.flatMap((file) => {
    const source = ts.createSourceFile(
      file,
      readFileSync(join(repositoryRoot, file), "utf8"),
      ts.ScriptTarget.Latest,
      true,
    );
    const found: SourceLiteral[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) || ts.isLiteralTypeNode(node)) {
        return;
      }
      if (ts.isPropertyAssignment(node) && isDocumentation(node)) {
        return;
      }
      if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
        found.push({ file, text: node.text });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}

function isDocumentation({ name, initializer, parent }: ts.PropertyAssignment): boolean {
  const isDescribed = parent.properties.some((property) => property.name?.getText() === "description");
  // The type of a property is a schema with messages of its own, that of a setting is words.
  const isWords = ["description", "example"].includes(name.getText()) || ts.isStringLiteralLike(initializer);
  return isDescribed && isWords && ["description", "example", "type"].includes(name.getText());
}

/** Whether a string is prose: two words that follow each other. */
export function isProse(text: string): boolean {
  return /[A-Za-z]{2,}[,;:.)`'"]* [("'`]*[A-Za-z]{2,}/.test(text);
}
