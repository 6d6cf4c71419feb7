import * as pulumi from "@pulumi/pulumi";

/**
 * Describes Pulumi's assets and archives as plain data, which the provider's process can read. Anything else stays as it is,
 * so that the provider refuses it. A secret stays one. Nothing is read here.
 */
export function describeAssets(
  source: pulumi.Input<pulumi.asset.Asset | pulumi.asset.Archive>,
): pulumi.Output<unknown> {
  // Pulumi waits for the promises in an asset and returns its fields.
  return (pulumi.output(source as unknown) as pulumi.Output<unknown>).apply(describeAsset);
}

/** Describes one asset or archive. Returns anything else as it is. */
export function describeAsset(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const { __pulumiAsset, __pulumiArchive, path, text, uri, assets } = value as Record<string, unknown>;
  if (__pulumiAsset !== true && __pulumiArchive !== true) {
    return value;
  }
  if (uri !== undefined) {
    return { remote: uri };
  }
  if (__pulumiAsset === true) {
    return text === undefined ? { file: path } : { text };
  }
  return assets === undefined
    ? { folder: path }
    : {
        archive: Object.fromEntries(
          Object.entries(assets as object).map(([name, inner]) => [name, describeAsset(inner)]),
        ),
      };
}
