import { z } from "zod";
import { AgbNotFoundError } from "../api/errors";
import { type KnownSecret, valueSecrets } from "../api/known-secrets";
import { unlessGone } from "../api/unless-gone";
import { AgbFileSourceError, changedError, readLocalFiles } from "../lifecycle/local-files";
import { AgbSessionFileError, type FileFault, findFiles, putFiles, removeFiles } from "../lifecycle/session-files";
import { AgbToolError } from "../lifecycle/session-shell";
import { describeFailure } from "../messages/describe-failure";
import type { Problem } from "../messages/problem";
import { DeclaredFiles } from "./declared-files";
import { fileSource, SourceReader, sourceCode } from "./file-source";
import { FileTurns } from "./file-turns";
import type { Properties } from "./hosted-kind";
import {
  type Advice,
  type Call,
  type PropertiesOfKind,
  type ResourceKind,
  type StateOf,
  UnfinishedResource,
} from "./kind";
import { filledString, mustBe, obey, ruleCode, serviceOutput, timeoutsInput } from "./types";
import { holdsUnknown, isUnknown, unknownValue } from "./unknown";
import { filePathProblem } from "./value-rules";

const filePath = z.string(mustBe("a string")).check(obey(filePathProblem, "AGB931"));

const permissionBits = z.string(mustBe('a string of octal digits, such as "0644"')).refine(
  // Without reading its own files, the session could not compare them.
  (digits) => /^0?[4-7][0-7]{2}$/.test(digits),
  { error: 'must be three octal digits that let the owner read, such as "0644"', ...ruleCode("AGB932") },
);

const defaultPermissions = "0644";

/** Everything that a program can declare of files in a session, and that the state holds. */
export const fileProperties = {
  sessionId: {
    description: "Id of the session that gets the files.",
    type: filledString,
    change: "replaces",
  },
  source: {
    description: "What to put there: an asset for a file, an archive for a folder.",
    type: fileSource,
    change: "updates",
  },
  path: {
    description: "Absolute path in the session of the file, or of the folder that gets the archive's files.",
    type: filePath,
    example: "/home/user/app",
    change: "replaces",
  },
  permissions: {
    description: "Permissions of the file, in octal digits.",
    type: permissionBits.optional(),
    example: "0600",
    change: "updates",
  },
  timeouts: timeoutsInput,
  contentHash: {
    description: "SHA-256 of the content.",
    type: z.string().optional(),
    change: "updates",
    declaredBy: "provider",
    madeFrom: { inputs: ["source"] },
  },
  service: serviceOutput,
} satisfies PropertiesOfKind;

/** Files in a session as the state holds them. */
export type FileState = StateOf<typeof fileProperties>;

/** What the state has in place of the hash of files that are not there. */
const missing = "missing";
/** What it has in place of the hash of files of which only some are there. */
const incomplete = "incomplete";

/** Makes the kind `AgbFile` for one process. */
export function fileKind(): ResourceKind<FileState> {
  const sources = new SourceReader();
  const declared = new DeclaredFiles();
  const turns = new FileTurns();

  function problems(
    { source, sessionId, path }: Properties,
    _settings: unknown,
    resource: string | undefined,
  ): Problem[] {
    const local = sources.files(source);
    const other =
      resource === undefined || isUnknown(sessionId) || !filePath.safeParse(path).success || isUnknown(path)
        ? undefined
        : declared.add(resource, sessionId, path as string, local);
    const reason = `${JSON.stringify(other)} already puts a file there; declare each file once`;
    return [
      ...sources.problems(source),
      ...(other === undefined ? [] : [{ path: "path", reason, code: "AGB937" } as const]),
    ];
  }

  function normalize(news: Properties): Properties {
    const { permissions = defaultPermissions, source } = news;
    const contentHash = holdsUnknown(source) ? unknownValue : sources.files(source)?.contentHash;
    return {
      ...news,
      permissions: isUnknown(permissions) ? permissions : (permissions as string).padStart(4, "0"),
      ...(contentHash !== undefined && { contentHash }),
    };
  }

  function put(call: Call, id: string, inputs: FileState): Promise<FileState> {
    return turns.take(inputs, () => putNow(call, id, inputs));
  }

  async function putNow({ client }: Call, id: string, inputs: FileState): Promise<FileState> {
    const { source, path, sessionId, permissions = defaultPermissions, contentHash } = inputs;
    const local = readLocalFiles(source);
    if (local.contentHash !== contentHash) {
      throw changedError("a file of the source");
    }
    let mayHaveChanged = false;
    try {
      await putFiles(client, sessionId, { path, local, mode: Number.parseInt(permissions, 8) }, () => {
        mayHaveChanged = true;
      });
    } catch (error) {
      if (mayHaveChanged && !(error instanceof AgbNotFoundError)) {
        const { text, code } = describeFailure(error);
        const advice = adviceFor(error) ?? { code, text: "" };
        const reason = `${text}. The files may be incomplete. ${advice.text || "Run `pulumi up` again to finish."}`;
        throw new UnfinishedResource(id, { ...inputs, contentHash: incomplete }, reason, advice.code, { cause: error });
      }
      throw error;
    }
    return inputs;
  }

  async function create(call: Call, inputs: FileState) {
    const id = inputs.sessionId + inputs.path;
    return { id, state: await put(call, id, inputs) };
  }

  async function read({ client }: Call, _id: string, known: Partial<FileState>) {
    const { sessionId, path } = known;
    if (sessionId === undefined || path === undefined) {
      return "gone";
    }
    const result = await unlessGone(findFiles(client, sessionId, path).then((found) => ({ found })));
    if (result === undefined) {
      // The program decides: a new session's id replaces the files too.
      return known;
    }
    const { found } = result;
    if (found === undefined) {
      return { ...known, contentHash: missing };
    }
    if (found.isIntact) {
      return { ...known, contentHash: found.contentHash, permissions: octal(found.mode) };
    }
    return found.single === undefined
      ? { ...known, contentHash: isSingle(known) ? missing : found.actualHash }
      : { ...known, contentHash: found.single.sha256, permissions: octal(found.single.mode) };
  }

  async function remove({ client, warn }: Call, _id: string, { sessionId, path }: Partial<FileState>) {
    if (sessionId === undefined || path === undefined) {
      return "deleted";
    }
    const wasKnown = await turns.take({ sessionId, path }, () => unlessGone(removeFiles(client, sessionId, path)));
    if (wasKnown === false) {
      const message =
        "the session's list of the files that were put into it is gone, so none was deleted. Delete them in the session if " +
        "they are in the way.";
      warn(message, "AGB946");
    }
    return wasKnown === undefined ? "absent" : "deleted";
  }

  return {
    name: "AgbFile",
    noun: "file",
    deleteVerb: "delete",
    properties: fileProperties,
    problems,
    normalize,
    // The same content from another place is no change. And two resources cannot have the same files in one session.
    differences: (_olds, { source }) => ({
      ignored: holdsUnknown(source) ? [] : ["source"],
      deleteBeforeReplace: true,
    }),
    secrets: ({ source }) => textSecrets(source),
    advice: (error, { operation }) => adviceFor(error, operation),
    create,
    read,
    update: (call, id, _olds, news) => put(call, id, news),
    delete: remove,
  };
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function isSingle({ source }: Partial<FileState>): boolean {
  return source !== undefined && ("file" in source || "text" in source);
}

/** Longer strings are only sent packed, so that no reply can repeat them. */
const longestHiddenText = 10_000;

function textSecrets(source: unknown): KnownSecret[] {
  if (typeof source !== "object" || source === null) {
    return [];
  }
  const { text, archive = {} } = source as { text?: unknown; archive?: object };
  const own =
    typeof text === "string" && text.trim().length >= 4 && text.length <= longestHiddenText
      ? valueSecrets(text, "[content of the file]")
      : [];
  return [...own, ...Object.values(archive).flatMap(textSecrets)];
}

const faultAdvice: Readonly<Record<FileFault, Advice>> = {
  programs: { code: "AGB942", text: "Use an image that has them, or install them first." },
  denied: { code: "AGB943", text: "Choose a path below the session's home directory, such as /home/user." },
  blocked: { code: "AGB944", text: "Remove it in the session, or choose another path." },
  full: { code: "AGB949", text: "Free some space in the session, or recreate it. Then run `pulumi up` again." },
  failed: {
    code: "AGB947",
    text: "Check the space on the session's disk and who may write there, then run `pulumi up` again.",
  },
};

/** What to do about an error. Those of calls to AGB are left to what all kinds share. */
function adviceFor(error: unknown, operation?: string): Advice | undefined {
  if (error instanceof AgbFileSourceError) {
    return { code: sourceCode(error), text: "Run `pulumi up` again when the files are ready." };
  }
  if (error instanceof AgbSessionFileError) {
    return faultAdvice[error.fault];
  }
  if (error instanceof AgbToolError) {
    return {
      code: "AGB941",
      text: "The image needs the tools `shell` and `write_file`. If it has them, run `pulumi up` again.",
    };
  }
  if (error instanceof AgbNotFoundError && operation !== "read") {
    return { code: "AGB945", text: "The session is gone. Run `pulumi up --refresh` to recreate it with its files." };
  }
  return undefined;
}
