import { z } from "zod";
import { invalidRequest } from "../failures";
import { normalizePath, pathBelow } from "./file-paths";

// Keys and defaults as both AGB SDKs send them. Unknown keys are accepted and kept.
const policySchema = z.object({
  uploadPolicy: z.object({ autoUpload: z.boolean().default(true) }).prefault({}),
  downloadPolicy: z.object({ autoDownload: z.boolean().default(true) }).prefault({}),
  deletePolicy: z.object({ syncLocalFile: z.boolean().default(true) }).prefault({}),
  bwList: z
    .object({
      whiteLists: z
        .array(z.object({ path: z.string().default(""), excludePaths: z.array(z.string()).default([]) }))
        .default([]),
    })
    .prefault({}),
  mappingPolicy: z.object({ path: z.string() }).optional(),
});

/** The part of a mount's policy that the emulator uses. */
export type SyncPolicy = z.output<typeof policySchema>;

/**
 * Parses the JSON string of a policy. No string, or an empty one, means the defaults.
 *
 * @param field the parameter's name on the wire, for the message
 * @throws ApiFailure (HTTP 400) that names the field at fault
 */
export function parseSyncPolicy(field: string, text: string | null | undefined): SyncPolicy {
  let value: unknown = {};
  if (text) {
    try {
      value = JSON.parse(text);
    } catch {
      throw invalidRequest(`${field}: is not valid JSON`);
    }
  }
  const result = policySchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw invalidRequest(`${[field, ...(issue?.path ?? [])].join(".")}: ${issue?.message}`);
  }
  return result.data;
}

/** Whether a file is synchronized. Without white lists all files are, else those that one list contains and does not exclude. */
export function isSynchronized(policy: SyncPolicy, mountPath: string, relativePath: string): boolean {
  const { whiteLists } = policy.bwList;
  const isIn = (listed: string) => {
    // AGB's overview page has paths relative to the mount, its page on policies absolute ones.
    const absolute = normalizePath("path", listed);
    const folder = `/${pathBelow(mountPath, absolute) ?? (absolute === mountPath ? "" : absolute.slice(1))}`;
    return folder === "/" || folder === `/${relativePath}` || pathBelow(folder, `/${relativePath}`) !== undefined;
  };
  return (
    whiteLists.length === 0 ||
    whiteLists.some(({ path, excludePaths }) => isIn(path) && !excludePaths.some((excluded) => isIn(excluded)))
  );
}

/** The folder in the context whose files appear at the mount: the mount's own path, or another one that the policy maps to it. */
export function contextFolderOf(policy: SyncPolicy, mountPath: string): string {
  return policy.mappingPolicy ? normalizePath("mappingPolicy.path", policy.mappingPolicy.path) : mountPath;
}
