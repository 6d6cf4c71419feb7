import * as pulumi from "@pulumi/pulumi";

type RetainingOptions = Pick<pulumi.CustomResourceOptions, "retainOnDelete" | "parent">;

/** What each resource was declared with, or inherits. */
const retentions = new WeakMap<pulumi.Resource, boolean>();
const watched = new WeakSet<pulumi.Resource>();

/**
 * Tells whether a resource outlives its deletion: by its own `retainOnDelete`, or by that of the nearest ancestor that has
 * the option. The engine lets children inherit it, but tells neither the program nor the provider.
 */
export function isRetained({ retainOnDelete, parent }: RetainingOptions): boolean {
  return retainOnDelete ?? (parent !== undefined && retentions.get(parent)) ?? false;
}

/**
 * Notes the option of each resource that the program constructs from now on. Call it before components are constructed;
 * a second call in the same stack does nothing, and so does one without a stack, as under Pulumi's mocks.
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
