import ts from "typescript";

/** Types that stand for the type in them: a program may pass a value or an output of it. */
const wrappers = ["pulumi.Input", "pulumi.Output", "DeepInputs", "Partial"];

const plurals: Readonly<Record<string, string>> = {
  string: "strings",
  number: "numbers",
  boolean: "booleans",
  object: "objects",
};

/** Describes a type in words, such as "list of strings". Types that are no plain data are shown as they are written. */
export function typeWords(node: ts.TypeNode, source: ts.SourceFile): string {
  const words = (inner: ts.TypeNode) => typeWords(inner, source);
  if (ts.isParenthesizedTypeNode(node) || ts.isTypeOperatorNode(node)) {
    return words(node.type);
  }
  if (ts.isUnionTypeNode(node)) {
    const parts = node.types.filter((part) => part.kind !== ts.SyntaxKind.UndefinedKeyword).map(words);
    return alternatives(parts);
  }
  if (ts.isArrayTypeNode(node)) {
    return `list of ${plural(words(node.elementType))}`;
  }
  if (ts.isLiteralTypeNode(node)) {
    return `\`${node.getText(source)}\``;
  }
  if (ts.isIndexedAccessTypeNode(node)) {
    return constantWords(node, source);
  }
  if (ts.isTypeReferenceNode(node)) {
    const name = node.typeName.getText(source);
    const [first, last] = [node.typeArguments?.at(0), node.typeArguments?.at(-1)];
    if (first !== undefined && (wrappers.includes(name) || name === "Readonly")) {
      return words(first);
    }
    if (name === "Record" && last !== undefined) {
      return `map of ${plural(words(last))}`;
    }
    // Names of operations and the like are unions of strings.
    return name === "pulumi.ID" || name.endsWith("Name") ? "string" : "object";
  }
  if (ts.isFunctionTypeNode(node)) {
    return `\`${node.getText(source)}\``;
  }
  return node.kind === ts.SyntaxKind.UnknownKeyword ? "any value" : node.getText(source);
}

function plural(words: string): string {
  return plurals[words] ?? words;
}

/** The values of a type such as `(typeof uploadModes)[number]`, from the list in the same file. */
function constantWords(node: ts.IndexedAccessTypeNode, source: ts.SourceFile): string {
  const name = node.objectType
    .getText(source)
    .replace(/[()]|typeof/g, "")
    .trim();
  const list = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((declaration) => declaration.name.getText(source) === name)?.initializer;
  const values = list !== undefined && ts.isAsExpression(list) ? list.expression : undefined;
  if (values === undefined || !ts.isArrayLiteralExpression(values)) {
    throw new Error(`${source.fileName}: ${name} is no list of constants`);
  }
  return alternatives(values.elements.map((element) => `\`${element.getText(source)}\``));
}

function alternatives(all: readonly string[]): string {
  const parts = [...new Set(all)];
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} or ${parts.at(-1)}`;
}
