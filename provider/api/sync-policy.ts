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
  /** Whether to upload when the session is released. @default true */
  readonly autoUpload?: boolean | undefined;
  /** When to upload. There is one strategy. @default "UploadBeforeResourceRelease" */
  readonly uploadStrategy?: (typeof uploadStrategies)[number] | undefined;
  /** Whether to upload each file, or one archive. AGB does not allow another mode later for the same data. @default "File" */
  readonly uploadMode?: (typeof uploadModes)[number] | undefined;
}

/** Whether and how the context's files come to the session. */
export interface DownloadPolicy {
  /** Whether to download when the session begins. @default true */
  readonly autoDownload?: boolean | undefined;
  /** How to download. There is one strategy. @default "DownloadAsync" */
  readonly downloadStrategy?: (typeof downloadStrategies)[number] | undefined;
}

/** What happens to files in the context that were deleted in the session. */
export interface DeletePolicy {
  /** Whether to delete them in the context too. @default true */
  readonly syncLocalFile?: boolean | undefined;
}

/** What happens to downloaded archives. */
export interface ExtractPolicy {
  /** Whether to unpack them. @default true */
  readonly extract?: boolean | undefined;
  /** Whether to delete the archive afterwards. @default true */
  readonly deleteSrcFile?: boolean | undefined;
  /** Whether to unpack into the archive's own folder. @default false */
  readonly extractCurrentFolder?: boolean | undefined;
}

/** How long AGB keeps the files. */
export interface RecyclePolicy {
  /** How long. @default "Lifecycle_Forever" */
  readonly lifecycle?: (typeof recycleLifecycles)[number] | undefined;
  /** Folders to which the lifecycle applies, without wildcards. `""` means all. @default [""] */
  readonly paths?: readonly string[] | undefined;
}

/** A path that is synchronized. */
export interface WhiteList {
  /** The path, relative to the mount, without wildcards. */
  readonly path: string;
  /** Paths below it that are not synchronized, without wildcards. @default [] */
  readonly excludePaths?: readonly string[] | undefined;
}

/** Which files are synchronized. */
export interface BWList {
  /** Paths that are synchronized. An empty list means all files. @default [] */
  readonly whiteLists?: readonly WhiteList[] | undefined;
}

/** Where the files are in the context. */
export interface MappingPolicy {
  /** The path that the files had when they were uploaded. */
  readonly path: string;
}

/** How a context and a session are kept in sync. Each part and each field has AGB's default. */
export interface SyncPolicy {
  /** Whether and how the session's files go to the context. */
  readonly uploadPolicy?: UploadPolicy | undefined;
  /** Whether and how the context's files come to the session. */
  readonly downloadPolicy?: DownloadPolicy | undefined;
  /** What happens to files in the context that were deleted in the session. */
  readonly deletePolicy?: DeletePolicy | undefined;
  /** What happens to downloaded archives. */
  readonly extractPolicy?: ExtractPolicy | undefined;
  /** How long AGB keeps the files. */
  readonly recyclePolicy?: RecyclePolicy | undefined;
  /** Which files are synchronized. */
  readonly bwList?: BWList | undefined;
  /** Where the files are in the context. @default below the path of the mount */
  readonly mappingPolicy?: MappingPolicy | undefined;
}

/** AGB's defaults. The `@default` above are compared with it by a test. */
export const policyDefaults = {
  uploadPolicy: { autoUpload: true, uploadStrategy: uploadStrategies[0], uploadMode: uploadModes[0] },
  downloadPolicy: { autoDownload: true, downloadStrategy: downloadStrategies[0] },
  deletePolicy: { syncLocalFile: true },
  extractPolicy: { extract: true, deleteSrcFile: true, extractCurrentFolder: false },
  recyclePolicy: { lifecycle: "Lifecycle_Forever", paths: [""] },
  bwList: { whiteLists: [] },
} as const satisfies SyncPolicy;

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
  return policy?.uploadPolicy?.autoUpload ?? policyDefaults.uploadPolicy.autoUpload;
}

/** Whether AGB downloads the context's files when the session begins. */
export function downloadsOnCreate({ policy }: ContextMount): boolean {
  return policy?.downloadPolicy?.autoDownload ?? policyDefaults.downloadPolicy.autoDownload;
}

/** A mount as createSession wants it. The policy is always there: AGB's SDKs drop a mount without one. */
export function encodeMount({ contextId, path, policy = {} }: ContextMount) {
  return { contextId, path, policy: encodePolicy(policy) };
}

/** A policy as AGB wants it on the wire: a JSON object as a string, with every default filled in. */
export function encodePolicy(policy: SyncPolicy): string {
  const defaults = policyDefaults;
  const uploadPolicy = filled(policy.uploadPolicy, defaults.uploadPolicy);
  const downloadPolicy = filled(policy.downloadPolicy, defaults.downloadPolicy);
  const deletePolicy = filled(policy.deletePolicy, defaults.deletePolicy);
  const { extract, deleteSrcFile, extractCurrentFolder } = filled(policy.extractPolicy, defaults.extractPolicy);
  const recyclePolicy = filled(policy.recyclePolicy, defaults.recyclePolicy);
  const { whiteLists } = filled(policy.bwList, defaults.bwList);
  return JSON.stringify({
    uploadPolicy,
    downloadPolicy,
    deletePolicy,
    // The SDK's option is called `extractCurrentFolder`, the key on the wire is not.
    extractPolicy: { extract, deleteSrcFile, extractToCurrentFolder: extractCurrentFolder },
    recyclePolicy,
    bwList: { whiteLists: whiteLists.map(({ path, excludePaths = [] }) => ({ path, excludePaths })) },
    ...(policy.mappingPolicy !== undefined && { mappingPolicy: { path: policy.mappingPolicy.path } }),
  });
}

type Filled<Part> = { readonly [Name in keyof Part]-?: Exclude<Part[Name], undefined> };

/** The fields of a part in the order of its defaults, because the strings of two policies are compared. */
function filled<Part extends object>(part: Part | undefined, defaults: Filled<Part>): Filled<Part> {
  const names = Object.keys(defaults) as (keyof Part)[];
  return Object.fromEntries(names.map((name) => [name, part?.[name] ?? defaults[name]])) as unknown as Filled<Part>;
}
