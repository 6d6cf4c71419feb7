import * as pulumi from "@pulumi/pulumi";

type RetainingOptions = Pick<pulumi.CustomResourceOptions, "retainOnDelete" | "parent">;

/** Whether each resource has the option, its own or inherited. */
const retentions = new WeakMap<pulumi.Resource, boolean>();
const watched = new WeakSet<pulumi.Resource>();

/**
 * Tells whether a resource outlives its deletion, by its own `retainOnDelete` or by that of its nearest ancestor that has
 * it. Children inherit the option in the engine, which tells neither the program nor the provider.
 */
export function isRetained({ retainOnDelete, parent }: RetainingOptions): boolean {
  return retainOnDelete ?? (parent !== undefined && retentions.get(parent)) ?? false;
}

/**
 * Remembers the option of each resource that the program constructs from now on. Call it before components are constructed.
 * A second call in a stack does nothing, nor does a call without a stack, as under Pulumi's mocks.
 */
export function watchRetention(): void {
  const stack = pulumi.runtime.getStackResource();
  if (stack === undefined || watched.has(stack)) {
    return;
  }
  watched.add(stack);
  pulumi.runtime.registerStackTransformation(({ resource, opts }) => {
    retentions.set(resource, isRetained(opts));
    return undefined;
  });
}

watchRetention();
