import { posix } from "node:path";
import { z } from "zod";
import type { ContextFile, SyncDirection } from "../contexts/context-record";
import { normalizeFilePath, normalizePath, pathBelow } from "../contexts/file-paths";
import { signedFileUrl } from "../contexts/file-urls";
import { contextFileNotFound } from "../failures";
import { nothing, type RouteContext, requireContext, requiredString, route } from "./route";

const fileParameters = z.object({ contextId: requiredString, filePath: requiredString });

function fileUrl(
  { contextId, filePath }: z.output<typeof fileParameters>,
  direction: SyncDirection,
  { clock, fileSecret, origin, settings }: RouteContext,
) {
  const expiresAtSeconds = Math.ceil(clock.now() / 1000 + settings.fileUrlLifetimeSeconds);
  const url = signedFileUrl(origin, fileSecret, { contextId, filePath, direction, expiresAtSeconds });
  return { data: { url, expireTime: expiresAtSeconds } };
}

/** POST /sdk/GetContextFileUploadUrl: an address for PUT without a key. */
export const getContextFileUploadUrl = route({
  method: "POST",
  path: "/sdk/GetContextFileUploadUrl",
  operation: "GetContextFileUploadUrl",
  writes: false,
  usesContexts: ({ query }) => [query.contextId],
  query: fileParameters,
  body: nothing,
  handle({ query: { contextId, filePath } }, context) {
    requireContext(context.contexts, contextId);
    return fileUrl({ contextId, filePath: normalizeFilePath("filePath", filePath) }, "upload", context);
  },
});

/** POST /sdk/GetContextFileDownloadUrl: an address for GET without a key. The file need not exist yet. */
export const getContextFileDownloadUrl = route({
  method: "POST",
  path: "/sdk/GetContextFileDownloadUrl",
  operation: "GetContextFileDownloadUrl",
  writes: false,
  usesContexts: ({ query }) => [query.contextId],
  query: fileParameters,
  body: nothing,
  handle({ query: { contextId, filePath } }, context) {
    requireContext(context.contexts, contextId);
    return fileUrl({ contextId, filePath: normalizeFilePath("filePath", filePath) }, "download", context);
  },
});

/** POST /sdk/DeleteContextFile. */
export const deleteContextFile = route({
  method: "POST",
  path: "/sdk/DeleteContextFile",
  operation: "DeleteContextFile",
  writes: true,
  usesContexts: ({ query }) => [query.contextId],
  query: fileParameters,
  body: nothing,
  handle({ query: { contextId, filePath } }, { contexts }) {
    const path = normalizeFilePath("filePath", filePath);
    if (contexts.findFile(requireContext(contexts, contextId).contextId, path) === undefined) {
      throw contextFileNotFound();
    }
    contexts.removeFile(contextId, path);
    return {};
  },
});

const positive = (initial: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, { error: "must be a whole number" })
    .transform(Number)
    .refine((value) => value >= 1, { error: "must be at least 1" })
    .default(initial);

/** POST /sdk/DescribeContextFiles: the files and folders directly in a folder, by name. Empty folders do not exist. */
export const describeContextFiles = route({
  method: "POST",
  path: "/sdk/DescribeContextFiles",
  operation: "DescribeContextFiles",
  writes: false,
  usesContexts: ({ query }) => [query.contextId],
  query: z.object({
    contextId: requiredString,
    parentFolderPath: z.string().default("/"),
    pageNumber: positive(1),
    pageSize: positive(50),
  }),
  body: nothing,
  handle({ query: { contextId, parentFolderPath, pageNumber, pageSize } }, { contexts }) {
    const folder = normalizePath("parentFolderPath", parentFolderPath);
    const entries = entriesIn(folder, contexts.files(requireContext(contexts, contextId).contextId));
    return { data: entries.slice((pageNumber - 1) * pageSize, pageNumber * pageSize), count: entries.length };
  },
});

function entriesIn(folder: string, files: Iterable<ContextFile>) {
  const entries = new Map<string, ReturnType<typeof describeFile> | ReturnType<typeof describeFolder>>();
  for (const file of files) {
    const below = pathBelow(folder, file.path);
    const [name = "", ...rest] = below?.split("/") ?? [];
    if (below !== undefined) {
      entries.set(name, rest.length === 0 ? describeFile(file) : describeFolder(posix.join(folder, name), file));
    }
  }
  return [...entries].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, entry]) => entry);
}

function describeFile(file: ContextFile) {
  return {
    fileId: file.fileId,
    fileName: posix.basename(file.path),
    filePath: file.path,
    fileType: "file",
    gmtCreate: new Date(file.createdAtMs).toISOString(),
    gmtModified: new Date(file.modifiedAtMs).toISOString(),
    size: file.sizeBytes,
    status: "available",
  };
}

function describeFolder(path: string, anyFile: ContextFile) {
  return {
    ...describeFile(anyFile),
    fileId: "",
    fileName: posix.basename(path),
    filePath: path,
    fileType: "folder",
    size: 0,
  };
}
