import * as pulumi from "@pulumi/pulumi";

type RetainingOptions = Pick<pulumi.CustomResourceOptions, "retainOnDelete" | "parent">;

/** Whether each resource has the option, its own or inherited. */
const retentions = new WeakMap<pulumi.Resource, boolean>();
const watched = new WeakSet<pulumi.Resource>();

/**
 * Returns whether a resource outlives its deletion: its own `retainOnDelete`, else that of its nearest ancestor that sets it.
 * Children inherit the option inside the engine. Neither the program nor the provider can ask for it.
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
