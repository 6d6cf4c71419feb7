import type { Declarations, Field } from "./declarations";
import { defaultWords, type Entry } from "./markdown";

/** The fields of an object as a list, with the fields of the objects in it. */
export function fieldEntries(name: string, sources: readonly Declarations[]): Entry[] {
  const source = sources.find((candidate) => candidate.hasInterface(name));
  if (source === undefined) {
    throw new Error(`no source of the page declares ${name}`);
  }
  return source.fields(name).map((field) => ({
    text: `\`${field.name}\` (${fieldFacts(field, innerName(field, sources))}): ${field.text}`,
    entries: innerEntries(field, sources),
  }));
}

/** The name of the interface of the objects that a field holds; `undefined` when it holds none. */
export function innerName({ typeNames }: Field, sources: readonly Declarations[]): string | undefined {
  return typeNames.find((typeName) => sources.some((source) => source.hasInterface(typeName)));
}

/** The fields of the objects that a field holds; none when it holds no objects. */
export function innerEntries(field: Field, sources: readonly Declarations[]): Entry[] {
  const inner = innerName(field, sources);
  return inner === undefined ? [] : fieldEntries(inner, sources);
}

function fieldFacts({ type, isRequired, defaultValue }: Field, inner: string | undefined): string {
  const need = isRequired ? "required" : defaultValue === "" ? "optional" : `default: ${defaultWords(defaultValue)}`;
  return `${type}${inner === undefined ? "" : `, \`${inner}\``}; ${need}`;
}
