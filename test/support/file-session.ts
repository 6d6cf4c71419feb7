import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Emulator, EmulatorOptions } from "../../provider/emulator";
import type { FileSource } from "../../provider/lifecycle/local-files";
import { startTestEmulator, testKey } from "./agb-emulator";
import { closeAfterTest } from "./close-after-test";
import { createId, runShell } from "./emulator-requests";

/** The keys of the client and of the plain requests. */
const apiKeys = [testKey, "test-key"];

/** An emulator that runs tools, and a session in it. */
export interface FileSession {
  readonly emulator: Emulator;
  readonly sessionId: string;
  /** What a shell command in the session's home directory prints. */
  shell(command: string): Promise<string>;
  /** Permissions and content of every file below a folder of the session, by path. Links begin with `->`. */
  files(folder: string): Promise<Record<string, string>>;
}

/** Starts an emulator that runs tools, and creates a session. */
export async function openFileSession(options: EmulatorOptions = {}): Promise<FileSession> {
  const emulator = await startTestEmulator({ apiKeys, allowExec: true, ...options });
  return { emulator, ...(await newSession(emulator)) };
}

/** Creates another session. */
export async function newSession(emulator: Emulator): Promise<Omit<FileSession, "emulator">> {
  const sessionId = await createId(emulator.url);
  const shell = async (command: string) => {
    const { stdout, stderr, exit_code } = await runShell(emulator.url, sessionId, command);
    if (exit_code !== 0) {
      throw new Error(`exit code ${exit_code}: ${stderr}`);
    }
    return stdout;
  };
  return {
    sessionId,
    shell,
    files: async (folder) => {
      const script =
        `cd "${folder}" && find . ! -type d -print0 | sort -z | while IFS= read -r -d "" f; do printf "%s" "$f" | base64 -w0; ` +
        'if [ -h "$f" ]; then echo " - $(readlink "$f" | base64 -w0)"; ' +
        'else echo " $(stat -c %a "$f") $(base64 -w0 <"$f")"; fi; done';
      const lines = (await shell(`bash -c '${script.replaceAll("'", "'\\''")}'`)).split("\n").filter(Boolean);
      return Object.fromEntries(
        lines.map((line) => {
          const [name = "", mode = "", content = ""] = line.split(" ");
          const text = Buffer.from(content, "base64").toString();
          return [Buffer.from(name, "base64").toString().slice(2), `${mode === "-" ? "->" : mode} ${text}`];
        }),
      );
    },
  };
}

/** Writes files to a new folder of this machine, which is deleted after the test. Names that end in `*` are executable. */
export function localFolder(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), "agb-local-"));
  closeAfterTest({ close: () => rmSync(folder, { recursive: true, force: true }) });
  writeLocalFiles(folder, files);
  return folder;
}

/** Adds files to a folder. Names that end in `*` are executable, and a name that ends in `/` is an empty folder. */
export function writeLocalFiles(folder: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [key, content] of Object.entries(files)) {
    const path = join(folder, key.replace(/\*$/, ""));
    mkdirSync(key.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!key.endsWith("/")) {
      writeFileSync(path, content);
      chmodSync(path, key.endsWith("*") ? 0o755 : 0o644);
    }
  }
}

/** Describes strings as an archive. */
export function textFiles(texts: Readonly<Record<string, string>>): FileSource {
  return { archive: Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { text }])) };
}
