/** Returns the properties that have a value. `undefined` means that one is not given, so that a default is not lost. */
export function withoutUndefined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;
}
