import { z } from "zod";
import { boundedList } from "./bounded-list";
import type { AgbClient, Operation } from "./client";
import { sessionGoneCodes } from "./gone";

/** A call of a tool in a session. */
export interface ToolCall {
  readonly sessionId: string;
  /** AGB's name of the tool, such as `shell`. */
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a tool returned. */
export interface ToolResult {
  /** Whether the tool failed. The call itself succeeded. */
  readonly isError: boolean;
  /** The tool's own words, unchanged: they may hold anything. */
  readonly text: string;
}

const text = z.string().nullish();

const toolOperation: Operation<ToolCall, ToolResult> = {
  name: "mcp",
  method: "POST",
  path: "/mcp",
  // A repeated call runs the tool again. So callers only ask for what may run twice.
  idempotent: true,
  goneCodes: sessionGoneCodes,
  innerVerdict: false,
  parts: ({ sessionId, tool, args }) => ({
    // Without this, the sibling platform once started a new session in place of a released one.
    query: { autoGenSession: "false" },
    body: { sessionId, name: tool, args: JSON.stringify(args) },
  }),
  reply: z
    .looseObject({
      data: z.looseObject({
        isError: z.boolean().nullish(),
        content: boundedList(z.looseObject({ type: text, text }), "the result has too many parts").optional(),
      }),
    })
    .transform(({ data }) => ({
      isError: data.isError === true,
      text: (data.content ?? []).map((part) => part.text ?? "").join("\n"),
    })),
};

/**
 * Calls a tool in a session. AGB counts it as use of the session. The call is retried after a lost reply, so the tool may run
 * twice: ask only for what has the same result then.
 *
 * @throws AgbNotFoundError when the session is gone
 */
export function callTool(client: AgbClient, call: ToolCall): Promise<ToolResult> {
  return client.call(toolOperation, call);
}
