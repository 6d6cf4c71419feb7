// The tools of each kind of image. Names and arguments are those that AGB's Python SDK 0.12.0 sends. Descriptions are made
// up, and so are servers that the SDK does not name.

import type { ImageKind } from "../image-kind";

interface ToolEntry {
  readonly name: string;
  readonly description: string;
  readonly server: string;
  readonly inputSchema: object;
}

function tool(
  server: string,
  name: string,
  description: string,
  properties: Record<string, string>,
  required: string[],
) {
  const entries = Object.entries(properties).map(([key, type]) => [key, { type }]);
  return {
    name,
    description,
    server,
    inputSchema: { type: "object", properties: Object.fromEntries(entries), required },
  };
}

const onEveryImage: readonly ToolEntry[] = [
  tool(
    "wuying_shell",
    "shell",
    "Runs a shell command.",
    { command: "string", timeout_ms: "integer", cwd: "string", envs: "object" },
    ["command"],
  ),
  tool(
    "wuying_filesystem",
    "read_file",
    "Reads a file.",
    { path: "string", offset: "integer", length: "integer", format: "string" },
    ["path"],
  ),
  tool(
    "wuying_filesystem",
    "write_file",
    "Writes a string to a file.",
    { path: "string", content: "string", mode: "string" },
    ["path", "content"],
  ),
  tool("wuying_filesystem", "list_directory", "Lists a directory.", { path: "string" }, ["path"]),
  tool("wuying_filesystem", "create_directory", "Creates a directory.", { path: "string" }, ["path"]),
  tool("wuying_filesystem", "delete_file", "Deletes a file.", { path: "string" }, ["path"]),
  tool("wuying_filesystem", "get_file_info", "Describes a file or directory.", { path: "string" }, ["path"]),
  tool("wuying_filesystem", "move_file", "Moves a file or directory.", { source: "string", destination: "string" }, [
    "source",
    "destination",
  ]),
  tool("wuying_system", "get_metrics", "Reports processor, memory and disk usage.", {}, []),
];

const byKind: Readonly<Record<ImageKind, readonly ToolEntry[]>> = {
  code: [
    tool("wuying_codespace", "run_code", "Runs code.", { code: "string", language: "string", timeout_s: "integer" }, [
      "code",
      "language",
    ]),
  ],
  browser: [],
  computer: [
    tool("wuying_ui", "click_mouse", "Clicks the mouse.", { x: "integer", y: "integer", button: "string" }, ["x", "y"]),
    tool("wuying_ui", "input_text", "Types a string.", { text: "string" }, ["text"]),
    tool("wuying_ui", "get_screen_size", "Returns the size of the screen.", {}, []),
    tool("wuying_ui", "system_screenshot", "Takes a screenshot.", {}, []),
  ],
};

/** What listTools returns for a kind of image. */
export function toolsOf(kind: ImageKind): readonly (ToolEntry & { readonly tool: string })[] {
  return [...onEveryImage, ...byKind[kind]].map((entry) => ({ ...entry, tool: entry.name }));
}
