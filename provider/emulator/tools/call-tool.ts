import { ApiFailure } from "../failures";
import { imageKind } from "../image-kind";
import type { Sandboxes } from "../sandbox/sandboxes";
import type { SessionRecord } from "../session";
import { toolsOf } from "./catalogue";
import { createDirectory, deleteFile, getFileInfo, listDirectory, moveFile, readFile, writeFile } from "./files";
import { getMetrics } from "./metrics";
import { runCode } from "./run-code";
import { shell } from "./shell";
import { type ToolResult, toolFailure } from "./tool-result";

const tools = {
  shell,
  run_code: runCode,
  read_file: readFile,
  write_file: writeFile,
  list_directory: listDirectory,
  create_directory: createDirectory,
  delete_file: deleteFile,
  get_file_info: getFileInfo,
  move_file: moveFile,
  get_metrics: getMetrics,
};

/**
 * Calls a tool in a session. What goes wrong in the tool is in its result.
 *
 * @throws ApiFailure (HTTP 400) that names the argument at fault
 */
export async function callTool(
  sandboxes: Sandboxes,
  { sessionId, mounts, imageId }: SessionRecord,
  name: string,
  args: unknown,
): Promise<ToolResult> {
  if (!toolsOf(imageKind(imageId)).some((tool) => tool.name === name)) {
    return toolFailure(`The image ${imageId} has no tool ${JSON.stringify(name.slice(0, 100))}.`);
  }
  if (!Object.hasOwn(tools, name)) {
    return toolFailure(`The emulator does not run the tool ${name}.`);
  }
  try {
    return await tools[name as keyof typeof tools](await sandboxes.open(sessionId, mounts), args);
  } catch (error) {
    if (error instanceof ApiFailure) {
      throw error;
    }
    return toolFailure(reasonOf(error as NodeJS.ErrnoException));
  }
}

// The messages of file errors name paths on this computer, which mean nothing to the session.
function reasonOf(error: NodeJS.ErrnoException): string {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "No such file or directory",
    ENOTDIR: "Not a directory",
    EISDIR: "Is a directory",
    EEXIST: "File exists",
    EACCES: "Permission denied",
    EPERM: "Operation not permitted",
    ELOOP: "Too many levels of symbolic links",
    ENOTEMPTY: "Directory not empty",
    ENAMETOOLONG: "File name too long",
    ENOSPC: "No space left on device",
    ENXIO: "Not a regular file",
    E2BIG: "Argument list too long",
  };
  return reasons[error.code ?? ""] ?? `The tool failed: ${error.code ?? error.message}`;
}
