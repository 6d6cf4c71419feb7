import type { Declarations, Field } from "./declarations";
import { defaultWords, type Entry } from "./markdown";

/** The fields of an object as a list, with the fields of the objects in it. */
export function fieldEntries(name: string, sources: readonly Declarations[]): Entry[] {
  const source = sources.find((candidate) => candidate.hasInterface(name));
  if (source === undefined) {
    throw new Error(`no source of the page declares ${name}`);
  }
  return source.fields(name).map((field) => ({
    text: `\`${field.name}\` (${fieldFacts(field)}): ${field.text}`,
    entries: innerEntries(field, sources),
  }));
}

/** The fields of the objects that a field holds; none when it holds no objects. */
export function innerEntries({ typeNames }: Field, sources: readonly Declarations[]): Entry[] {
  const inner = typeNames.find((typeName) => sources.some((source) => source.hasInterface(typeName)));
  return inner === undefined ? [] : fieldEntries(inner, sources);
}

function fieldFacts({ type, isRequired, defaultValue }: Field): string {
  const need = isRequired ? "required" : defaultValue === "" ? "optional" : `default: ${defaultWords(defaultValue)}`;
  return `${type}; ${need}`;
}
