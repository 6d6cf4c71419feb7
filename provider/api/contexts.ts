import { posix } from "node:path";
import { z } from "zod";
import { boundedList } from "./bounded-list";
import type { AgbClient, Operation } from "./client";
import { AgbApiError, AgbAuthenticationError, AgbNotFoundError, AgbUnexpectedReplyError } from "./errors";
import { contextGoneCodes, noSuchCallCode } from "./gone";
import { itemsOfPages, type Page } from "./pages";
import { isTransient } from "./retry";
import { unlessGone } from "./unless-gone";

/** A context: a named store of files that sessions mount. */
export interface Context {
  /** AGB's id; it never changes and is never used again. */
  readonly contextId: string;
  /** Unique in the account and region. */
  readonly name: string;
  /** AGB's state in small letters, such as `available` or `clearing`; empty when AGB names none, as in lists. */
  readonly state: string;
}

/** A file or folder in a context. */
export interface ContextEntry {
  /** Path in the context as AGB shows it: absolute as far as known, and empty when AGB names none. */
  readonly path: string;
  readonly isFolder: boolean;
}

/** How many files a context holds. */
export interface FileCount {
  readonly files: number;
  /** Whether these are all. `false` when the counting stopped early: there are at least so many, or unread folders. */
  readonly isComplete: boolean;
}

const text = z.string().nullish();

const context = z
  .looseObject({ id: z.string().min(1), name: z.string(), state: text })
  .transform(({ id, name, state }): Context => ({ contextId: id, name, state: (state ?? "").toLowerCase() }));

const nothing = z.unknown().transform(() => undefined);

const itemCount = z.int().min(0).nullish();

/** Whether a reply has a list. One without a list proves nothing, unless its count is 0. */
function hasList(data: unknown): boolean {
  return data !== undefined && data !== null;
}

const ofContext = { goneCodes: contextGoneCodes, innerVerdict: false, idempotent: true } as const;

const lookup = {
  ...ofContext,
  name: "GetContext",
  method: "GET",
  path: "/sdk/GetContext",
  reply: z.looseObject({ data: context }).transform(({ data }) => data),
} as const;

// Never with a name as well: an outdated name beside the id leaves open which of the two decides.
const getOperation: Operation<{ contextId: string }, Context> = {
  ...lookup,
  parts: ({ contextId }) => ({ query: { id: contextId, allowCreate: "false" } }),
};

const findOperation: Operation<{ name: string }, Context> = {
  ...lookup,
  parts: ({ name }) => ({ query: { name, allowCreate: "false" } }),
};

const createOperation: Operation<{ name: string }, Context> = {
  ...lookup,
  // It returns the context that has the name, so another call makes no second one.
  idempotent: true,
  // "Not found" would be no answer to a create.
  goneCodes: [],
  parts: ({ name }) => ({ query: { name, allowCreate: "true" } }),
};

/** A page, and how many contexts there are as far as AGB says so. */
type ContextPage = Page<Context> & { readonly totalCount: number };

const listOperation: Operation<{ nextToken: string | undefined; pageSize: number }, ContextPage> = {
  ...ofContext,
  goneCodes: [],
  name: "ListContexts",
  method: "GET",
  path: "/sdk/ListContexts",
  parts: ({ nextToken, pageSize }) => ({
    query: { maxResults: String(pageSize), ...(nextToken !== undefined && { nextToken }) },
  }),
  // AGB's SDKs look for the token inside of `data`, which is an array, and so never see a second page.
  reply: z
    .looseObject({ data: z.unknown().optional(), totalCount: itemCount })
    .refine(({ data, totalCount }) => hasList(data) || totalCount === 0, { path: ["data"], error: "it is not a list" })
    .pipe(
      z.looseObject({
        data: boundedList(context, "the page has too many contexts").optional(),
        nextToken: text,
        totalCount: itemCount,
      }),
    )
    .transform(({ data, nextToken, totalCount }) => ({
      items: data ?? [],
      nextToken: nextToken ?? undefined,
      totalCount: totalCount ?? 0,
    })),
};

const renameOperation: Operation<{ contextId: string; name: string }, void> = {
  ...ofContext,
  name: "ModifyContext",
  method: "POST",
  path: "/sdk/ModifyContext",
  parts: ({ contextId, name }) => ({ query: { id: contextId, name } }),
  reply: nothing,
};

const deleteOperation: Operation<{ contextId: string }, void> = {
  ...ofContext,
  name: "DeleteContext",
  method: "POST",
  path: "/sdk/DeleteContext",
  parts: ({ contextId }) => ({ query: { id: contextId } }),
  reply: nothing,
};

const clearOperation: Operation<{ contextId: string }, void> = {
  ...ofContext,
  name: "ClearContext",
  method: "POST",
  path: "/sdk/ClearContext",
  parts: ({ contextId }) => ({ query: { id: contextId } }),
  reply: nothing,
};

const folderTypes = new Set(["folder", "directory", "dir"]);

const entry = z
  .looseObject({ filePath: text, fileName: text, fileType: text })
  .transform(({ filePath, fileName, fileType }) => ({
    path: filePath || fileName || "",
    // AGB's words for the types are not known. What is not certainly a folder counts as a file, so that it is not lost.
    isFolder: folderTypes.has((fileType ?? "").toLowerCase()),
  }));

const filesOperation: Operation<
  { contextId: string; folder: string | undefined; pageNumber: number },
  { entries: ContextEntry[]; count: number }
> = {
  ...ofContext,
  name: "DescribeContextFiles",
  method: "POST",
  path: "/sdk/DescribeContextFiles",
  parts: ({ contextId, folder, pageNumber }) => ({
    query: {
      contextId,
      ...(folder !== undefined && { parentFolderPath: folder }),
      pageNumber: String(pageNumber),
      pageSize: String(filesPerPage),
    },
  }),
  reply: z
    .looseObject({ data: z.unknown().optional(), count: itemCount })
    .refine(({ data, count }) => hasList(data) || count === 0, { path: ["data"], error: "it is not a list" })
    .pipe(z.looseObject({ data: boundedList(entry, "the page has too many files").optional(), count: itemCount }))
    .transform(({ data, count }) => ({ entries: data ?? [], count: count ?? 0 })),
};

const filesPerPage = 100;

/** Nobody reads a higher number in an error, and each folder costs a call. */
const mostCountedEntries = 1_000;
const mostCountedFolders = 100;

/**
 * Finds the context that has a name.
 *
 * @returns `undefined` when there is none, which only AGB's own code can say
 * @throws AgbUnexpectedReplyError when AGB answers with a context of another name
 */
export async function findContext(client: AgbClient, name: string): Promise<Context | undefined> {
  const found = await unlessGone(client.call(findOperation, { name }));
  if (found !== undefined && found.name.trim() !== name.trim()) {
    throw otherContext();
  }
  return found;
}

/**
 * Reads a context by its id. Where AGB refuses to look up an id (a test of AGB's SDK remarks that the name may be missing
 * then), it is looked up by the name it is known by, and after that in the list, because it may have another name now.
 *
 * @param knownName the name that it had last; without it such a refusal is thrown
 * @returns `undefined` when it is gone, which only AGB's own code can say
 * @throws AgbUnexpectedReplyError when AGB answers with another context
 */
export async function getContext(
  client: AgbClient,
  contextId: string,
  knownName?: string,
): Promise<Context | undefined> {
  try {
    const found = await unlessGone(client.call(getOperation, { contextId }));
    if (found !== undefined && found.contextId !== contextId) {
      throw otherContext();
    }
    return found;
  } catch (error) {
    if (knownName === undefined || !isRefusalOfIds(error)) {
      throw error;
    }
    const named = await findContext(client, knownName);
    if (named?.contextId === contextId) {
      return named;
    }
  }
  for await (const listed of listContexts(client)) {
    if (listed.contextId === contextId) {
      return listed;
    }
  }
  return undefined;
}

/**
 * Makes a context, or returns the one that has the name: AGB does not say which of the two it did. So look with
 * `findContext` first.
 *
 * @throws AgbUnexpectedReplyError when AGB answers with a context of another name
 */
export async function createContext(client: AgbClient, name: string): Promise<Context> {
  const made = await client.call(createOperation, { name });
  if (made.name.trim() !== name.trim()) {
    throw otherContext();
  }
  return made;
}

/**
 * Yields the contexts of the account, from every page, each context once, in no order to rely on.
 *
 * @param pageSize how many contexts to ask for with one call
 * @param onCount called after each page with the number of all contexts, which is 0 when AGB does not name it
 * @throws AgbEndlessListError when the list does not end, see `itemsOfPages`
 * @throws AgbUnexpectedReplyError when AGB returns no list, or at the end when it counts more contexts than it listed
 */
export async function* listContexts(
  client: AgbClient,
  pageSize = 100,
  onCount: (count: number) => void = () => {},
): AsyncGenerator<Context> {
  let totalCount = 0;
  let listed = 0;
  const contexts = itemsOfPages({
    operation: listOperation.name,
    fetchPage: async (nextToken, leftMs) => {
      const page = await client.within(leftMs).call(listOperation, { nextToken, pageSize });
      totalCount = page.totalCount;
      onCount(totalCount);
      return page;
    },
    keyOf: ({ contextId }) => contextId,
  });
  for await (const found of contexts) {
    listed += 1;
    yield found;
  }
  if (listed < totalCount) {
    const reason = `it counts ${totalCount} contexts and lists ${listed}`;
    throw new AgbUnexpectedReplyError(listOperation.name, 200, "", reason);
  }
}

/**
 * Gives a context another name. What AGB does when another context has that name is not documented.
 *
 * @throws AgbNotFoundError when the context is gone
 */
export function renameContext(client: AgbClient, contextId: string, name: string): Promise<void> {
  return client.call(renameOperation, { contextId, name });
}

/**
 * Deletes a context with all its files.
 *
 * @throws AgbNotFoundError when it is already gone
 */
export function deleteContext(client: AgbClient, contextId: string): Promise<void> {
  return client.call(deleteOperation, { contextId });
}

/**
 * Starts to delete all files of a context; its state is `clearing` until that is done.
 *
 * @throws AgbNotFoundError when the context is gone
 */
export function clearContext(client: AgbClient, contextId: string): Promise<void> {
  return client.call(clearOperation, { contextId });
}

/**
 * Yields the files and folders that lie directly in a folder of a context, from every page, each once. It reads until a
 * page has nothing new: AGB's count may be that of the page, and pages may repeat entries.
 *
 * @param folder absolute path in the context; `undefined` leaves the choice to AGB
 * @param onMissing called at the end when AGB counts more entries than it listed
 * @throws AgbNotFoundError when the context is gone
 * @throws AgbEndlessListError when the list does not end, see `itemsOfPages`
 * @throws AgbUnexpectedReplyError when AGB counts files but lists none, or returns no list
 */
export function listFiles(
  client: AgbClient,
  contextId: string,
  folder: string | undefined,
  onMissing: () => void = () => {},
): AsyncGenerator<ContextEntry> {
  const keys = new Set<string>();
  let mostCounted = 0;
  return itemsOfPages({
    operation: filesOperation.name,
    fetchPage: async (token, leftMs) => {
      const pageNumber = Number(token ?? "1");
      const page = await client.within(leftMs).call(filesOperation, { contextId, folder, pageNumber });
      const known = keys.size;
      for (const listed of page.entries) {
        keys.add(keyOf(listed));
      }
      if (keys.size === 0 && page.count > 0) {
        throw new AgbUnexpectedReplyError(filesOperation.name, 200, "", `it counts ${page.count} files and lists none`);
      }
      mostCounted = Math.max(mostCounted, page.count);
      const isLast = keys.size === known;
      if (isLast && keys.size < mostCounted) {
        onMissing();
      }
      return { items: page.entries, nextToken: isLast ? undefined : String(pageNumber + 1) };
    },
    keyOf,
  });
}

/** Tells whether a context certainly holds no files. */
export function isEmpty({ files, isComplete }: FileCount): boolean {
  return files === 0 && isComplete;
}

/**
 * Counts the files of a whole context, folder by folder: AGB lists one folder at a time and has no total. It stops after
 * about a thousand files or a hundred folders.
 *
 * @throws AgbNotFoundError when the context is gone
 */
export async function countFiles(client: AgbClient, contextId: string): Promise<FileCount> {
  const counted = await countFrom(client, contextId, "/");
  if (!isEmpty(counted)) {
    return counted;
  }
  // Nothing documents that "/" is the root. So "no files" must be true for the folder that AGB chooses, too.
  try {
    return await countFrom(client, contextId, undefined);
  } catch (error) {
    if (isRefusal(error)) {
      return counted;
    }
    throw error;
  }
}

async function countFrom(client: AgbClient, contextId: string, root: string | undefined): Promise<FileCount> {
  const folders = [root];
  const seen = new Set<string>();
  let files = 0;
  let isComplete = true;
  const onMissing = () => {
    isComplete = false;
  };
  for (const [index, folder] of folders.entries()) {
    if (index >= mostCountedFolders) {
      return { files, isComplete: false };
    }
    for await (const { path: shown, isFolder } of listFiles(client, contextId, folder, onMissing)) {
      const path = isFolder ? folderPath(shown, folder) : pathIn(folder, shown);
      if (path === undefined) {
        isComplete = false;
        continue;
      }
      const key = keyOf({ path, isFolder });
      if (seen.has(key)) {
        continue;
      }
      if (seen.size >= mostCountedEntries) {
        return { files, isComplete: false };
      }
      seen.add(key);
      if (isFolder) {
        folders.push(path);
      } else {
        files += 1;
      }
    }
  }
  return { files, isComplete };
}

/** A file and a folder may have the same path. */
function keyOf({ path, isFolder }: ContextEntry): string {
  return `${isFolder ? "folder" : "file"} ${path}`;
}

/**
 * Finds the absolute path of a folder that AGB listed in another one. No path is known for certain when AGB names the
 * listed folder itself, when it chose that folder, or when a relative path may start there or at the root.
 */
function folderPath(shown: string, parent: string | undefined): string | undefined {
  const path = pathIn(parent, shown);
  const isClear = shown.startsWith("/") || parent === "/" || (parent !== undefined && !/[^/]\/[^/]/.test(shown));
  return isClear && !isSamePath(path, parent ?? "/") ? path : undefined;
}

function pathIn(folder: string | undefined, shown: string): string {
  return shown.startsWith("/") ? shown : `${folder?.replace(/\/$/, "") ?? ""}/${shown}`;
}

function isSamePath(one: string, other: string): boolean {
  return posix.resolve("/", one) === posix.resolve("/", other);
}

/** Whether AGB refused the call for what it asks. A wrong key, a missing object and an overload are other matters. */
function isRefusal(error: unknown): error is AgbApiError {
  return (
    error instanceof AgbApiError &&
    error.isFromAgb &&
    !(error instanceof AgbAuthenticationError) &&
    !(error instanceof AgbNotFoundError) &&
    !isTransient(error)
  );
}

function isRefusalOfIds(error: unknown): boolean {
  return isRefusal(error) && error.code !== noSuchCallCode;
}

function otherContext(): AgbUnexpectedReplyError {
  return new AgbUnexpectedReplyError(
    lookup.name,
    200,
    "",
    "it is about another context than the one that was asked for",
  );
}
