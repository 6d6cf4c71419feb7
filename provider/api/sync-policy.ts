/**
 * How a context is mounted into a session and kept in sync with it: the policy in the words of AGB's TypeScript SDK, and
 * its form on the wire. This file imports nothing, so that a program can take its types and lists.
 */

/** How long AGB keeps the files of a context, with the spelling that AGB uses. */
export const recycleLifecycles = [
  "Lifecycle_1Day",
  "Lifecycle_3Days",
  "Lifecycle_5Days",
  "Lifecycle_10Days",
  "Lifecycle_15Days",
  "Lifecycle_30Days",
  "Lifecycle_90Days",
  "Lifecycle_180Days",
  "Lifecycle_360Days",
  "Lifecycle_Forever",
] as const;

/** How files are uploaded: each on its own, or all in one archive. */
export const uploadModes = ["File", "Archive"] as const;

/** When files are uploaded. AGB has one strategy. */
export const uploadStrategies = ["UploadBeforeResourceRelease"] as const;

/** How files are downloaded. AGB has one strategy. */
export const downloadStrategies = ["DownloadAsync"] as const;

/** Whether and how the session's files go to the context. */
export interface UploadPolicy {
  /** Upload when the session is released. Default: true. */
  readonly autoUpload?: boolean | undefined;
  /** Default: `UploadBeforeResourceRelease`, the only one. */
  readonly uploadStrategy?: (typeof uploadStrategies)[number] | undefined;
  /** Default: `File`. AGB does not allow another mode later for the same data. */
  readonly uploadMode?: (typeof uploadModes)[number] | undefined;
}

/** Whether and how the context's files come to the session. */
export interface DownloadPolicy {
  /** Download when the session begins. Default: true. */
  readonly autoDownload?: boolean | undefined;
  /** Default: `DownloadAsync`, the only one. */
  readonly downloadStrategy?: (typeof downloadStrategies)[number] | undefined;
}

/** What becomes of files in the context that were deleted in the session. */
export interface DeletePolicy {
  /** Delete them in the context too. Default: true. */
  readonly syncLocalFile?: boolean | undefined;
}

/** What becomes of archives that are downloaded. */
export interface ExtractPolicy {
  /** Unpack them. Default: true. */
  readonly extract?: boolean | undefined;
  /** Delete the archive afterwards. Default: true. */
  readonly deleteSrcFile?: boolean | undefined;
  /** Unpack into the archive's own folder. Default: false. */
  readonly extractCurrentFolder?: boolean | undefined;
}

/** How long AGB keeps the files. */
export interface RecyclePolicy {
  /** Default: `Lifecycle_Forever`. */
  readonly lifecycle?: (typeof recycleLifecycles)[number] | undefined;
  /** Folders that the lifecycle is for, without wildcards. Default: `[""]`, which means all. */
  readonly paths?: readonly string[] | undefined;
}

/** A path that is synchronized, relative to the mount. */
export interface WhiteList {
  readonly path: string;
  /** Paths below it that are not. Default: none. */
  readonly excludePaths?: readonly string[] | undefined;
}

/** Which files are synchronized. */
export interface BWList {
  /** Default: none, which means all files. */
  readonly whiteLists?: readonly WhiteList[] | undefined;
}

/** Where the files lie in the context. */
export interface MappingPolicy {
  /** The path that the files had when they were uploaded. */
  readonly path: string;
}

/** How a context and a session are kept in sync. Each part and each field has AGB's default. */
export interface SyncPolicy {
  readonly uploadPolicy?: UploadPolicy | undefined;
  readonly downloadPolicy?: DownloadPolicy | undefined;
  readonly deletePolicy?: DeletePolicy | undefined;
  readonly extractPolicy?: ExtractPolicy | undefined;
  readonly recyclePolicy?: RecyclePolicy | undefined;
  readonly bwList?: BWList | undefined;
  /** Default: the files lie in the context below the path of the mount. */
  readonly mappingPolicy?: MappingPolicy | undefined;
}

/** A context that a session mounts. */
export interface ContextMount {
  readonly contextId: string;
  /** Where it is mounted: an absolute path in the session. */
  readonly path: string;
  /** Default: AGB's defaults. */
  readonly policy?: SyncPolicy | undefined;
}

/** The path of a mount without superfluous slashes, to compare it with another one. */
export function plainPath(path: string): string {
  return `/${path.split("/").filter(Boolean).join("/")}`;
}

/** Whether AGB uploads the mount's files when the session is released. */
export function uploadsOnRelease({ policy }: ContextMount): boolean {
  return policy?.uploadPolicy?.autoUpload ?? true;
}

/** Whether AGB downloads the context's files when the session begins. */
export function downloadsOnCreate({ policy }: ContextMount): boolean {
  return policy?.downloadPolicy?.autoDownload ?? true;
}

/** A mount as createSession wants it. The policy is always there: AGB's SDKs drop a mount without one. */
export function encodeMount({ contextId, path, policy = {} }: ContextMount) {
  return { contextId, path, policy: encodePolicy(policy) };
}

/** A policy as AGB wants it on the wire: a JSON object as text, with every default filled in. */
export function encodePolicy(policy: SyncPolicy): string {
  const { uploadPolicy, downloadPolicy, deletePolicy, extractPolicy, recyclePolicy, bwList, mappingPolicy } = policy;
  return JSON.stringify({
    uploadPolicy: {
      autoUpload: uploadPolicy?.autoUpload ?? true,
      uploadStrategy: uploadPolicy?.uploadStrategy ?? uploadStrategies[0],
      uploadMode: uploadPolicy?.uploadMode ?? uploadModes[0],
    },
    downloadPolicy: {
      autoDownload: downloadPolicy?.autoDownload ?? true,
      downloadStrategy: downloadPolicy?.downloadStrategy ?? downloadStrategies[0],
    },
    deletePolicy: { syncLocalFile: deletePolicy?.syncLocalFile ?? true },
    extractPolicy: {
      extract: extractPolicy?.extract ?? true,
      deleteSrcFile: extractPolicy?.deleteSrcFile ?? true,
      // The SDK's option is called `extractCurrentFolder`, the key on the wire is not.
      extractToCurrentFolder: extractPolicy?.extractCurrentFolder ?? false,
    },
    recyclePolicy: {
      lifecycle: recyclePolicy?.lifecycle ?? "Lifecycle_Forever",
      paths: recyclePolicy?.paths ?? [""],
    },
    bwList: {
      whiteLists: (bwList?.whiteLists ?? []).map(({ path, excludePaths = [] }) => ({ path, excludePaths })),
    },
    ...(mappingPolicy !== undefined && { mappingPolicy: { path: mappingPolicy.path } }),
  });
}
