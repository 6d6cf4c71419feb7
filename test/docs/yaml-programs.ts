// Checks Pulumi programs in YAML against the schema of the plugin: types, functions, property names, and what `${…}` reads.

import { parse } from "yaml";

/** A schema of a Pulumi package, as far as programs are checked. */
export interface PackageSchema {
  readonly name: string;
  readonly config: { readonly variables: Properties };
  readonly provider: { readonly inputProperties: Properties };
  readonly types: Readonly<Record<string, { readonly properties: Properties; readonly required?: readonly string[] }>>;
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly properties: Properties;
        readonly inputProperties: Properties;
        readonly requiredInputs: readonly string[];
      }
    >
  >;
  readonly functions: Readonly<Record<string, { readonly inputs: ObjectType; readonly outputs: ObjectType }>>;
}

interface PropertyType {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: PropertyType;
  readonly additionalProperties?: PropertyType;
}

type Properties = Readonly<Record<string, PropertyType>>;

interface ObjectType {
  readonly properties: Properties;
  readonly required?: readonly string[];
}

/** Names that every resource has. */
const ofEveryResource: Properties = { id: { type: "string" }, urn: { type: "string" } };

/** Whether a value of YAML is a program, or a part of one that declares something. */
export function isYamlProgram(value: unknown): boolean {
  return isObject(value) && ["resources", "variables"].some((section) => isObject(value[section]));
}

/** Returns what is wrong with a program. YAML that is no program has no problems. */
export function programProblems(code: string, schema: PackageSchema): string[] {
  const program: unknown = parse(code);
  return isYamlProgram(program) ? new ProgramCheck(program as Program, schema).problems() : [];
}

interface Program {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly resources?: Readonly<Record<string, Declaration>>;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly outputs?: unknown;
}

interface Declaration {
  readonly type: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

class ProgramCheck {
  private readonly found: string[] = [];
  /** What `${name.…}` may read, by name. */
  private readonly readable = new Map<string, Properties>();

  constructor(
    private readonly program: Program,
    private readonly schema: PackageSchema,
  ) {}

  problems(): string[] {
    const { resources = {}, variables = {}, outputs } = this.program;
    for (const [name, declaration] of Object.entries(resources)) {
      this.checkResource(name, declaration);
    }
    for (const [name, value] of Object.entries(variables)) {
      this.checkVariable(name, value);
    }
    this.checkReads({ resources, variables, outputs });
    return this.found;
  }

  private checkResource(name: string, { type, properties = {} }: Declaration): void {
    if (type === `pulumi:providers:${this.schema.name}`) {
      this.checkObject(properties, { properties: this.schema.provider.inputProperties }, name);
      this.readable.set(name, ofEveryResource);
      return;
    }
    const declared = this.schema.resources[fullToken(type)];
    if (declared === undefined) {
      this.found.push(`${name}: there is no resource ${type}`);
      return;
    }
    this.checkObject(properties, { properties: declared.inputProperties, required: declared.requiredInputs }, name);
    this.readable.set(name, { ...declared.properties, ...ofEveryResource });
  }

  private checkVariable(name: string, value: unknown): void {
    const call = isObject(value) ? value["fn::invoke"] : undefined;
    if (!isObject(call)) {
      return;
    }
    const declared = this.schema.functions[fullToken(String(call["function"]))];
    if (declared === undefined) {
      this.found.push(`${name}: there is no function ${call["function"]}`);
      return;
    }
    this.checkObject(call["arguments"] ?? {}, declared.inputs, name);
    const returned = call["return"];
    if (returned === undefined) {
      this.readable.set(name, declared.outputs.properties);
    } else if (declared.outputs.properties[String(returned)] === undefined) {
      this.found.push(`${name}: ${call["function"]} returns no ${returned}`);
    }
  }

  private checkObject(value: unknown, { properties, required = [] }: ObjectType, path: string): void {
    if (!isObject(value)) {
      this.found.push(`${path}: must be an object`);
      return;
    }
    for (const [name, item] of Object.entries(value)) {
      const declared = properties[name];
      if (declared === undefined) {
        this.found.push(`${path}: there is no property ${name}`);
      } else {
        this.checkValue(item, declared, `${path}.${name}`);
      }
    }
    for (const name of required.filter((each) => !Object.hasOwn(value, each))) {
      this.found.push(`${path}: the property ${name} is missing`);
    }
  }

  private checkValue(value: unknown, declared: PropertyType, path: string): void {
    // A value that the program reads or computes has its type only when the program runs.
    if (isRead(value) || (isObject(value) && Object.keys(value).some((key) => key.startsWith("fn::")))) {
      return;
    }
    const { $ref = "", type, items, additionalProperties } = declared;
    if ($ref.startsWith("#/types/")) {
      this.checkObject(value, this.schema.types[$ref.slice("#/types/".length)] ?? { properties: {} }, path);
    } else if (type === "array" && items !== undefined) {
      const isList = Array.isArray(value);
      this.expect(isList, path, "a list");
      for (const [index, item] of (isList ? value : []).entries()) {
        this.checkValue(item, items, `${path}[${index}]`);
      }
    } else if (type === "object" && additionalProperties !== undefined) {
      this.expect(isObject(value), path, "an object");
      for (const [key, item] of Object.entries(isObject(value) ? value : {})) {
        this.checkValue(item, additionalProperties, `${path}.${key}`);
      }
    } else if (type !== undefined) {
      const isOfType = type === "integer" ? Number.isInteger(value) : typeof value === type;
      this.expect(isOfType, path, `of the type ${type}`);
    }
  }

  /** Checks every `${name.property}` in a value. */
  private checkReads(value: unknown): void {
    if (typeof value !== "string") {
      for (const item of Object.values(isObject(value) || Array.isArray(value) ? value : {})) {
        this.checkReads(item);
      }
      return;
    }
    for (const [read = "", name = "", property] of value.matchAll(/\$\{(\w+)(?:\.(\w+))?[^}]*\}/g)) {
      const properties = this.readable.get(name);
      const { config = {}, resources = {}, variables = {} } = this.program;
      if (properties === undefined && ![config, resources, variables].some((section) => Object.hasOwn(section, name))) {
        this.found.push(`${read}: there is no resource, variable or setting ${name}`);
      } else if (properties !== undefined && property !== undefined && properties[property] === undefined) {
        this.found.push(`${read}: ${name} has no ${property}`);
      }
    }
  }

  private expect(isSo: boolean, path: string, what: string): void {
    if (!isSo) {
      this.found.push(`${path}: must be ${what}`);
    }
  }
}

/** The token in the schema for one in a program: `agb:Session` is short for `agb:index:Session`. */
export function fullToken(token: string): string {
  return token.replace(/^(\w+):(\w+)$/, "$1:index:$2");
}

function isRead(value: unknown): boolean {
  return typeof value === "string" && value.includes("${");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
