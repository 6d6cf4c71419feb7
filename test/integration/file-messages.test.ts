import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { AgbFile } from "../../provider";
import { readLocalFiles } from "../../provider/lifecycle/local-files";
import { putFiles, removeFiles } from "../../provider/lifecycle/session-files";
import { openClient } from "../support/agb-client";
import { release } from "../support/emulator-requests";
import { explained } from "../support/explained";
import { localFolder } from "../support/file-session";
import { FileStack, openFileStack, type UnfinishedFile } from "../support/file-stack";
import { expectGolden, type GoldenMessage } from "../support/golden-messages";
import { withoutRetryDelay } from "../support/no-retry-delay";
import { runProgram } from "../support/pulumi-program";
import { captureErrorStream, said } from "../support/said";
import { sendSuccess, startScriptedServer } from "../support/scripted-server";
import { failureOf } from "../support/session-stack";
import { startShellServer } from "../support/shell-server";
import { diskKinds } from "../support/small-disk";

// The messages about files in sessions.

withoutRetryDelay();
captureErrorStream();

test("messages about declarations of files", async () => {
  const stack = await openFileStack();
  const folder = localFolder({ "a.txt": "a", "app.zip": "zip", "d/b": "b" });
  symlinkSync("missing", join(folder, "broken"));
  const loop = localFolder({ "a/b": "b" });
  symlinkSync("../a", join(loop, "a/c"));
  const large = localFolder({ large: "" });
  truncateSync(join(large, "large"), 100_000_001);
  const many = localFolder({});
  for (let index = 0; index <= 20_000; index++) {
    writeFileSync(join(many, String(index)), "");
  }
  const strange = localFolder({});
  writeFileSync(Buffer.concat([Buffer.from(`${strange}/`), Buffer.from([0xff])]), "");
  const places = {
    [folder]: "FOLDER",
    [loop]: "LOOP",
    [large]: "LARGE",
    [many]: "MANY",
    [strange]: "STRANGE",
    [process.cwd()]: "PROGRAM",
  };
  const check = async (situation: string, args: Record<string, unknown>): Promise<GoldenMessage> => {
    const problems = (await stack.problems(args)).join("\n");
    return [
      situation,
      Object.entries(places).reduce((text, [path, name]) => text.replaceAll(path, `/${name}`), problems),
    ];
  };
  await stack.problems({ path: "/home/user/twice" }, "first");
  const twice = await stack.problems({ path: "/home/user/twice" }, "second");
  expectGolden("files", [
    await check("paths that are not absolute", { path: "app" }),
    await check("paths through other folders", { path: "/home/../etc" }),
    await check("paths with impossible characters", { path: "/a\0b" }),
    await check("a path of the wrong type", { path: 5 }),
    await check("permissions", { permissions: "755x" }),
    await check("permissions of the wrong type", { permissions: 644 }),
    await check("permissions without reading", { permissions: "0300" }),
    await check("a source of the wrong type", { source: "./app" }),
    await check("no source", { source: undefined }),
    await check("a source that is no asset", { source: { anything: 1 } }),
    await check("a source without content", { source: {} }),
    await check("a remote asset", { source: { remote: "https://example.com/a" } }),
    await check("a path with NUL", { source: { file: "a\0" } }),
    await check("a file that does not exist", { source: { file: join(folder, "none") } }),
    await check("a relative path that does not exist", { source: { file: "./none" } }),
    await check("a path that the disk refuses", { source: { file: `/${"a".repeat(300)}` } }).then(
      ([situation, text]) => [situation, text.replace(/a{9,}/, "LONG")] as const,
    ),
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
    await check("a name that leads out", { source: { archive: { "../a": { text: "" } } } }),
    await check("an impossible name", { source: { archive: { "a\0": { text: "" } } } }),
    await check("a long name", { source: { archive: { [`${"a".repeat(256)}`]: { text: "" } } } }),
    await check("a name of the disk that is no text", { source: { folder: strange } }),
    await check("a name twice", { source: { archive: { a: { text: "" }, "./a": { text: "" } } } }),
    await check("one name for two files", {
      source: { archive: { "d/b": { text: "" }, d: { archive: { b: { text: "" } } } } },
    }),
    await check("a file that is a folder too", { source: { archive: { a: { text: "" }, "a/b": { text: "" } } } }),
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
  const programs: string[] = [];
  const folder = localFolder({ "a.txt": "a" });
  const file = join(folder, "a.txt");

  const inputs = await stack.check({ source: { file } });
  writeFileSync(file, "b");
  const changed = await failure("files that changed before they were sent", stack.provider.create(inputs));

  await shell("mkdir app app/a");
  const inTheWay = await failure(
    "a folder in the way",
    stack.create({ path: "/home/user/app", source: { archive: { a: { text: "" } } } }),
  );
  await shell("rmdir app/a; touch app/b");
  const fileInTheWay = await failure(
    "a file in the way",
    stack.create({ path: "/home/user/app", source: { archive: { "b/c": { text: "" } } } }),
  );
  const lists = await stack.create({ path: "/home/user/lists" });
  await shell("rm -rf /tmp/.pulumi-agb ../../tmp/.pulumi-agb");
  await stack.delete(lists);
  const forgotten = said();

  const server = await startShellServer("dash", diskKinds[0]);
  server.beforeEachCall((subject) => {
    if (subject.includes('"$A/apply"')) {
      server.disk?.fill();
    }
  });
  const full = await failure("a disk that is full in the end", new FileStack(stack.session, server.url).create());
  const lost = emulator.addFault({ operation: "mcp", calls: [6, 7, 8, 9, 10], when: "after", answer: { status: 500 } });
  const unfinished = await failure("a last call that fails", stack.create({ path: "/home/user/unfinished" }));
  lost.remove();
  const secret = "correct-horse-battery";
  const repeating = await startScriptedServer(({ path }, response) =>
    path === "/mcp"
      ? sendSuccess(response, { data: { isError: true, content: [{ type: "text", text: `refused ${secret}` }] } })
      : sendSuccess(response, { data: [] }),
  );
  const hidden = await failure(
    "a server that repeats the content",
    new FileStack(stack.session, repeating.url).create({ source: { text: secret } }),
  );

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

  await runProgram(() => {
    const args = { sessionId: "s-1", source: new pulumi.asset.StringAsset(""), path: "/a" };
    const construct = (opts: pulumi.CustomResourceOptions) => {
      try {
        new AgbFile("app", args, opts);
      } catch (error) {
        programs.push((error as Error).message);
      }
    };
    construct({ id: "s-1/a" });
    construct({ deleteBeforeReplace: false });
    construct({ import: "s-1/a" });
  });
  expectGolden("session-files", [
    ["a look-up", programs[0] ?? ""],
    ["a file that would be deleted after its replacement", programs[1] ?? ""],
    ["a file that is imported", programs[2] ?? ""],
    changed,
    inTheWay,
    fileInTheWay,
    ["a delete without the lists of the session", forgotten],
    gone,
    unfinished,
    full,
    hidden,
    lacking,
    ...(await scriptFailures()),
  ]);
});

/** What real and scripted sessions make a put fail with. */
async function scriptFailures(): Promise<GoldenMessage[]> {
  const local = readLocalFiles({ text: "content" });
  const put = async (situation: string, url: string): Promise<GoldenMessage> => {
    const error = await failureOf(putFiles(openClient(url), "s-1", { path: "/home/user/file", mode: 0o644, local }));
    return [situation, explained("file", error, { verb: "create" })];
  };
  const replying = async (situation: string, check: string, apply = "", stderr = "") => {
    const server = await startScriptedServer(({ body }, response) => {
      const { command = "" } = JSON.parse(JSON.parse(body).args) as { command?: string };
      const [stdout, error] = command.includes("/check.sh")
        ? [check, ""]
        : command.includes("exec sh")
          ? [apply, stderr]
          : ["ready", ""];
      const text = JSON.stringify({ stdout, stderr: error, exit_code: 0 });
      sendSuccess(response, { data: { isError: false, content: [{ type: "text", text }] } });
    });
    return put(situation, server.url);
  };
  const bare = await startShellServer();
  bare.hide("gzip");
  const echoing = await startScriptedServer(({ body }, response) => {
    const { name, args } = JSON.parse(body) as { name: string; args: string };
    const isWrite = name === "write_file";
    const text = isWrite ? `refused ${args}` : JSON.stringify({ stdout: "ready\n", stderr: "", exit_code: 0 });
    sendSuccess(response, { data: { isError: isWrite, content: [{ type: "text", text }] } });
  });
  const stuck = await startScriptedServer((_, response) => {
    const text = JSON.stringify({ stdout: "failed\n", stderr: "rm: read-only file system", exit_code: 0 });
    sendSuccess(response, { data: { isError: false, content: [{ type: "text", text }] } });
  });
  const unwritable = await failureOf(putFiles(openClient(stuck.url), "s-1", { path: "/a", mode: 0o644, local }));
  const mute = await startScriptedServer((_, response) => {
    const text = JSON.stringify({ stdout: "", stderr: "", exit_code: 3 });
    sendSuccess(response, { data: { isError: false, content: [{ type: "text", text }] } });
  });
  const silent = await failureOf(removeFiles(openClient(mute.url), "s-1", "/home/user/file"));
  const remove = await failureOf(removeFiles(openClient(stuck.url), "s-1", "/home/user/file"));
  return [
    await put("a session without programs", bare.url),
    await put("a reply that repeats the content", echoing.url),
    await replying("a comparison that says nothing", ""),
    await replying("a place that may not be written", "fresh\ndenied root\ngone root\nneed 100000 100000\nend\n"),
    await replying(
      "a full disk",
      "need 100000 100000\nend\n",
      "damaged\n",
      "tar: a: Cannot write: No space left on device",
    ),
    await replying("content that is damaged", "need 100000 100000\nend\n", "damaged\n", "gzip: unexpected end of file"),
    await replying("a file that cannot be moved", "need 100000 100000\nend\n", "failed\n", "mv: read-only file system"),
    ["a /tmp that cannot be written", explained("file", unwritable, { verb: "create" })],
    ["a script that says nothing", explained("file", silent, { verb: "delete" })],
    ["a remove that fails", explained("file", remove, { verb: "delete" })],
  ];
}
