import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./node-process";

const folder = join(repositoryRoot, "test", "messages");

/** A message that real code produced, and what led to it. */
export type GoldenMessage = readonly [situation: string, message: string];

/**
 * Compares messages with `test/messages/SUBJECT.txt`, so that a review shows each change of wording. With
 * `UPDATE_MESSAGES=1` in the environment, writes that file instead.
 *
 * @param messages values that differ between runs, such as ports, are replaced first
 */
export function expectGolden(subject: string, messages: readonly GoldenMessage[]): void {
  const text = messages.map(([situation, message]) => `# ${situation}\n${withoutVariableParts(message)}\n`).join("\n");
  const file = join(folder, `${subject}.txt`);
  if (process.env["UPDATE_MESSAGES"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  const known = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (text !== known) {
    const command = "UPDATE_MESSAGES=1 npx jest messages";
    throw new Error(`${file} holds other messages. If the new ones are right, run: ${command}\n\n${diff(known, text)}`);
  }
}

/** All messages of all golden files, as they are written there. */
export function goldenMessages(): { readonly subject: string; readonly situation: string; readonly message: string }[] {
  return readdirSync(folder).flatMap((name) => {
    const parts = readFileSync(join(folder, name), "utf8").split(/^# /m).slice(1);
    return parts.map((part) => {
      const [situation = "", ...lines] = part.trimEnd().split("\n");
      return { subject: name.replace(/\.txt$/, ""), situation, message: lines.join("\n") };
    });
  });
}

function withoutVariableParts(message: string): string {
  return message
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT")
    .replaceAll(/session-[a-z0-9]{20,}/g, "SESSION-ID")
    .replaceAll(/SdkCtx-[A-Za-z0-9]{6,}/g, "CONTEXT-ID")
    .replaceAll(/\d{8}T\d{6}Z-[0-9a-f]{12}/g, "CREATE-TOKEN")
    .replaceAll(/[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}/g, "REQUEST-ID")
    .replaceAll(/answers again, after [\d.]+ s/g, "answers again, after DURATION");
}

/** The lines that only one of two strings has. */
function diff(before: string, after: string): string {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const added = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...added].join("\n");
}
