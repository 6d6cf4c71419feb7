import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLocalFiles } from "../../provider/lifecycle/local-files";
import { AgbSessionFileError, findFiles, putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { explained } from "../support/explained";
import { localFolder, openFileSession } from "../support/file-session";
import { FileStack, openFileStack, type UnfinishedFile } from "../support/file-stack";
import { expectGolden, type GoldenMessage } from "../support/golden-messages";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { captureErrorStream, said } from "../support/said";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { failureOf } from "../support/session-stack";
import { startShellServer } from "../support/shell-server";
import { release } from "../support/emulator-requests";

// The messages about files in sessions.

withoutRetryDelay();
captureErrorStream();

test("messages about declarations of files", async () => {
  const stack = await openFileStack();
  const folder = localFolder({ "a.txt": "a", "app.zip": "zip", "d/b": "b" });
  symlinkSync("missing", join(folder, "broken"));
  const loop = localFolder({ "a/b": "b" });
  symlinkSync("../../a", join(loop, "a/c"));
  const large = localFolder({ large: "" });
  truncateSync(join(large, "large"), 100_000_001);
  const many = localFolder({});
  for (let index = 0; index <= 20_000; index++) {
    writeFileSync(join(many, String(index)), "");
  }
  const strange = localFolder({});
  writeFileSync(Buffer.concat([Buffer.from(`${strange}/`), Buffer.from([0xff])]), "");
  const places = { [folder]: "FOLDER", [loop]: "LOOP", [large]: "LARGE", [many]: "MANY", [strange]: "STRANGE" };
  const check = async (situation: string, args: Record<string, unknown>): Promise<GoldenMessage> => {
    const problems = (await stack.problems(args)).join("\n");
    return [situation, Object.entries(places).reduce((text, [path, name]) => text.replaceAll(path, `/${name}`), problems)];
  };
  await stack.problems({ path: "/home/user/twice" }, "first");
  const twice = await stack.problems({ path: "/home/user/twice" }, "second");
  const { cwd } = process;
  jest.spyOn(process, "cwd").mockReturnValue("/program");
  const relative = await check("a relative path that does not exist", { source: { file: "./none" } });
  jest.mocked(process.cwd).mockImplementation(cwd);
  expectGolden("files", [
    await check("paths that are not absolute", { path: "app" }),
    await check("paths through other folders", { path: "/home/../etc" }),
    await check("paths with impossible characters", { path: "/a\0b" }),
    await check("a path of the wrong type", { path: 5 }),
    await check("permissions", { permissions: "755x" }),
    await check("permissions without reading", { permissions: "0300" }),
    await check("a source of the wrong type", { source: "./app" }),
    await check("no source", { source: undefined }),
    await check("a source that is no asset", { source: { anything: 1 } }),
    await check("a remote asset", { source: { remote: "https://example.com/a" } }),
    await check("a path with NUL", { source: { file: "a\0" } }),
    await check("a file that does not exist", { source: { file: join(folder, "none") } }),
    relative,
    await check("a folder instead of a file", { source: { file: join(folder, "d") } }),
    await check("a device", { source: { file: "/dev/null" } }),
    await check("a packed archive", { source: { folder: join(folder, "app.zip") } }),
    await check("a broken link in a folder", { source: { folder } }),
    await check("a link in a circle", { source: { folder: loop } }),
    await check("a device in a folder", { source: { folder: deviceFolder() } }).then(
      ([situation, text]) => [situation, text.replace(/\/\S*\/null/, "/DEVICE/null")] as const,
    ),
    await check("too many bytes", { source: { folder: large } }),
    await check("too many files", { source: { folder: many } }),
    await check("a long string", { source: { text: "x".repeat(1024 * 1024 + 1) } }),
    await check("a name that leads out", { source: { files: { "../a": { text: "" } } } }),
    await check("an impossible name", { source: { files: { "a\0": { text: "" } } } }),
    await check("a long name", { source: { files: { [`${"a".repeat(256)}`]: { text: "" } } } }),
    await check("a name of the disk that is no text", { source: { folder: strange } }),
    await check("a name twice", { source: { files: { a: { text: "" }, "./a": { text: "" } } } }),
    await check("one name for two files", {
      source: { files: { "d/b": { text: "" }, d: { files: { b: { text: "" } } } } },
    }),
    await check("a file that is a folder too", { source: { files: { a: { text: "" }, "a/b": { text: "" } } } }),
    ["two resources with one file", twice.join("\n")],
  ]);
});

/** A folder with a link to a device. */
function deviceFolder(): string {
  const folder = localFolder({});
  symlinkSync("/dev/null", join(folder, "null"));
  return folder;
}

test("messages about files in sessions", async () => {
  const stack = await openFileStack();
  const { shell, emulator, sessionId } = stack.session;
  const failure = async (situation: string, work: Promise<unknown>): Promise<GoldenMessage> => {
    const error = (await failureOf(work)) as Error & Partial<UnfinishedFile>;
    return [situation, error.reasons?.join("\n") ?? error.message];
  };
  const folder = localFolder({ "a.txt": "a" });
  const file = join(folder, "a.txt");

  const inputs = await stack.check({ source: { file } });
  writeFileSync(file, "b");
  const changed = await failure("files that changed before they were sent", stack.provider.create(inputs));

  await shell("mkdir app app/a");
  const inTheWay = await failure(
    "a folder in the way",
    stack.create({ path: "/home/user/app", source: { files: { a: { text: "" } } } }),
  );
  await shell("rmdir app/a; touch app/b");
  const fileInTheWay = await failure(
    "a file in the way",
    stack.create({ path: "/home/user/app", source: { files: { "b/c": { text: "" } } } }),
  );
  const lists = await stack.create({ path: "/home/user/lists" });
  await shell("rm -rf /tmp/.pulumi-agb ../../tmp/.pulumi-agb");
  await stack.delete(lists);
  const forgotten = said();

  const entry = await stack.create();
  await release(emulator.url, sessionId);
  const gone = await failure("a session that is gone", stack.update(entry, { source: { text: "more" } }));

  const browser = await startScriptedServer(({ path }, response) =>
    path === "/mcp"
      ? sendSuccess(response, { data: { isError: true, content: [{ type: "text", text: "unknown tool" }] } })
      : sendSuccess(response, { data: [] }),
  );
  const without = new FileStack(stack.session, browser.url);
  const lacking = await failure("an image without the tool", without.create());

  expectGolden("session-files", [
    changed,
    inTheWay,
    fileInTheWay,
    ["a delete without the lists of the session", forgotten],
    gone,
    lacking,
    ...(await scriptFailures()),
    ...faults().map(([situation, error]) => [situation, explained("file", error, { verb: "create" })] as const),
  ]);
});

/** A file that changes while it is sent, and failures that no session shows on request. */
function faults(): [string, unknown][] {
  return [["a path that may not be written", new AgbSessionFileError("denied", 'the session\'s user may not write to "/etc/x"', false)]];
}

async function scriptFailures(): Promise<GoldenMessage[]> {
  const messages: GoldenMessage[] = [];
  const failing = async (situation: string, work: (url: string, root: string) => Promise<unknown>, text?: string) => {
    const server = text === undefined ? await startShellServer() : undefined;
    const scripted = await startScriptedServer((_, response) =>
      sendSuccess(response, { data: { isError: false, content: [{ type: "text", text: text ?? "" }] } }),
    );
    if (server !== undefined && situation.includes("without")) {
      server.hide("gzip");
    }
    const error = await failureOf(work(server?.url ?? scripted.url, server?.root ?? ""));
    messages.push([situation, explained("file", error, { verb: "create" })]);
  };
  const put = (url: string, source = { text: "content" }) =>
    putFiles(openClient(url), "s-1", { path: "/home/user/file", mode: 0o644, local: readLocalFiles(source) });
  const reply = (stdout: string, stderr = "") => JSON.stringify({ stdout, stderr, exit_code: 0 });
  await failing("a session without programs", put);
  await failing("a /tmp that cannot be written", put, reply("", "mkdir: read-only file system"));
  await failing("a comparison that says nothing", put, reply("ready\n"));
  await failing("a full disk", put, reply("ready\nfresh\nneed 100000 100000\nend\ndamaged\n", "tar: No space left on device"));
  return messages;
}
