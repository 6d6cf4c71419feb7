import ts from "typescript";

/**
 * Blanks the descriptions of settings, and the descriptions and examples of the properties that a resource kind declares. They
 * are for the reference page and for editors, so the package needs them in its declarations only. Lines stay where they are.
 *
 * @param source the text of a file in `provider/kinds`, or of `provider/config.ts`
 */
export function blankDocumentation(source: string): string {
  let blanked = source;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && isDocumentation(node)) {
      const end = source[node.end] === "," ? node.end + 1 : node.end;
      const blank = source.slice(node.getStart(), end).replaceAll(/[^\n]/g, " ");
      blanked = blanked.slice(0, node.getStart()) + blank + blanked.slice(end);
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("kind.ts", source, ts.ScriptTarget.ES2022, true));
  return blanked;
}

/** Whether it describes a property, an object that also says what a change does, or a setting, which has a variable. */
function isDocumentation({ name, parent }: ts.PropertyAssignment): boolean {
  const names = parent.properties.map((property) => property.name?.getText());
  const isDescription = name.getText() === "description";
  return names.includes("change")
    ? isDescription || name.getText() === "example"
    : isDescription && names.includes("variable");
}
