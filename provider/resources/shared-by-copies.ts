/**
 * Returns what all copies of this package in a program share under a name: npm may install several, and each has modules of
 * its own.
 */
export function sharedByCopies<Key extends object, Value>(name: string): WeakMap<Key, Value> {
  const shared = globalThis as { [key: symbol]: WeakMap<Key, Value> | undefined };
  const key = Symbol.for(`pulumi-agb.${name}`);
  shared[key] ??= new WeakMap();
  return shared[key];
}
