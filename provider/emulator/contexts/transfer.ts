// Clients send and fetch a context's files at signed addresses, with plain PUT and GET as in an object store.

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../clock";
import { failureReply } from "../envelope";
import {
  ApiFailure,
  contextFileContentMissing,
  contextFileNotFound,
  contextFileNotRead,
  contextNotFound,
  fileLinkRefused,
  fileTooLarge,
  stateNotSaved,
} from "../failures";
import { checkHost } from "../host-names";
import type { Settings } from "../options";
import { systemErrorReason } from "../system-errors";
import type { ContextStore } from "./context-store";
import { ContentMissing, ContentTooLarge, type FileContents } from "./file-contents";
import { type FileGrant, readFileGrant } from "./file-urls";

const methods = { upload: "PUT", download: "GET" };

interface TransferContext {
  readonly clock: Clock;
  readonly contexts: ContextStore;
  readonly contents: FileContents;
  /** The secret that signs the addresses. */
  readonly fileSecret: string;
  readonly settings: Settings;
  /** Resolves when no session that is over still uploads into one of the contexts. */
  waitForUploadsInto(contextIds: readonly string[]): Promise<void>;
  /** Resolves when all changes so far are on disk. */
  save(): Promise<void>;
  /** Saves if the last save failed, because a reply must not show what could not be saved. */
  saveAfterFailure(): Promise<void>;
}

/**
 * Answers one request for a file. Never rejects.
 *
 * @returns the HTTP status; 0 when the connection ended early
 */
export async function transferFile(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  query: Readonly<Record<string, string>>,
  requestId: string,
  context: TransferContext,
): Promise<number> {
  try {
    checkHost(incoming.headers.host, context.settings.host);
    const grant = readFileGrant(context.fileSecret, query, context.clock.now());
    if (grant === undefined || incoming.method !== methods[grant.direction]) {
      throw fileLinkRefused();
    }
    await context.waitForUploadsInto([grant.contextId]);
    await (grant.direction === "upload" ? receive(incoming, outgoing, grant, context) : send(outgoing, grant, context));
    return 200;
  } catch (error) {
    // A request that was read to its end is destroyed too, but its client waits for the reply.
    if (outgoing.headersSent || (incoming.destroyed && !incoming.complete)) {
      outgoing.destroy();
      return 0;
    }
    const failure = error instanceof ApiFailure ? await whenSaved(error, context) : fileNotKept(error);
    refuse(incoming, outgoing, requestId, failure);
    return failure.status;
  }
}

async function receive(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { contextId, filePath }: FileGrant,
  { contexts, contents, settings, save }: TransferContext,
): Promise<void> {
  if (contexts.find(contextId) === undefined) {
    throw contextNotFound();
  }
  const content = await contents
    .write(incoming.iterator({ destroyOnReturn: false }), settings.maximumFileBytes)
    .catch((error: unknown) => {
      throw error instanceof ContentTooLarge ? fileTooLarge(settings.maximumFileBytes) : error;
    });
  if (contexts.find(contextId) === undefined) {
    await contents.discard(content.blob);
    throw contextNotFound();
  }
  contexts.putFile(contextId, filePath, content);
  await save();
  outgoing.writeHead(200, { etag: `"${content.blob}"`, "content-length": "0" }).end();
}

async function send(
  outgoing: ServerResponse,
  { contextId, filePath }: FileGrant,
  { contexts, saveAfterFailure }: TransferContext,
): Promise<void> {
  await saveAfterFailure().catch((error: Error) => {
    throw stateNotSaved(error.message);
  });
  const opened = await contexts.openFile(contextId, filePath).catch((error: unknown) => {
    throw error instanceof ContentMissing ? contextFileContentMissing() : contextFileNotRead(systemErrorReason(error));
  });
  if (opened === undefined) {
    throw contextFileNotFound();
  }
  const { file, content } = opened;
  outgoing.writeHead(200, {
    etag: `"${file.blob}"`,
    "content-type": "application/octet-stream",
    "content-length": String(file.sizeBytes),
    "last-modified": new Date(file.modifiedAtMs).toUTCString(),
  });
  await pipeline(content.createReadStream(), outgoing);
}

/** What a refusal does not find may have been deleted by a change that is being written. */
async function whenSaved(refusal: ApiFailure, { save }: TransferContext): Promise<ApiFailure> {
  return save().then(
    () => refusal,
    (error: Error) => stateNotSaved(error.message),
  );
}

function fileNotKept(error: unknown): ApiFailure {
  return new ApiFailure(503, "StateNotSaved", `The emulator could not keep the file: ${String(error)}`);
}

function refuse(incoming: IncomingMessage, outgoing: ServerResponse, requestId: string, failure: ApiFailure): void {
  const reply = failureReply(requestId, failure);
  // Reads and drops what the client still sends. A connection that is closed with unread data loses the reply.
  incoming.resume();
  outgoing.shouldKeepAlive = incoming.complete;
  outgoing.writeHead(reply.status, { ...reply.headers, "content-length": String(Buffer.byteLength(reply.body)) });
  outgoing.end(reply.body);
}
