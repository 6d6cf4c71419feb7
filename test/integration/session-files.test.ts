import type { AgbClient } from "../../provider/api/client";
import { type FileSource, readLocalFiles } from "../../provider/lifecycle/local-files";
import { findFiles, putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { localFolder, openFileSession, textFiles, writeLocalFiles } from "../support/file-session";
import { withoutRetryDelay } from "../support/no-retry-delay";

withoutRetryDelay();

const folder = "/home/user/app";

async function open(options: Parameters<typeof openFileSession>[0] = {}) {
  const session = await openFileSession(options);
  const client = openClient(session.emulator.url);
  return {
    ...session,
    client,
    put: (source: FileSource, path = folder, mode = 0o644) => put(client, session.sessionId, source, path, mode),
    find: (path = folder) => findFiles(client, session.sessionId, path),
    remove: (path = folder) => removeFiles(client, session.sessionId, path),
  };
}

function put(client: AgbClient, sessionId: string, source: FileSource, path: string, mode: number): Promise<void> {
  return putFiles(client, sessionId, { path, mode, local: readLocalFiles(source) });
}

test("a folder arrives with its content, execute permissions and empty folders", async () => {
  const { put, find, files, shell } = await open();
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const source = { folder: localFolder({ "run.sh*": "#!/bin/sh\n", "data/all.bin": bytes, "data/empty": "", "none/": "" }) };
  await put(source);
  expect(await files(folder)).toEqual({
    "run.sh": "755 #!/bin/sh\n",
    "data/all.bin": `644 ${bytes.toString()}`,
    "data/empty": "644 ",
  });
  expect(await shell("sha256sum <app/data/all.bin")).toBe(
    "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880  -\n",
  );
  expect(await shell("ls -A app app/none; stat -c '%a' app app/data")).toBe("app:\ndata\nnone\nrun.sh\n\napp/none:\n755\n755\n");
  expect(await find()).toMatchObject({ isIntact: true, contentHash: readLocalFiles(source).contentHash, mode: 0o644 });
});

test("an update sends only what differs, removes what left, and leaves the files of others", async () => {
  const { put, files, shell, find, emulator } = await open();
  const local = localFolder({ "a.txt": "a", "b.txt": "b", "sub/c.txt": "c", "sub/d.txt": "d" });
  await put({ folder: local });
  await shell("echo other >app/other; echo other >app/sub/other");
  const inodes = await shell("stat -c %i app/a.txt app/sub/c.txt");
  const newer = localFolder({ "a.txt": "a", "sub/c.txt": "c", "sub/new.txt": "new", "e.txt": "e" });
  await put({ folder: newer });
  expect(await files(folder)).toEqual({
    "a.txt": "644 a",
    "e.txt": "644 e",
    other: "644 other\n",
    "sub/c.txt": "644 c",
    "sub/new.txt": "644 new",
    "sub/other": "644 other\n",
  });
  expect(await shell("stat -c %i app/a.txt app/sub/c.txt")).toBe(inodes);
  expect(await find()).toMatchObject({ isIntact: true });
  const calls = emulator.journal().length;
  await put({ folder: newer });
  expect(emulator.journal().length - calls).toBeLessThanOrEqual(6);
});
