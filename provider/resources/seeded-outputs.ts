/**
 * What a resource class passes on to Pulumi, which makes an output of each property that it is named, and of no other: all
 * fields of the class that the state of its kind holds. A field that is missing here would be `undefined`, so the compiler
 * asks for it.
 */
export type SeededOutputs<Resource, State> = Readonly<Record<keyof Resource & keyof State, undefined>>;
