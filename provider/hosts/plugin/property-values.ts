/**
 * Property values as the engine sends them, opened to plain data and closed again. The engine marks secrets, assets and
 * references by objects with a signature. An opened value keeps those marks apart from its data.
 */
import { unknownValue } from "../../kinds/hosted-kind";

/** A value with Pulumi's signatures, as JSON. */
export type WireValue = null | boolean | number | string | readonly WireValue[] | { readonly [key: string]: WireValue };

/** What the wire says of a value besides its data. */
export interface Mark {
  /** Whether the value is secret, with all that is in it. */
  readonly isSecret?: boolean;
  /** The form in which the engine sent an asset or an archive. It has a hash that the data lacks. */
  readonly original?: WireValue;
  /** Marks of what is in the value, by key or index. */
  readonly parts?: ReadonlyMap<string, Mark>;
}

/** The data of a value, and its marks. */
export interface Opened<Value = unknown> {
  readonly value: Value;
  readonly mark: Mark | undefined;
}

const signatureKey = "4dabf18193072939515e22adb298388d";

const signatures = {
  secret: "1b47061264138c4ac30d75fd1eb44270",
  asset: "c44067f5952c0a294b673a41bacd8c17",
  archive: "0def7320c3a5731c473e5ecbe6d01bc7",
  resource: "5cf8f73096256a8f31e491e813e4eb8e",
  output: "d0e6a833031e9bbcd3f4e8bde6ca49a4",
} as const;

/** What the engine sends in place of a value that a preview does not know yet, one for each type. */
const unknownValues: ReadonlySet<WireValue> = new Set([
  unknownValue,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Takes the marks off a value. */
export function openValue(wire: WireValue): Opened {
  if (unknownValues.has(wire)) {
    return { value: unknownValue, mark: undefined };
  }
  if (Array.isArray(wire)) {
    const items = (wire as readonly WireValue[]).map(openValue);
    return { value: items.map(({ value }) => value), mark: markOfParts(items.entries()) };
  }
  if (typeof wire !== "object" || wire === null) {
    return { value: wire, mark: undefined };
  }
  const fields = wire as { readonly [key: string]: WireValue };
  switch (fields[signatureKey]) {
    case signatures.secret:
      return secret(openValue(fields["value"] ?? null));
    case signatures.asset:
    case signatures.archive:
      return { value: describeAsset(fields), mark: { original: wire } };
    case signatures.resource:
      // A resource of a provider has an id, which is empty until it is known. A component has none.
      return openValue(fields["id"] === "" ? unknownValue : (fields["id"] ?? fields["urn"] ?? null));
    case signatures.output: {
      const opened = openValue(fields["value"] === undefined ? unknownValue : fields["value"]);
      return fields["secret"] === true ? secret(opened) : opened;
    }
  }
  const entries = Object.entries(fields).map(([key, item]) => [key, openValue(item)] as const);
  return { value: Object.fromEntries(entries.map(([key, { value }]) => [key, value])), mark: markOfParts(entries) };
}

/** Puts the marks on a value. */
export function closeValue(value: unknown, mark: Mark | undefined): WireValue {
  const closed = closeInside(value, mark);
  return mark?.isSecret ? { [signatureKey]: signatures.secret, value: closed } : closed;
}

/** Tells whether a value is secret, or holds one that is. */
export function holdsSecret(mark: Mark | undefined): boolean {
  return mark !== undefined && (mark.isSecret === true || [...(mark.parts?.values() ?? [])].some(holdsSecret));
}

/** Tells whether a value is not known yet, or holds one that is not. */
export function holdsUnknown(value: unknown): boolean {
  return (
    value === unknownValue || (typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown))
  );
}

/** Tells whether two values are the same data. The keys of objects have no order. */
export function isSameData(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSameData(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) {
    return Object.is(one, other) || (one === 0 && other === 0);
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSameData(one[key], other[key]))
  );
}

/** Tells whether a value is an object with keys. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function closeInside(value: unknown, mark: Mark | undefined): WireValue {
  if (mark?.original !== undefined && isSameData(value, openValue(mark.original).value)) {
    return mark.original;
  }
  // What is in a secret needs no mark of its own.
  const partOf = (key: string | number) =>
    mark?.isSecret ? originalsOnly(mark.parts?.get(String(key))) : mark?.parts?.get(String(key));
  if (Array.isArray(value)) {
    return value.map((item, index) => closeValue(item, partOf(index)));
  }
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, closeValue(item, partOf(key))]));
  }
  return value as WireValue;
}

function originalsOnly(mark: Mark | undefined): Mark | undefined {
  if (mark?.parts === undefined) {
    return mark?.original === undefined ? undefined : { original: mark.original };
  }
  return {
    ...mark,
    isSecret: false,
    parts: new Map([...mark.parts].map(([key, part]) => [key, originalsOnly(part) ?? {}])),
  };
}

function secret({ value, mark }: Opened): Opened {
  return { value, mark: { ...mark, isSecret: true } };
}

function markOfParts(items: Iterable<readonly [string | number, Opened]>): Mark | undefined {
  const parts = new Map<string, Mark>();
  for (const [key, { mark }] of items) {
    if (mark !== undefined) {
      parts.set(String(key), mark);
    }
  }
  return parts.size === 0 ? undefined : { parts };
}

/** An asset or archive as plain data. The engine leaves the content out where it thinks that only the hash matters. */
function describeAsset(fields: { readonly [key: string]: WireValue }): unknown {
  const { path, text, uri, assets } = fields;
  const isAsset = fields[signatureKey] === signatures.asset;
  if (uri !== undefined && uri !== "") {
    return { remote: uri };
  }
  if (path !== undefined && path !== "") {
    return isAsset ? { file: path } : { folder: path };
  }
  if (isAsset) {
    return { text: text ?? "" };
  }
  const inner = isObject(assets) ? Object.entries(assets) : [];
  return { archive: Object.fromEntries(inner.map(([name, asset]) => [name, openValue(asset as WireValue).value])) };
}
