/** What a tool hands back: texts, and whether it failed. */
export interface ToolResult {
  readonly isError: boolean;
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
}

/** The result of a tool that did what it was asked for. */
export function toolText(text: string): ToolResult {
  return { isError: false, content: [{ type: "text", text }] };
}

/** The result of a tool that failed: the call itself succeeds, and the text says why. */
export function toolFailure(text: string): ToolResult {
  return { isError: true, content: [{ type: "text", text }] };
}
