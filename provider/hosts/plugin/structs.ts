import { ListValue, NullValue, Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "../../kinds/hosted-kind";
import { closeValue, type Mark, openValue, type WireValue } from "./property-values";
import type { OpenedProperties } from "./secrets";

/** Opens the properties of a request. Those whose names begin with `__` belong to another host. */
export function openStruct(struct: Struct | undefined): OpenedProperties {
  const wire = Object.entries(struct === undefined ? {} : fieldsOf(struct)).filter(([name]) => !name.startsWith("__"));
  return openValue(Object.fromEntries(wire)) as OpenedProperties;
}

/** Closes properties for a reply. */
export function closeStruct(properties: Properties, mark: Mark | undefined): Struct {
  return structOf(closeValue(properties, { ...mark, isSecret: false }) as { readonly [key: string]: WireValue });
}

/** The library that encodes replies ends the process at strings of more than 89 million bytes. A character has up to three. */
const longestSentString = 25_000_000;

/** Tells whether a reply can hold a value. */
export function isSendable(value: unknown): boolean {
  if (typeof value === "string") {
    return value.length <= longestSentString;
  }
  return typeof value !== "object" || value === null || Object.values(value).every(isSendable);
}

function fieldsOf(struct: Struct): { readonly [key: string]: WireValue } {
  const fields: [string, WireValue][] = [];
  struct.getFieldsMap().forEach((value, key) => {
    fields.push([key, wireOf(value)]);
  });
  return Object.fromEntries(fields);
}

function wireOf(value: Value): WireValue {
  switch (value.getKindCase()) {
    case Value.KindCase.BOOL_VALUE:
      return value.getBoolValue();
    case Value.KindCase.NUMBER_VALUE:
      return value.getNumberValue();
    case Value.KindCase.STRING_VALUE:
      return value.getStringValue();
    case Value.KindCase.LIST_VALUE:
      return (value.getListValue()?.getValuesList() ?? []).map(wireOf);
    case Value.KindCase.STRUCT_VALUE: {
      const struct = value.getStructValue();
      return struct === undefined ? {} : fieldsOf(struct);
    }
    default:
      return null;
  }
}

function structOf(fields: { readonly [key: string]: WireValue }): Struct {
  const struct = new Struct();
  for (const [key, value] of Object.entries(fields)) {
    struct.getFieldsMap().set(key, protoOf(value));
  }
  return struct;
}

function protoOf(wire: WireValue): Value {
  const value = new Value();
  if (Array.isArray(wire)) {
    return value.setListValue(new ListValue().setValuesList((wire as readonly WireValue[]).map(protoOf)));
  }
  switch (typeof wire) {
    case "boolean":
      return value.setBoolValue(wire);
    case "number":
      return value.setNumberValue(wire);
    case "string":
      return value.setStringValue(wire);
    default:
      return wire === null || wire === undefined
        ? value.setNullValue(NullValue.NULL_VALUE)
        : value.setStructValue(structOf(wire as { readonly [key: string]: WireValue }));
  }
}
