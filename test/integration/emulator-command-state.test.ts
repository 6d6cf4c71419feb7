import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "../../provider/emulator";
import { finished, listening, useCommandFolder } from "../support/emulator-command";
import { createContext, createId, download, listAll, upload } from "../support/emulator-requests";
import { repositoryRoot } from "../support/node-process";

const command = useCommandFolder();

test("acknowledged changes survive a kill under load, and the next emulator takes over the lock", async () => {
  const statePath = join(command.folder, "state.json");
  const child = command.run("emulator", "--state", statePath);
  const url = await listening(child);
  const acknowledged: string[] = [];
  const load = Array.from({ length: 8 }, async () => {
    for (;;) {
      acknowledged.push(await createId(url));
    }
  });
  while (acknowledged.length < 200) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await Promise.allSettled([end, ...load]);

  const next = await startEmulator({ statePath });
  try {
    expect(await listAll(next.url, { maxResults: "100" })).toEqual(expect.arrayContaining(acknowledged));
  } finally {
    await next.close();
  }
});

test("acknowledged files survive a kill under load, and half a file does not", async () => {
  const statePath = join(command.folder, "state.json");
  const child = command.run("emulator", "--state", statePath);
  const url = await listening(child);
  const contextId = await createContext(url, "data");
  const acknowledged = new Map<string, string>();
  const load = Array.from({ length: 8 }, async (_, client) => {
    for (let round = 0; ; round += 1) {
      // Each client writes five files in turn, so that most uploads replace older content.
      const path = `/${client}-${round % 5}`;
      const content = `${round} `.repeat(2000);
      if ((await upload(url, contextId, path, content)) === 200) {
        acknowledged.set(path, content);
      }
    }
  });
  while (acknowledged.size < 40) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await Promise.allSettled([end, ...load]);

  const next = await startEmulator({ statePath });
  try {
    for (const [path, content] of acknowledged) {
      const found = String(await download(next.url, contextId, path));
      const round = Number(found.split(" ", 1)[0]);
      expect(found).toBe(`${round} `.repeat(2000));
      // A later upload may have been kept although its reply was lost.
      expect(round).toBeGreaterThanOrEqual(Number(content.split(" ", 1)[0]));
    }
  } finally {
    await next.close();
  }
});

test("a full disk at the start is reported, and leaves no lock that prevents the next start", async () => {
  const statePath = join(command.folder, "state.json");
  const start = `ulimit -f 0; exec "${process.execPath}" "${join(repositoryRoot, "dist", "cli", "main.js")}" emulator --state "${statePath}"`;
  const child = spawn("/bin/sh", ["-c", start], { stdio: ["ignore", "pipe", "pipe"] });
  command.add(child);

  const { code, stderr } = await finished(child);

  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^pulumi-agb emulator: Cannot read or write the state file ${statePath}: EFBIG`));
  expect(readdirSync(command.folder)).toEqual([]);
  await (await startEmulator({ statePath })).close();
});
