import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import { commandLines } from "../support/command-lines";
import { callTool, createId, runShell, toolText } from "../support/emulator-requests";

const clock = new ManualClock();
let emulator: Emulator;
let url: string;
let sessionId: string;

beforeAll(async () => {
  process.env["AGB_TEST_SECRET"] = "do-not-tell";
  emulator = await startEmulator({ allowExec: true, clock, toolOutputLimitBytes: 200_000 });
  url = emulator.url;
  sessionId = await createId(url);
});
afterAll(async () => {
  delete process.env["AGB_TEST_SECRET"];
  await emulator.close();
});

const tool = (name: string, args: Record<string, unknown>) => toolText(url, sessionId, name, args);

describe("shell", () => {
  test("returns both outputs and the exit code", async () => {
    const end = await runShell(url, sessionId, "echo out; echo ünd err >&2; exit 3");

    expect(end).toMatchObject({ stdout: "out\n", stderr: "ünd err\n", exit_code: 3 });
  });

  test("works in the session's folder, with a HOME of its own and nothing of the emulator's environment", async () => {
    const { stdout } = await runShell(url, sessionId, "pwd; echo $HOME; env", { envs: { EXTRA: "a b" } });
    const [directory, home] = stdout.split("\n");

    expect(home).toBe(directory);
    expect(home).not.toBe(process.env["HOME"]);
    expect(stdout).toContain("\nEXTRA=a b\n");
    expect(stdout).not.toMatch(/AGB_TEST_SECRET|do-not-tell|npm_/);
  });

  test("works in the folder that cwd names", async () => {
    await tool("create_directory", { path: "/tmp/elsewhere" });

    const { stdout } = await runShell(url, sessionId, "pwd; ls ..", { cwd: "/tmp/elsewhere" });

    expect(stdout).toMatch(/\/tmp\/elsewhere\n(.|\n)*elsewhere/);
  });

  test("reports a signal with an exit code as shells do", async () => {
    expect((await runShell(url, sessionId, "kill -TERM $$")).exit_code).toBe(143);
  });

  test("is ended at its time limit, with everything that it started", async () => {
    const args = { command: "echo begun; sleep 4711 & sleep 4712", timeout_ms: 300 };

    const answer = await callTool(url, sessionId, "shell", args);

    expect(answer.body.data.isError).toBe(true);
    expect(JSON.parse(answer.body.data.content[0].text)).toMatchObject({ stdout: "begun\n", exit_code: 124 });
    expect(commandLines()).not.toMatch(/sleep 471[12]$/m);
  });

  test("endless output is cut", async () => {
    const { stdout, exit_code } = await runShell(url, sessionId, "head -c 5000000 /dev/zero | tr '\\0' x");

    expect(exit_code).toBe(0);
    expect(stdout).toMatch(/^x{200000}\n\[output cut after 200000 bytes\]$/);
  });
});

describe("run_code", () => {
  const run = async (language: string, code: string, more: Record<string, unknown> = {}) =>
    JSON.parse(await tool("run_code", { language, code, timeout_s: 20, ...more }));

  test.each([
    ["python", "import math\nprint('hi')\nmath.floor(2.5)", "2"],
    ["py", "print('hi')\n'text'", "'text'"],
    ["javascript", "console.log('hi'); [1, 2]", "[ 1, 2 ]"],
    ["Node", "const os = require('node:os'); console.log('hi'); os.EOL.length", "1"],
  ])("%s tells what was written and the last value", async (language, code, value) => {
    expect(await run(language, code)).toMatchObject({
      stdout: ["hi\n"],
      stderr: [],
      result: [{ "text/plain": value, isMainResult: true }],
      executionError: null,
    });
  });

  test.each([
    ["python", "print('hi')"],
    ["javascript", "import fs from 'node:fs'; console.log(await 'hi')"],
    ["bash", "echo hi"],
  ])("%s without a last value has no result", async (language, code) => {
    expect(await run(language, code)).toMatchObject({ stdout: ["hi\n"], result: [], executionError: null });
  });

  test.each([
    ["python", "1/0", "ZeroDivisionError"],
    ["python", "def", "SyntaxError"],
    ["javascript", "throw new RangeError('far')", "far"],
    ["bash", "exit 3", "exit code 3"],
  ])("%s: %s is an execution error", async (language, code, problem) => {
    const end = await run(language, code);

    expect(JSON.stringify(end)).toContain(problem);
    expect(end.executionError).toEqual(expect.any(String));
  });

  test("is ended at its time limit, and leaves no file", async () => {
    const end = await run("python", "while True: pass", { timeout_s: 0.5 });

    expect(end.executionError).toMatch(/exceeded its time limit/);
    expect(await tool("list_directory", { path: "/tmp" })).not.toContain("agb-code");
  });

  // The code is not told where its result goes, but it can find out.
  const resultPath = "open('/proc/self/cmdline').read().split(chr(0))[4]";

  test.each([
    ["a link to the emulator's own environment", `os.symlink("/proc/self/environ", ${resultPath})`],
    ["a link to a device without end", `os.symlink("/dev/zero", ${resultPath})`],
    ["a pipe on which nobody writes", `os.mkfifo(${resultPath})`],
    ["a folder", `os.mkdir(${resultPath})`],
    [
      "a link to this computer in place of its folder",
      `tmp = os.path.dirname(${resultPath}); os.rename(tmp, tmp + "-before"); os.symlink("/proc/self/root" + tmp, tmp)`,
    ],
  ])("%s in place of the result is not read", async (_what, code) => {
    const end = await run("python", `import os\n${code}`);
    await runShell(
      url,
      sessionId,
      'if [ -d "$TMPDIR-before" ]; then rm "$TMPDIR"; mv "$TMPDIR-before" "$TMPDIR"; fi; rm -rf "$TMPDIR"/.agb-*',
    );

    expect(end).toMatchObject({ result: [], executionError: null });
    expect(await run("python", "1 + 1")).toMatchObject({ result: [{ "text/plain": "2" }] });
  });

  test.each([
    ["a result", `"x" * 60_000_000`],
    ["a result that JSON spells longer", `"\\n\\"" * 5_000_000`],
    [
      "an output that JSON spells longer",
      "import sys; sys.stdout.write(chr(1) * 5_000_000); sys.stderr.write(chr(0) * 5_000_000); None",
    ],
    ["an output that is not text", "import sys; sys.stdout.buffer.write(bytes([255]) * 5_000_000); None"],
  ])("%s over the limit is cut, whatever its characters", async (_what, code) => {
    const { body } = await callTool(url, sessionId, "run_code", { language: "python", code });
    const { result, stdout, stderr } = JSON.parse(body.data.content[0].text);

    const outputs = [...result.map((each: { "text/plain": string }) => each["text/plain"]), ...stdout, ...stderr];
    expect(outputs).not.toEqual([]);
    for (const output of outputs) {
      expect(output).toMatch(/\n\[output cut after 200000 bytes\]$/);
      expect(Buffer.byteLength(JSON.stringify(output))).toBeLessThan(200_100);
    }
  });

  test("a language that is not installed is reported", async () => {
    expect(await tool("run_code", { language: "cobol", code: "" })).toMatch(/^failed: .*"cobol"/);
  });
});

describe("files", () => {
  test("are the same to the tools and to commands, where the system allows it", async () => {
    await tool("write_file", { path: "/home/user/notes/a.txt", content: "from the tool\n" });

    const { stdout } = await runShell(url, sessionId, "cat notes/a.txt; echo from the shell > notes/b.txt");

    expect(stdout).toBe("from the tool\n");
    expect(await tool("read_file", { path: "notes/b.txt" })).toBe("from the shell\n");
    expect(await tool("list_directory", { path: "/home/user/notes" })).toBe("[FILE] a.txt\n[FILE] b.txt");
  });

  test("are overwritten, appended to, moved and deleted", async () => {
    await tool("write_file", { path: "/tmp/file", content: "longer text" });
    await tool("write_file", { path: "/tmp/file", content: "one" });
    await tool("write_file", { path: "/tmp/file", content: " two", mode: "append" });
    expect(await tool("write_file", { path: "/tmp/file", content: "", mode: "create_new" })).toBe(
      "failed: File exists",
    );
    expect(await tool("move_file", { source: "/tmp/file", destination: "/tmp/moved" })).not.toMatch(/^failed/);
    expect(await tool("read_file", { path: "/tmp/moved" })).toBe("one two");
    expect(await tool("get_file_info", { path: "/tmp/moved" })).toMatch(/^size: 7\n(.|\n)*isDirectory: false\n/);
    expect(await tool("delete_file", { path: "/tmp/moved" })).not.toMatch(/^failed/);
    expect(await tool("read_file", { path: "/tmp/moved" })).toBe("failed: No such file or directory");
    expect(await tool("delete_file", { path: "/tmp" })).toBe("failed: /tmp is a directory");
    expect(await tool("read_file", { path: "/tmp" })).toBe("failed: /tmp is not a file");
  });

  test("the root is a folder like any other, which cannot be moved or written", async () => {
    for (const path of ["/", "//", "/home/..", "../../.."]) {
      expect(await tool("get_file_info", { path })).toMatch(/^size: \d+\n(.|\n)*isDirectory: true\n/);
      expect(await tool("list_directory", { path })).toContain("[DIR] home");
      expect(await tool("create_directory", { path })).not.toMatch(/^failed/);
      expect(await tool("delete_file", { path })).toBe(`failed: ${path} is a directory`);
      expect(await tool("read_file", { path })).toBe(`failed: ${path} is not a file`);
      expect(await tool("write_file", { path, content: "" })).toMatch(
        /^failed: (Is a directory|Read-only file system)$/,
      );
      expect(await tool("move_file", { source: path, destination: "/tmp/root" })).toMatch(
        /^failed: (Device or resource busy|Read-only file system)$/,
      );
    }
  });

  test("read range by range return every character once", async () => {
    const content = "aä€🙂".repeat(20);
    await tool("write_file", { path: "/tmp/text", content });
    const size = Buffer.byteLength(content);

    for (const step of [1, 2, 3, 4, 7]) {
      let joined = "";
      for (let offset = 0; offset < size; offset += step) {
        joined += await tool("read_file", { path: "/tmp/text", offset, length: Math.min(step, size - offset) });
      }
      expect(joined).toBe(content);
    }
    const binary = await tool("read_file", { path: "/tmp/text", offset: 1, length: 2, format: "binary" });
    expect(Buffer.from(binary, "base64").toString()).toBe("ä");
    expect(await tool("read_file", { path: "/tmp/text", offset: size + 1 })).toBe("");
  });

  test("over the limit are refused", async () => {
    await runShell(url, sessionId, "head -c 300000 /dev/zero > big");

    expect(await tool("read_file", { path: "big" })).toMatch(/^failed: 300000 bytes are more/);
    expect(await tool("read_file", { path: "big", offset: 200_000, length: 100_000 })).toHaveLength(100_000);
  });

  test("a list over the limit is refused", async () => {
    await runShell(url, sessionId, "mkdir many && cd many && seq -f '%0200g' 1 1200 | xargs touch");

    expect(await tool("list_directory", { path: "many" })).toMatch(
      /^failed: The list of many is longer than the 200000/,
    );
  });

  test("a pipe does not block a call", async () => {
    await runShell(url, sessionId, "mkfifo pipe");

    expect(await tool("read_file", { path: "pipe" })).toBe("failed: pipe is not a file");
    expect(await tool("write_file", { path: "pipe", content: "x" })).toBe("failed: Not a regular file");
  });

  describe("cannot leave the session's folder", () => {
    let outside: string;
    beforeAll(() => {
      outside = mkdtempSync(join(tmpdir(), "agb-outside-"));
      writeFileSync(join(outside, "secret"), "outside");
    });
    afterAll(() => rmSync(outside, { recursive: true, force: true }));

    test.each(["", "../../../../../../../..", "/..", "/tmp/../../..", "/home/user/a/../../../.."])(
      "with '%s' before a path",
      async (before) => {
        const path = `${before}${outside}/secret`;
        expect(await tool("read_file", { path })).toBe("failed: No such file or directory");
        await tool("write_file", { path: `${before}${outside}/new`, content: "inside" });
        await tool("create_directory", { path: `${before}${outside}/folder` });
        await tool("delete_file", { path });

        expect(readdirSync(outside)).toEqual(["secret"]);
        expect(await tool("read_file", { path: `${outside}/new` })).toBe("inside");
      },
    );

    test.each([
      ["absolute", (path: string) => path],
      ["relative", (path: string) => `../../../../../../../../../..${path}`],
    ])("with %s symbolic links", async (kind, spell) => {
      await runShell(
        url,
        sessionId,
        `ln -s ${spell(outside)} link-${kind}; ln -s ${spell(join(outside, "secret"))} file-${kind}`,
      );

      expect(await tool("read_file", { path: `link-${kind}/secret` })).toMatch(/^failed/);
      expect(await tool("read_file", { path: `file-${kind}` })).toMatch(/^failed/);
      await tool("write_file", { path: `link-${kind}/new`, content: "x" });
      await tool("write_file", { path: `file-${kind}`, content: "x" });
      await tool("move_file", { source: `file-${kind}`, destination: `link-${kind}/moved` });
      await tool("delete_file", { path: `link-${kind}/secret` });

      expect(readdirSync(outside)).toEqual(["secret"]);
      expect(existsSync(join(outside, "new"))).toBe(false);
    });

    test("while a process of the session keeps swapping a folder for a link to elsewhere", async () => {
      const elsewhere = mkdtempSync(join(tmpdir(), "agb-elsewhere-"));
      writeFileSync(join(elsewhere, "secret"), "of this computer");
      writeFileSync(join(elsewhere, "mark"), "of this computer");
      await runShell(url, sessionId, "mkdir own && echo own > own/secret");
      const swap = `while [ ! -e stop ]; do mv own it; mv it own; ln -sn ${elsewhere} it; rm it; done`;
      await runShell(url, sessionId, `(${swap}) > /dev/null 2>&1 &`);

      const found = new Set<string>();
      for (let round = 0; round < 200; round += 1) {
        found.add(await tool("read_file", { path: "it/secret" }));
        found.add(await tool("list_directory", { path: "it" }));
        await tool("write_file", { path: "it/secret", content: "own\n" });
        await tool("delete_file", { path: "it/mark" });
      }
      await runShell(url, sessionId, "touch stop");

      expect([...found].filter((text) => /of this computer|mark/.test(text))).toEqual([]);
      expect(readdirSync(elsewhere)).toEqual(["mark", "secret"]);
      expect(readFileSync(join(elsewhere, "secret"), "utf8")).toBe("of this computer");
      rmSync(elsewhere, { recursive: true });
    });

    test("circular links are reported", async () => {
      await runShell(url, sessionId, "ln -s round about; ln -s about round");

      expect(await tool("read_file", { path: "round" })).toBe("failed: Too many levels of symbolic links");
    });
  });
});

test("metrics are numbers", async () => {
  const metrics = JSON.parse(await tool("get_metrics", {}));

  for (const name of ["cpu_count", "mem_total", "mem_used", "disk_total", "disk_used"]) {
    expect(metrics[name]).toBeGreaterThan(0);
  }
});

test.each([
  ["args.command", "shell", {}],
  ["args.command", "shell", { command: "a\0b" }],
  ["args.timeout_ms", "shell", { command: "a", timeout_ms: 0 }],
  ["args.envs", "shell", { command: "a", envs: ["a"] }],
  ["args.envs.A", "shell", { command: "a", envs: { A: 1 } }],
  ["args.code", "run_code", { language: "python" }],
  ["args.path", "read_file", {}],
  ["args.path", "list_directory", { path: "" }],
  ["args.path", "read_file", { path: "a/".repeat(200_000) }],
  ["args.offset", "read_file", { path: "a", offset: -1 }],
  ["args.format", "read_file", { path: "a", format: "x" }],
  ["args.content", "write_file", { path: "a" }],
  ["args.mode", "write_file", { path: "a", content: "", mode: "x" }],
  ["args.destination", "move_file", { source: "a" }],
])("a bad %s of %s is refused", async (field, name, args) => {
  const answer = await callTool(url, sessionId, name, args);

  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ success: false, code: "InvalidRequest" });
  expect(answer.body.message).toContain(`${field}`);
});

test.each(["no_such_tool", "__proto__", "constructor", "click_mouse"])("%s is no tool of the image", async (name) => {
  expect(await tool(name, {})).toMatch(/^failed: The image agb-code-space-1 has no tool/);
});
