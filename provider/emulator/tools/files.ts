import { constants } from "node:fs";
import { lstat, opendir, rename, unlink } from "node:fs/promises";
import { z } from "zod";
import type { Sandbox } from "../sandbox/sandbox";
import { openRegularFile } from "../sandbox/session-paths";
import { checkArguments, pathArgument } from "./arguments";
import { wholeCharacters } from "./text-range";
import { type ToolResult, toolFailure, toolSuccess } from "./tool-result";

const byteCount = z
  .int({ error: "must be a whole number" })
  .min(0, { error: "must not be negative" })
  .nullish()
  .transform((value) => value ?? 0);

const pathOnly = z.object({ path: pathArgument });

const readSchema = pathOnly.extend({
  offset: byteCount,
  length: byteCount,
  format: z.enum(["text", "binary"], { error: "must be text or binary" }).nullish(),
});

/** `read_file`: a range of bytes, as text, or as base64 if `format` is `binary`. Length 0 means to the end. */
export async function readFile(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path, offset, length, format } = checkArguments(readSchema, args);
  const limitBytes = sandbox.shared.limits.outputLimitBytes;
  const handle = await sandbox
    .withEntry(path, (entry) => openRegularFile(entry, constants.O_RDONLY))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EISDIR" || error.code === "ENXIO") {
        return undefined;
      }
      throw error;
    });
  if (handle === undefined) {
    return toolFailure(`${path} is not a file`);
  }
  try {
    const file = await handle.stat();
    const rest = Math.max(0, file.size - offset);
    const wanted = length === 0 ? rest : Math.min(length, rest);
    if (wanted > limitBytes) {
      return toolFailure(`${wanted} bytes are more than the ${limitBytes} that one call can read`);
    }
    const read = async (position: number, size: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, position);
      return buffer.subarray(0, bytesRead);
    };
    return toolSuccess(
      format === "binary"
        ? (await read(offset, wanted)).toString("base64")
        : await wholeCharacters(read, offset, wanted),
    );
  } finally {
    await handle.close();
  }
}

const writeSchema = pathOnly.extend({
  content: z.string({ error: "is required and must be a string" }),
  mode: z
    .enum(["overwrite", "append", "create_new"], { error: "must be overwrite, append or create_new" })
    .default("overwrite"),
});

const writeFlags = {
  overwrite: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  create_new: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
};

/** `write_file`: writes or appends a string. Creates missing folders. */
export async function writeFile(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path, content, mode } = checkArguments(writeSchema, args);
  const handle = await sandbox.withEntry(path, (entry) => openRegularFile(entry, writeFlags[mode]), {
    changesFolder: true,
  });
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
  return toolSuccess(`Wrote ${Buffer.byteLength(content)} bytes to ${path}`);
}

/** `list_directory`: a line for each entry, `[DIR] name` or `[FILE] name`, sorted by name. */
export async function listDirectory(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path } = checkArguments(pathOnly, args);
  const limitBytes = sandbox.shared.limits.outputLimitBytes;
  const lines: (readonly [name: string, line: string])[] = [];
  let sizeBytes = 0;
  const folder = await sandbox.openFolder(path);
  try {
    for await (const entry of await opendir(folder.here)) {
      const line = `${entry.isDirectory() ? "[DIR]" : "[FILE]"} ${entry.name}`;
      sizeBytes += Buffer.byteLength(JSON.stringify(line));
      if (sizeBytes > limitBytes) {
        return toolFailure(`The list of ${path} is longer than the ${limitBytes} bytes that one call can return`);
      }
      lines.push([entry.name, line]);
    }
  } finally {
    await folder.close();
  }
  lines.sort(([left], [right]) => (left < right ? -1 : 1));
  return toolSuccess(lines.map(([, line]) => line).join("\n"));
}

/** `create_directory`: also creates the folders above it. An existing directory is no failure. */
export async function createDirectory(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path } = checkArguments(pathOnly, args);
  await sandbox.makeFolder(path);
  return toolSuccess(`Created directory ${path}`);
}

/** `delete_file`: a file or a symbolic link, not a directory. */
export async function deleteFile(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path } = checkArguments(pathOnly, args);
  const remove = async (entry: string) => {
    if ((await lstat(entry)).isDirectory()) {
      return toolFailure(`${path} is a directory`);
    }
    await unlink(entry);
    return toolSuccess(`Deleted ${path}`);
  };
  return sandbox.withEntry(path, remove, { followsLast: false });
}

/** `get_file_info`: a line `name: value` for each property. AGB's Python SDK asks for it before it reads a file. */
export async function getFileInfo(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { path } = checkArguments(pathOnly, args);
  const info = await sandbox.withEntry(path, (entry) => lstat(entry));
  const properties = {
    size: info.size,
    created: info.birthtime.toISOString(),
    modified: info.mtime.toISOString(),
    accessed: info.atime.toISOString(),
    isDirectory: info.isDirectory(),
    isFile: info.isFile(),
    permissions: (info.mode & 0o777).toString(8),
  };
  return toolSuccess(
    Object.entries(properties)
      .map(([name, value]) => `${name}: ${value}`)
      .join("\n"),
  );
}

const moveSchema = z.object({ source: pathArgument, destination: pathArgument });

/** `move_file`: moves a file or directory. It replaces an existing file. */
export async function moveFile(sandbox: Sandbox, args: unknown): Promise<ToolResult> {
  const { source, destination } = checkArguments(moveSchema, args);
  const asNamed = { followsLast: false, changesFolder: true };
  await sandbox.withEntry(source, (from) => sandbox.withEntry(destination, (to) => rename(from, to), asNamed), asNamed);
  return toolSuccess(`Moved ${source} to ${destination}`);
}
