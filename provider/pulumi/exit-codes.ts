/** Pulumi's exit codes that have a meaning here. */
export const pulumiExitCodes = {
  success: 0,
  /** The stack does not exist. */
  stackMissing: 6,
  /** `--expect-no-changes`, and there are some. */
  changesFound: 7,
  /** The run was cancelled. */
  cancelled: 8,
} as const;
