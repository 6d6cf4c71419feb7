/** What a tool returns: text, and whether it failed. */
export interface ToolResult {
  readonly isError: boolean;
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
}

/** The result of a tool that succeeded. */
export function toolSuccess(text: string): ToolResult {
  return { isError: false, content: [{ type: "text", text }] };
}

/** The result of a tool that failed. The call itself succeeds, and the text says what went wrong. */
export function toolFailure(text: string): ToolResult {
  return { isError: true, content: [{ type: "text", text }] };
}
