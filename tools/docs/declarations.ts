import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { typeWords } from "./type-words";

const provider = join(__dirname, "..", "..", "provider");

/** What the comment above a declaration says. */
export interface Documentation {
  /** Paragraphs, with an empty line between them. */
  readonly text: string;
  /** The text of `@default`; an empty string when there is none. */
  readonly defaultValue: string;
  /** The code of `@example`; an empty string when there is none. */
  readonly example: string;
  /** The text of `@throws`; an empty string when there is none. */
  readonly throws: string;
  readonly parameters: readonly { readonly name: string; readonly text: string }[];
}

/** A field of an interface or of a class. */
export interface Field extends Documentation {
  readonly name: string;
  /** Its type in words, such as "list of strings". */
  readonly type: string;
  /** Its type as it is written. */
  readonly code: string;
  readonly isRequired: boolean;
  /** All names in its type, such as that of an interface that describes its value. */
  readonly typeNames: readonly string[];
}

/** A method of an interface or a class, or a getter. */
export interface Method extends Documentation {
  readonly name: string;
  /** Such as `close(): Promise<void>`. */
  readonly code: string;
}

/** The declarations of one file of the provider, as the compiler reads them. */
export class Declarations {
  readonly #source: ts.SourceFile;

  /** @param path below `provider/`, such as `resources/agb-session.ts` */
  constructor(readonly path: string) {
    const file = join(provider, path);
    this.#source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  }

  /** Whether the file declares an interface of this name. */
  hasInterface(name: string): boolean {
    return this.#statements(ts.isInterfaceDeclaration).some((declaration) => declaration.name.text === name);
  }

  /** The comment of a class, function, interface or constant. */
  documentation(name: string): Documentation {
    return documentationOf(this.#find(name));
  }

  /** The fields of an interface or a class, in their order. */
  fields(name: string): Field[] {
    const declaration = this.#find(name);
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) {
      throw new Error(`${this.path}: ${name} has no fields`);
    }
    const members: readonly ts.Node[] = declaration.members;
    return members
      .filter((member) => ts.isPropertySignature(member) || ts.isPropertyDeclaration(member))
      .filter((member) => !isPrivate(member))
      .map((member) => ({
        name: member.name.getText(this.#source),
        type: member.type === undefined ? "" : typeWords(member.type, this.#source),
        code: oneLine(member.type?.getText(this.#source)),
        isRequired: member.questionToken === undefined,
        typeNames: oneLine(member.type?.getText(this.#source)).match(/\b[A-Z]\w+/g) ?? [],
        ...documentationOf(member),
      }));
  }

  /** The methods of an interface, in their order. */
  methods(name: string): Method[] {
    const declaration = this.#find(name);
    if (!ts.isInterfaceDeclaration(declaration)) {
      throw new Error(`${this.path}: ${name} is no interface`);
    }
    return declaration.members.filter(ts.isMethodSignature).map((member) => ({
      name: member.name.getText(this.#source),
      code: oneLine(member.getText(this.#source).replace(/;$/, "")),
      ...documentationOf(member),
    }));
  }

  /** The getters and methods of a class, in their order, with how a program writes each. */
  members(name: string): Method[] {
    const declaration = this.#find(name);
    if (!ts.isClassDeclaration(declaration)) {
      throw new Error(`${this.path}: ${name} is no class`);
    }
    return declaration.members
      .filter((member) => ts.isGetAccessorDeclaration(member) || ts.isMethodDeclaration(member))
      .filter((member) => !member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword))
      .map((member) => {
        const parameters = member.parameters.map((parameter) => oneLine(parameter.getText(this.#source)));
        const called = ts.isMethodDeclaration(member) ? `(${parameters.join(", ")})` : "";
        const memberName = member.name.getText(this.#source);
        return {
          name: memberName,
          code: `${memberName}${called}: ${oneLine(member.type?.getText(this.#source))}`,
          ...documentationOf(member),
        };
      });
  }

  /** The comment of a static method of a class. */
  staticMethod(className: string, name: string): Documentation {
    const declaration = this.#find(className);
    const method = ts.isClassDeclaration(declaration)
      ? declaration.members.filter(ts.isMethodDeclaration).find((member) => member.name.getText(this.#source) === name)
      : undefined;
    if (method === undefined) {
      throw new Error(`${this.path}: ${className} has no method ${name}`);
    }
    return documentationOf(method);
  }

  /** The names and comments of the fields of a constant object. */
  constantFields(name: string): (Documentation & { readonly name: string })[] {
    const value = this.#initializer(name);
    if (!ts.isObjectLiteralExpression(value)) {
      throw new Error(`${this.path}: ${name} is no object`);
    }
    return value.properties.map((property) => ({
      name: property.name?.getText(this.#source) ?? "",
      ...documentationOf(property),
    }));
  }

  /** The value of a constant that is a number or a product of numbers. */
  constantNumber(name: string): number {
    const evaluate = (node: ts.Expression): number => {
      if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.AsteriskToken) {
        return evaluate(node.left) * evaluate(node.right);
      }
      if (ts.isNumericLiteral(node)) {
        return Number(node.text);
      }
      throw new Error(`${this.path}: ${name} is no number`);
    };
    return evaluate(this.#initializer(name));
  }

  #initializer(name: string): ts.Expression {
    const [declaration] = this.#statements(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .filter((candidate) => candidate.name.getText(this.#source) === name);
    const value = declaration?.initializer;
    if (value === undefined) {
      throw new Error(`${this.path} declares no constant ${name}`);
    }
    return withoutAssertions(value);
  }

  #statements<Kind extends ts.Statement>(isKind: (node: ts.Node) => node is Kind): Kind[] {
    return this.#source.statements.filter(isKind);
  }

  #find(name: string): ts.Statement {
    const found = this.#source.statements.find((statement) => {
      if (ts.isVariableStatement(statement)) {
        return statement.declarationList.declarations.some(
          (declaration) => declaration.name.getText(this.#source) === name,
        );
      }
      const isNamed =
        ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement);
      return isNamed && statement.name?.text === name;
    });
    if (found === undefined) {
      throw new Error(`${this.path} declares no ${name}`);
    }
    return found;
  }
}

function isPrivate(member: ts.PropertySignature | ts.PropertyDeclaration): boolean {
  return ts.isPrivateIdentifier(member.name);
}

function withoutAssertions(node: ts.Expression): ts.Expression {
  return ts.isAsExpression(node) || ts.isSatisfiesExpression(node) ? withoutAssertions(node.expression) : node;
}

function documentationOf(node: ts.Node): Documentation {
  const comment = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  const tags: readonly ts.JSDocTag[] = comment?.tags ?? [];
  const textOf = (name: string) =>
    (ts.getTextOfJSDocComment(tags.find((tag) => tag.tagName.text === name)?.comment) ?? "").trim();
  return {
    text: (ts.getTextOfJSDocComment(comment?.comment) ?? "")
      .split(/\n\s*\n/)
      .map(oneLine)
      .join("\n\n"),
    defaultValue: oneLine(textOf("default")),
    example: textOf("example"),
    throws: oneLine(textOf("throws")),
    parameters: tags.filter(ts.isJSDocParameterTag).map((tag) => ({
      name: tag.name.getText(),
      text: oneLine(ts.getTextOfJSDocComment(tag.comment)),
    })),
  };
}

function oneLine(text: string | undefined): string {
  return (text ?? "").replace(/\s+/g, " ").trim();
}
