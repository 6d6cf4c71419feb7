/**
 * The output properties that a resource class registers: all its fields that the state of its kind holds. Pulumi creates
 * outputs only for registered properties. The type makes the compiler refuse a class that leaves one out, which would be
 * `undefined`.
 */
export type SeededOutputs<Resource, State> = Readonly<Record<keyof Resource & keyof State, undefined>>;
