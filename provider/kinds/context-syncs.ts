/** The property `contextSyncs` of a session: which contexts it mounts. */
import { z } from "zod";
import {
  type ContextMount,
  downloadStrategies,
  encodeMount,
  plainPath,
  recycleLifecycles,
  uploadModes,
  uploadStrategies,
} from "../api/sync-policy";
import { despiteInnerIssues, filledString, mustBe, obey, ruleCode } from "./types";
import { holdsUnknown, isUnknown } from "./unknown";
import { mountPathProblem } from "./value-rules";

const absolutePath = filledString.check(
  obey((path) => (path.trim() === "" ? undefined : mountPathProblem(path)), "AGB110"),
);

// AGB refuses them, and its words say nothing of the session.
const exactPath = z
  .string()
  .refine((path) => !/[*?[\]]/.test(path), { error: "must not hold wildcards (* ? [ ])", ...ruleCode("AGB110") });

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
      ["path", plainPath],
    ] as const) {
      const values = mounts.map((mount: Partial<ContextMount> | null) => mount?.[name]);
      values.forEach((value, index) => {
        if (typeof value !== "string" || value.trim() === "" || isUnknown(value)) {
          return;
        }
        const first = values.findIndex((other) => typeof other === "string" && identify(other) === identify(value));
        if (first < index) {
          context.addIssue({
            code: "custom",
            path: [index, name],
            message: `is the same as in contextSyncs[${first}]`,
            ...ruleCode("AGB111"),
          });
        }
      });
    }
  }, despiteInnerIssues);

/** Puts mounts in the order of their paths, so that another order in the program is no change. */
export function sortedMounts(mounts: unknown): unknown {
  const pathOf = (mount: unknown) => (mount as Partial<ContextMount> | undefined)?.path;
  if (!Array.isArray(mounts) || mounts.some((mount) => typeof pathOf(mount) !== "string" || isUnknown(pathOf(mount)))) {
    return mounts;
  }
  return [...(mounts as ContextMount[])].sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Tells whether AGB would be sent the same mounts, such as with a default written out. Values that are not known differ. */
export function sameMounts(one: readonly ContextMount[] = [], other: readonly ContextMount[] = []): boolean {
  if (![one, other].every(isMountList) || [one, other].some(holdsUnknown)) {
    return false;
  }
  const [before, after] = [one, other].map((mounts = []) => JSON.stringify(mounts.map(encodeMount)));
  return before === after;
}

/** A state that another version wrote, or that was edited, may hold anything. */
function isMountList(mounts: unknown): boolean {
  return mounts === undefined || contextSyncList.safeParse(mounts).success;
}
