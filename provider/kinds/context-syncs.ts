/** The property `contextSyncs` of a session: which contexts it mounts. */
import { z } from "zod";
import {
  type ContextMount,
  downloadStrategies,
  encodeMount,
  recycleLifecycles,
  uploadModes,
  uploadStrategies,
} from "../api/sync-policy";
import { filledString, mustBe } from "./types";
import { isUnknown } from "./unknown";

const absolutePath = filledString.refine(
  (path) => path.startsWith("/"),
  "must be an absolute path, such as /home/user/data",
);

// AGB refuses them, and its words say nothing of the session.
const exactPath = z.string().refine((path) => !/[*?[\]]/.test(path), "must not hold wildcards (* ? [ ])");

const flag = z.boolean().optional();

const syncPolicy = z.strictObject({
  uploadPolicy: z
    .strictObject({
      autoUpload: flag,
      uploadStrategy: z.enum(uploadStrategies).optional(),
      uploadMode: z.enum(uploadModes).optional(),
    })
    .optional(),
  downloadPolicy: z
    .strictObject({ autoDownload: flag, downloadStrategy: z.enum(downloadStrategies).optional() })
    .optional(),
  deletePolicy: z.strictObject({ syncLocalFile: flag }).optional(),
  extractPolicy: z.strictObject({ extract: flag, deleteSrcFile: flag, extractCurrentFolder: flag }).optional(),
  recyclePolicy: z
    .strictObject({ lifecycle: z.enum(recycleLifecycles).optional(), paths: z.array(exactPath).optional() })
    .optional(),
  bwList: z
    .strictObject({
      whiteLists: z.array(z.strictObject({ path: exactPath, excludePaths: z.array(exactPath).optional() })).optional(),
    })
    .optional(),
  mappingPolicy: z.strictObject({ path: filledString }).optional(),
});

const contextMount = z.strictObject({
  contextId: filledString,
  path: absolutePath,
  policy: syncPolicy.optional(),
});

/** Contexts that a session mounts: each context once, each path once. */
export const contextSyncList: z.ZodType<ContextMount[]> = z
  .array(contextMount, mustBe("a list of { contextId, path, policy? }"))
  .superRefine((mounts, context) => {
    for (const [name, identify] of [
      ["contextId", (value: string) => value],
      ["path", withoutSlashAtEnd],
    ] as const) {
      const values = mounts.map((mount) => mount[name]);
      values.forEach((value, index) => {
        const first = values.findIndex((other) => identify(other) === identify(value));
        if (first < index && !isUnknown(value)) {
          context.addIssue({
            code: "custom",
            path: [index, name],
            message: `is the same as in contextSyncs[${first}]`,
          });
        }
      });
    }
  });

function withoutSlashAtEnd(path: string): string {
  return path.replace(/\/+$/, "");
}

/** Puts mounts in the order of their paths, so that another order in the program is no change. */
export function sortedMounts(mounts: unknown): unknown {
  const pathOf = (mount: unknown) => (mount as Partial<ContextMount> | undefined)?.path;
  if (!Array.isArray(mounts) || mounts.some((mount) => typeof pathOf(mount) !== "string" || isUnknown(pathOf(mount)))) {
    return mounts;
  }
  return [...(mounts as ContextMount[])].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Tells whether AGB would be sent the same mounts, such as with a default written out. */
export function sameMounts(one: readonly ContextMount[] = [], other: readonly ContextMount[] = []): boolean {
  // In a preview the whole list may be unknown.
  const encode = (mounts: unknown) => (Array.isArray(mounts) ? JSON.stringify(mounts.map(encodeMount)) : mounts);
  return encode(one) === encode(other);
}
