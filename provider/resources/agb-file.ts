import * as pulumi from "@pulumi/pulumi";
import type { FileState } from "../kinds/file";
import { typeTokens } from "../type-tokens";
import { describeAssets } from "./asset-description";
import { checkConstruction, deletingFirst } from "./constructor-checks";
import { providerReference } from "./reference";
import type { SeededOutputs } from "./seeded-outputs";

/** What a program declares of files in a session. */
export interface AgbFileArgs {
  /** Id of the session that gets the files. A change replaces the file. */
  readonly sessionId: pulumi.Input<string>;
  /**
   * What to put there: an asset for a file, an archive for a folder. `FileAsset`, `StringAsset`, `FileArchive` with the path of
   * a folder, and `AssetArchive` work, also nested. Remote assets and packed archives do not. All files together may have
   * 100 MB, and a string 1 MiB. Only content, names and execute permissions count as a change, not the place on this machine.
   * A change updates the file in place.
   */
  readonly source: pulumi.Input<pulumi.asset.Asset | pulumi.asset.Archive>;
  /**
   * Absolute path in the session of the file, or of the folder that gets the archive's files. Messages and the id of the
   * resource show it, even if it is secret. A change replaces the file.
   */
  readonly path: pulumi.Input<string>;
  /**
   * Permissions of the file, in octal digits. The owner must be able to read it. In a folder, a file that its owner may execute
   * on this machine may also be executed in the session by everyone who may read it. A change updates the file in place.
   *
   * @default "0644"
   */
  readonly permissions?: pulumi.Input<string>;
  /**
   * Limits of whole operations, in seconds. A change is stored in the state only.
   *
   * @default none; each call has the limit `agb:timeoutMs`
   */
  readonly timeouts?: pulumi.Input<AgbFileTimeouts>;
}

/** Limits of whole operations, in seconds. */
export interface AgbFileTimeouts {
  /** Limit of a create. */
  readonly create?: pulumi.Input<number>;
  /** Limit of an update. */
  readonly update?: pulumi.Input<number>;
  /** Limit of a delete. */
  readonly delete?: pulumi.Input<number>;
}

const words = {
  className: "AgbFile",
  insteadOfImport: "a new AgbFile with the same path, which takes over the files",
  noLookup: { reason: "files in a session cannot be looked up", code: "AGB948" },
  whyDeletingFirst: {
    reason: "would lose files: the old resource would be deleted last, with the files of the new one",
    code: "AGB117",
  },
} as const;

const outputs: SeededOutputs<AgbFile, FileState> = {
  sessionId: undefined,
  path: undefined,
  permissions: undefined,
  contentHash: undefined,
};

/**
 * Files in a session: a file, a string or a folder of this machine. The image needs the tools `shell` and `write_file`.
 *
 * Files are compared by hash. An update sends only files that differ, and removes those that have left the archive. Files that
 * others put into the same folder stay. If something changes or removes a file in the session, a refresh shows it and the next
 * `up` repairs it. A new session gets all files again.
 *
 * Programs in the session never see half a file: each is sent under another name, checked and then renamed.
 *
 * The option `import` does not work with a dynamic provider. A new `AgbFile` takes over files that exist already. The option
 * `customTimeouts` has no effect: use `timeouts`.
 *
 * @example
 * import * as pulumi from "@pulumi/pulumi";
 * import { AgbFile, AgbSession } from "pulumi-agb";
 *
 * const { sessionId } = new AgbSession("web", { imageId: "agb-code-space-1" });
 *
 * const app = new AgbFile("app", {
 *   sessionId,
 *   source: new pulumi.asset.FileArchive("./app"),
 *   path: "/home/user/app",
 * });
 *
 * new AgbFile("config", {
 *   sessionId,
 *   source: new pulumi.asset.StringAsset(JSON.stringify({ port: 8080 })),
 *   path: "/home/user/config.json",
 *   permissions: "0600",
 * });
 *
 * export const contentHash = app.contentHash;
 */
export class AgbFile extends pulumi.CustomResource {
  /** Id of the session that has the files. */
  declare readonly sessionId: pulumi.Output<string>;
  /** Path of the file or folder in the session. */
  declare readonly path: pulumi.Output<string>;
  /** The file's permissions, in four octal digits. */
  declare readonly permissions: pulumi.Output<string>;
  /**
   * SHA-256 of a file's content, or of an archive's list of names, contents and execute permissions, in hexadecimal digits. Use
   * it to run a command again when files change. Secret if the source is.
   */
  declare readonly contentHash: pulumi.Output<string>;

  /**
   * @param name name of the resource, unique in the stack
   * @throws RunError when `opts.import` or `opts.id` is set: files can only be put
   */
  constructor(name: string, args: AgbFileArgs, opts: pulumi.CustomResourceOptions = {}) {
    checkConstruction(words, name, opts);
    const source = describeAssets(args.source);
    super(
      typeTokens.file.dynamic,
      name,
      {
        ...outputs,
        ...args,
        source,
        // The provider's check puts the hash there. Pulumi hides what takes the place of a secret.
        contentHash: source.apply(() => ""),
        __resource: name,
        __provider: providerReference("file"),
      },
      deletingFirst(words, name, opts),
    );
  }
}
