import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./node-process";

/** The folder of the files that hold every message that users see. */
export const messageFolder = join(repositoryRoot, "test", "messages");

/**
 * Compares messages with a file of `test/messages`, one section each. With `UPDATE_MESSAGES=1` in the environment it
 * writes the file instead.
 *
 * @param messages by the situation in which they are shown
 */
export function expectMessages(fileName: string, messages: Readonly<Record<string, string>>): void {
  const sections = Object.entries(messages).map(([situation, message]) => `## ${situation}\n\n${message.trim()}\n`);
  const text = sections.join("\n");
  const path = join(messageFolder, fileName);
  if (process.env["UPDATE_MESSAGES"] === "1") {
    mkdirSync(messageFolder, { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}
