import { ApiFailure } from "../failures";
import { imageKind } from "../image-kind";
import type { Sandboxes } from "../sandbox/sandboxes";
import type { SessionRecord } from "../sessions/session";
import { systemErrorReason } from "../system-errors";
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
 * Calls a tool in a session. A failure of the tool is in the result.
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
    return toolFailure(systemErrorReason(error));
  }
}
