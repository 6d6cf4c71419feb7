import { z } from "zod";
import { invalidRequest, toolSessionNotFound } from "../failures";
import { imageKind, isKnownImage } from "../image-kind";
import { callTool as runTool } from "../tools/call-tool";
import { toolsOf } from "../tools/catalogue";
import { toolFailure } from "../tools/tool-result";
import { nothing, requiredString, route } from "./route";

const args = z.union([z.string(), z.record(z.string(), z.unknown())], {
  error: "must be a string with a JSON object",
});

/**
 * POST /mcp: calls a tool in a session and resets the session's idle timer. Ignores `autoGenSession`, `imageId` and `server`:
 * it never creates a session, and finds the tool by its name.
 */
export const callTool = route({
  method: "POST",
  path: "/mcp",
  operation: "mcp",
  writes: true,
  query: nothing,
  body: z.object({ sessionId: requiredString, name: requiredString, args: args.nullish() }),
  async handle({ body }, { sessions, sandboxes }) {
    const touch = () => {
      const record = sessions.running(body.sessionId);
      if (record === undefined) {
        throw toolSessionNotFound();
      }
      sessions.touch(record);
      return record;
    };
    const record = touch();
    const args = parseArguments(body.args);
    const data = sandboxes === undefined ? toolsAreOff : await runTool(sandboxes, record, body.name, args);
    touch();
    return { data };
  },
});

const toolsAreOff = toolFailure(
  "This emulator runs no tools. To let sessions run commands as your own user on this computer, start it with --allow-exec, or with the option allowExec: true.",
);

/** POST /mcp/listTools: the tools of an image, as a JSON string. It is the only way to ask whether an image exists. */
export const listTools = route({
  method: "POST",
  path: "/mcp/listTools",
  operation: "listTools",
  writes: false,
  query: z.object({ imageId: requiredString }),
  body: nothing,
  handle({ query: { imageId } }, { settings }) {
    if (!isKnownImage(imageId, settings.images)) {
      throw invalidRequest(`imageId: ${JSON.stringify(imageId.slice(0, 100))} does not exist or is not activated`);
    }
    return { data: JSON.stringify(toolsOf(imageKind(imageId))) };
  },
});

function parseArguments(given: z.output<typeof args> | null | undefined): Record<string, unknown> {
  if (typeof given !== "string") {
    return given ?? {};
  }
  let value: unknown = {};
  try {
    value = given.trim() === "" ? {} : JSON.parse(given);
  } catch {
    throw invalidRequest("args: is not valid JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidRequest("args: must be a JSON object");
  }
  return value as Record<string, unknown>;
}
