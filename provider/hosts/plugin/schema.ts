/**
 * Makes the schema of a Pulumi package, from which SDKs and YAML programs know its resources, functions and settings. Types come as
 * JSON Schema. Runs when the plugin is built.
 */

/** A type, as far as JSON Schema is used. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
}

/** What a reader sees of a property, and of the object that it holds. */
export interface DescribedProperty {
  readonly description: string;
  /** Name and fields of the object in it, or of the objects in its list; `undefined` when it holds none. */
  readonly object?: DescribedObject | undefined;
}

/** An object that is the value of properties. */
export interface DescribedObject {
  /** Name of its type, such as `SessionTimeouts`. */
  readonly name: string;
  readonly description: string;
  readonly fields: Readonly<Record<string, DescribedProperty>>;
}

/** A property of a resource or a function. */
export interface DeclaredProperty extends DescribedProperty {
  readonly type: JsonSchema;
  readonly isRequired: boolean;
  /** Default: false. */
  readonly isSecret?: boolean;
  /** Whether a change replaces the resource. Default: false. */
  readonly replaces?: boolean;
}

type DeclaredProperties = Readonly<Record<string, DeclaredProperty>>;

/** Everything that a package has. */
export interface DeclaredPackage {
  /** Such as `{ name: "aws", description: "…" }`. */
  readonly about: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly settings: DeclaredProperties;
  /** By token. */
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly inputs: DeclaredProperties;
        readonly outputs: DeclaredProperties;
        /** Types that the resource had before. */
        readonly formerTypes: readonly string[];
      }
    >
  >;
  /** By token. */
  readonly functions: Readonly<
    Record<
      string,
      { readonly description: string; readonly inputs: DeclaredProperties; readonly outputs: DeclaredProperties }
    >
  >;
}

type Spec = Record<string, unknown>;

/** Makes the schema. Its parts are in the order in which they are declared. */
export function packageSchema({ about, settings, resources, functions }: DeclaredPackage): Spec {
  const types = new ObjectTypes(about.name);
  const propertiesOf = (properties: DeclaredProperties) => types.propertySpecs(properties);
  const sections = {
    config: { variables: propertiesOf(settings) },
    provider: { description: `Settings of ${about.name}.`, inputProperties: propertiesOf(settings) },
    resources: mapValues(resources, ({ description, inputs, outputs, formerTypes }) => ({
      description,
      properties: propertiesOf(outputs),
      required: requiredNames(outputs),
      inputProperties: propertiesOf(inputs),
      requiredInputs: requiredNames(inputs),
      aliases: formerTypes.map((type) => ({ type })),
    })),
    functions: mapValues(functions, ({ description, inputs, outputs }) => ({
      description,
      inputs: { properties: propertiesOf(inputs), ...ifAny("required", requiredNames(inputs)) },
      outputs: { properties: propertiesOf(outputs), ...ifAny("required", requiredNames(outputs)) },
    })),
  };
  return { ...about, types: types.specs(), ...sections };
}

/** The types of objects that properties have, by name. */
class ObjectTypes {
  private readonly known = new Map<string, Spec>();

  constructor(private readonly packageName: string) {}

  specs(): Spec {
    return Object.fromEntries([...this.known].map(([name, spec]) => [this.token(name), spec]));
  }

  propertySpecs(properties: DeclaredProperties): Spec {
    return mapValues(properties, (property) => ({
      ...this.typeSpec(property.type, property.object),
      description: describe(property.description, property.type),
      ...(property.isSecret && { secret: true }),
      // `replaceOnChanges` would make the engine replace an imported resource whose value was not known.
      ...(property.replaces && { willReplaceOnChanges: true }),
    }));
  }

  private typeSpec(type: JsonSchema, object: DescribedObject | undefined): Spec {
    if (type.$ref?.startsWith("pulumi.json#")) {
      return { $ref: type.$ref };
    }
    switch (type.type) {
      case "string":
      case "number":
      case "integer":
      case "boolean":
        return { type: type.type };
      case "array":
        return { type: "array", items: this.typeSpec(type.items ?? {}, object) };
      case "object":
        return type.properties === undefined ? this.mapSpec(type, object) : this.objectSpec(type, object);
      case undefined:
        return { $ref: "pulumi.json#/Any" };
      default:
        throw new Error(`a property has the type ${type.type}, which no schema of Pulumi has`);
    }
  }

  private mapSpec({ additionalProperties }: JsonSchema, object: DescribedObject | undefined): Spec {
    const values = typeof additionalProperties === "object" ? additionalProperties : {};
    return { type: "object", additionalProperties: this.typeSpec(values, object) };
  }

  private objectSpec(type: JsonSchema, object: DescribedObject | undefined): Spec {
    if (object === undefined) {
      throw new Error(`an object with ${Object.keys(type.properties ?? {}).join(", ")} has no name`);
    }
    const { name, description, fields } = object;
    const properties = mapValues(type.properties ?? {}, (field, fieldName) => {
      const described = fields[fieldName];
      if (described === undefined) {
        throw new Error(`${name}.${fieldName} has no description`);
      }
      return { ...this.typeSpec(field, described.object), description: describe(described.description, field) };
    });
    const spec = { type: "object", description, properties, ...ifAny("required", type.required ?? []) };
    const known = this.known.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(spec)) {
      throw new Error(`two different objects are called ${name}`);
    }
    this.known.set(name, spec);
    return { $ref: `#/types/${this.token(name)}` };
  }

  private token(name: string): string {
    return `${this.packageName}:index:${name}`;
  }
}

/** Values of a string are named in its description: a schema's enumerations have other names in each language. */
function describe(description: string, { enum: values = [] }: JsonSchema): string {
  const words = values.map((value) => `\`${value}\``);
  return words.length < 2 ? description : `${description} One of ${words.slice(0, -1).join(", ")} and ${words.at(-1)}.`;
}

function requiredNames(properties: DeclaredProperties): string[] {
  return Object.entries(properties).flatMap(([name, { isRequired }]) => (isRequired ? [name] : []));
}

function ifAny(key: string, names: readonly string[]): Spec {
  return names.length === 0 ? {} : { [key]: names };
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, key: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
