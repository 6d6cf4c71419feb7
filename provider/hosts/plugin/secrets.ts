/**
 * Which values that leave the provider are secret. A value is secret where the input of the same name is, where it is made
 * from a secret, where its kind says so, or where it repeats a secret string. So no secret leaves without its mark.
 */
import { type Properties, type Source, unknownValue } from "../../kinds/hosted-kind";
import { holdsSecret, isObject, isSameData, type Mark, type Opened } from "./property-values";

/** Properties that the engine sent. */
export type OpenedProperties = Opened<Properties>;

/** Where the marks of outputs come from. */
export interface MarkSources {
  /** The inputs of the operation. */
  readonly news?: OpenedProperties;
  /** What the state holds. Its marks count where a value is not that of the inputs. */
  readonly olds?: readonly OpenedProperties[];
  /** What properties are made from, see `NativeKind`. */
  readonly sources?: Readonly<Record<string, Source>>;
  /** Names of the settings that are secret. */
  readonly secretSettings?: ReadonlySet<string>;
  /** Names of properties that are secret in any case. */
  readonly secretNames?: readonly string[];
  /** Names of properties that are never secret, see `NativeKind`. */
  readonly readable?: readonly string[];
}

/** Finds the marks of properties that leave the provider. */
export function marksOf(properties: Properties, given: MarkSources): Mark {
  const { news, olds = [], readable = [] } = given;
  const known = secretStrings(news, olds);
  const names = Object.keys(properties).map((name) => {
    if (readable.includes(name)) {
      return [name, undefined] as const;
    }
    const value = properties[name];
    const mark = merged([
      ownMark(name, value, news),
      ...olds.map((old) => unlessSame(ownMark(name, value, old), value, news?.value[name])),
      ...madeFrom(name, value, given),
      given.secretNames?.includes(name) ? { isSecret: true } : undefined,
    ]);
    return [name, merged([mark, repeating(known, value)])] as const;
  });
  return { parts: new Map(names.flatMap(([name, mark]) => (mark === undefined ? [] : [[name, mark]]))) };
}

/**
 * The names of properties that the state shows although the program has made them, or a part of them, secret. They must be
 * written again.
 *
 * @param state what the state holds
 */
export function exposedNames(state: OpenedProperties, news: OpenedProperties): string[] {
  return Object.keys(news.value).filter((name) =>
    isExposed(state.value[name], state.mark?.parts?.get(name), news.mark?.parts?.get(name)),
  );
}

/**
 * The outputs of an update that only marks what has become secret. The engine sends assets of the state without their content,
 * so those come from the inputs.
 *
 * @param exposed see `exposedNames`
 */
export function hiddenOutputs(state: OpenedProperties, news: OpenedProperties, exposed: readonly string[]): Properties {
  const withAssets = exposed.filter((name) => holdsOriginal(news.mark?.parts?.get(name)));
  return { ...state.value, ...Object.fromEntries(withAssets.map((name) => [name, news.value[name]])) };
}

function holdsOriginal(mark: Mark | undefined): boolean {
  return mark !== undefined && (mark.original !== undefined || [...(mark.parts?.values() ?? [])].some(holdsOriginal));
}

function isExposed(value: unknown, mark: Mark | undefined, wanted: Mark | undefined): boolean {
  if (value === undefined || value === null || wanted === undefined || mark?.isSecret) {
    return false;
  }
  const parts = typeof value === "object" ? Object.entries(value) : [];
  return (
    wanted.isSecret === true ||
    parts.some(([key, part]) => isExposed(part, mark?.parts?.get(key), wanted.parts?.get(key)))
  );
}

function ownMark(name: string, value: unknown, given: OpenedProperties | undefined): Mark | undefined {
  return given && transfer(given.mark?.parts?.get(name), given.value[name], value);
}

function madeFrom(name: string, value: unknown, given: MarkSources): (Mark | undefined)[] {
  const { news, olds = [], sources = {}, secretSettings } = given;
  const { inputs = [], settings = [] } = Object.hasOwn(sources, name) ? (sources[name] ?? {}) : {};
  const fromInput = (input: string, source: OpenedProperties) =>
    secretsOnly(transfer(source.mark?.parts?.get(input), source.value[input], value));
  return [
    ...inputs.map((input) => news && fromInput(input, news)),
    ...inputs.flatMap((input) => olds.map((old) => unlessSame(fromInput(input, old), value, news?.value[name]))),
    settings.some((setting) => secretSettings?.has(setting)) ? { isSecret: true } : undefined,
  ];
}

/** The mark of another value at the same place, for a value that may differ from it. */
function transfer(mark: Mark | undefined, source: unknown, value: unknown): Mark | undefined {
  if (mark === undefined || mark.isSecret || mark.original !== undefined) {
    return mark;
  }
  if (isObject(source) && isObject(value)) {
    const parts = [...(mark.parts ?? [])].flatMap(([key, part]) => {
      const moved = Object.hasOwn(value, key) ? transfer(part, source[key], value[key]) : undefined;
      return moved === undefined ? [] : [[key, moved] as const];
    });
    return { parts: new Map(parts) };
  }
  if (isSameData(source, value)) {
    return mark;
  }
  // Items of a list may have moved, and the secret may be in any of them.
  return holdsSecret(mark) ? { isSecret: true } : undefined;
}

/** Leaves a mark of the state out where the inputs of the operation have the same value: those decide. */
function unlessSame(mark: Mark | undefined, value: unknown, news: unknown): Mark | undefined {
  if (mark === undefined || news === undefined) {
    return mark;
  }
  if (isSameData(value, news)) {
    return undefined;
  }
  if (!isObject(value) || !isObject(news)) {
    return mark;
  }
  const marked = mark.isSecret ? Object.keys(value).map((key) => [key, { isSecret: true }] as const) : mark.parts;
  const parts = [...(marked ?? [])].flatMap(([key, part]) => {
    const left = unlessSame(part, value[key], news[key]);
    return left === undefined ? [] : [[key, left] as const];
  });
  return { ...(mark.original !== undefined && { original: mark.original }), parts: new Map(parts) };
}

/** A shorter secret inside of a longer string is most likely there by chance. */
const shortestPart = 8;

/** Marks the strings that are or hold a secret string, wherever they are. */
function repeating(secrets: ReadonlySet<string>, value: unknown): Mark | undefined {
  if (typeof value === "string") {
    const holdsOne = [...secrets].some((secret) => secret.length >= shortestPart && value.includes(secret));
    return holdsOne || secrets.has(value) ? { isSecret: true } : undefined;
  }
  if (typeof value !== "object" || value === null) {
    return undefined;
  }
  const parts = Object.entries(value).flatMap(([key, item]) => {
    const mark = repeating(secrets, item);
    return mark === undefined ? [] : [[key, mark] as const];
  });
  return parts.length === 0 ? undefined : { parts: new Map(parts) };
}

/** The secret strings. One of the state that the inputs hold as a plain value is no secret any more. */
function secretStrings(news: OpenedProperties | undefined, olds: readonly OpenedProperties[]): Set<string> {
  const plain = new Set<string>();
  const found = new Set<string>();
  collectStrings(news?.value, news?.mark, false, found, plain);
  for (const { value, mark } of olds) {
    const old = new Set<string>();
    collectStrings(value, mark, false, old, new Set());
    for (const text of old) {
      if (!plain.has(text)) {
        found.add(text);
      }
    }
  }
  return found;
}

function collectStrings(
  value: unknown,
  mark: Mark | undefined,
  isInSecret: boolean,
  secrets: Set<string>,
  plain: Set<string>,
): void {
  const isSecret = isInSecret || mark?.isSecret === true;
  if (value === unknownValue || value === "") {
    return;
  }
  if (typeof value === "string") {
    (isSecret ? secrets : plain).add(value);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      collectStrings(item, mark?.parts?.get(key), isSecret, secrets, plain);
    }
  }
}

function secretsOnly(mark: Mark | undefined): Mark | undefined {
  if (mark === undefined || mark.isSecret) {
    return mark && { isSecret: true };
  }
  const parts = [...(mark.parts ?? [])].flatMap(([key, part]) => {
    const secrets = secretsOnly(part);
    return secrets === undefined ? [] : [[key, secrets] as const];
  });
  return parts.length === 0 ? undefined : { parts: new Map(parts) };
}

function merged(marks: readonly (Mark | undefined)[]): Mark | undefined {
  return marks.reduce<Mark | undefined>((one, other) => {
    if (one === undefined || other === undefined) {
      return one ?? other;
    }
    const keys = new Set([...(one.parts?.keys() ?? []), ...(other.parts?.keys() ?? [])]);
    const parts = [...keys].map((key) => [key, merged([one.parts?.get(key), other.parts?.get(key)]) ?? {}] as const);
    const original = one.original ?? other.original;
    return {
      isSecret: one.isSecret === true || other.isSecret === true,
      ...(original !== undefined && { original }),
      parts: new Map(parts),
    };
  }, undefined);
}
