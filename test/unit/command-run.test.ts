import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { CommandProgress } from "../../provider/kinds/command-progress";
import { newRunIdentity, partsOf, runIdentityOf } from "../../provider/lifecycle/command-run";
import { OutputTail } from "../../provider/lifecycle/command-run-output";
import {
  forgetScript,
  ownerDirectory,
  pollScript,
  prepareScript,
  runDirectory,
  runnerScript,
  startScript,
  stopScript,
} from "../../provider/lifecycle/command-run-scripts";
import { parseRunStatus } from "../../provider/lifecycle/command-run-status";
import { FakeClock } from "../support/fake-clock";

describe("the identity of a run", () => {
  const owner = ["stack", "build"];

  test("follows from what the run is for", () => {
    expect(runIdentityOf(owner, ["create", "x"])).toEqual(runIdentityOf(owner, ["create", "x"]));
    expect(runIdentityOf(owner, ["create", "x"])).not.toEqual(runIdentityOf(owner, ["create", "y"]));
    expect(runIdentityOf(["stack", "other"], "x").run).not.toBe(runIdentityOf(owner, "x").run);
    expect(runIdentityOf(["a", "b"], "x")).not.toEqual(runIdentityOf(["ab"], "x"));
  });

  test("is safe in a path and in a script", () => {
    const named = runIdentityOf(owner, "$(secret)");
    for (const name of [...Object.values(named), ...Object.values(newRunIdentity())]) {
      expect(name).toMatch(/^[0-9a-f]{32}$/);
    }
  });
});

describe("the parts of a script", () => {
  test("make up the script, and none is too long or ends inside of a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 4, max: 20 }), (text, longest) => {
        const parts = partsOf(text, longest);
        expect(parts.join("")).toBe(text);
        expect(parts.every((part) => part !== "" && Buffer.byteLength(part) <= longest)).toBe(true);
      }),
    );
  });
});

describe("the scripts", () => {
  const spec = {
    command: "it's 'quoted' \"$(x)\" `y`\n# }",
    environment: { A: "'; exit 1; '", B: "}\n{" },
    stdin: "EOF\n'",
    workingDirectory: "/a b/'c'",
    timeoutSeconds: 5,
  };
  const identity = newRunIdentity();

  test.each([
    ["prepare", prepareScript(identity, "0a")],
    ["start", startScript(identity, 10)],
    ["poll", pollScript(identity, { stdout: { offset: 5, lengthBytes: 10 }, stderr: { offset: 0, lengthBytes: 10 } })],
    ["stop", stopScript(identity)],
    ["forget", forgetScript(identity, [identity])],
    ["run", runnerScript(spec)],
  ])("%s has no syntax error", (_, script) => {
    expect(execFileSync("sh", ["-n"], { input: script }).toString()).toBe("");
  });

  test("forget leaves nothing, although the runner adds a file while its directory is removed", () => {
    const root = mkdtempSync(join(tmpdir(), "agb-forget-"));
    const directory = join(root, runDirectory(identity));
    mkdirSync(join(directory, "lock"), { recursive: true });
    // A runner that is as slow as on a busy computer: it writes how the command ended when `rm` has just listed the files.
    const rm = `#!/bin/sh
if [ -e "$2/lock" ]; then rmdir "$2/lock"; : > "$2/exit-0"; exit 1; fi
exec /bin/rm "$@"
`;
    writeFileSync(join(root, "rm"), rm, { mode: 0o755 });
    const environment = { ...process.env, PATH: `${root}:${process.env["PATH"]}` };
    execFileSync("sh", { cwd: root, env: environment, input: forgetScript(identity, []) });
    expect(readdirSync(join(root, dirname(ownerDirectory(identity))))).toEqual([]);
    rmSync(root, { recursive: true });
  });

  test("no beginning of the runner runs anything", () => {
    const script = runnerScript(spec);
    for (let length = 1; length < script.length - 2; length += 37) {
      // In a folder that does not exist, the lock could not be made. An unfinished script does not get that far.
      const run = () => execFileSync("sh", { input: script.slice(0, length), stdio: ["pipe", "pipe", "pipe"] });
      expect(run).toThrow();
    }
  });
});

describe("the status of a run", () => {
  const base64 = (bytes: Buffer) => bytes.toString("base64").replaceAll(/.{76}/g, "$&\n");
  const printed = (state: string, stdout: Buffer, stderr: Buffer) =>
    `state ${state}\ntoken t\nstdout 500\n${base64(stdout)}\nstderr 7\n${base64(stderr)}\nend\n`;

  test("holds any bytes", () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, bytes, (stdout, stderr) => {
        expect(parseRunStatus(printed("running", stdout, stderr))).toEqual({
          step: "running",
          end: undefined,
          token: "t",
          stdout: { sizeBytes: 500, bytes: stdout },
          stderr: { sizeBytes: 7, bytes: stderr },
        });
      }),
    );
  });

  test.each([
    ["0", { reason: "exited", exitCode: 0 }],
    ["137", { reason: "exited", exitCode: 137 }],
    ["143-timeout", { reason: "timed out", exitCode: 143 }],
    ["0-full", { reason: "exited", exitCode: 0, isDiskFull: true }],
    ["143-timeout-full", { reason: "timed out", exitCode: 143, isDiskFull: true }],
    ["died", { reason: "killed", exitCode: undefined }],
    ["stopped", { reason: "killed", exitCode: undefined }],
    ["no-directory", { reason: "no directory", exitCode: undefined }],
    ["no-space", { reason: "no space", exitCode: undefined }],
  ])("says how a run ended: %s", (state, end) => {
    const none = Buffer.alloc(0);
    expect(parseRunStatus(printed(state, none, none))).toMatchObject({ step: "ended", end });
  });

  test.each([
    "",
    "state running",
    "end",
    "state \nend",
    "state toString\nend\n",
    "state 0-other\nend\n",
    "state -full\nend\n",
  ])("is not known from a reply that is not complete: %j", (text) => {
    expect(parseRunStatus(text)).toBeUndefined();
  });
});

describe("the end of an output", () => {
  test("is what the command wrote last, from a whole character on, and says whether more was written", () => {
    const pieces = fc.array(fc.string({ unit: "grapheme", maxLength: 8 }), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 4, max: 40 }), (texts, keptBytes) => {
        const tail = new OutputTail(keptBytes);
        const all = Buffer.from(texts.join(""));
        for (let at = 0; at < all.length; at += 5) {
          tail.add(all.subarray(at, at + 5), all.length);
        }
        const { text, sizeBytes, isCut } = tail.end();
        expect(sizeBytes).toBe(all.length);
        expect(all.toString().endsWith(text)).toBe(true);
        expect(isCut).toBe(all.length > keptBytes);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(keptBytes);
        expect(Buffer.byteLength(text)).toBeGreaterThan(Math.min(all.length, keptBytes) - 4);
      }),
    );
  });

  test("leaves out what it would not keep anyway", () => {
    const tail = new OutputTail(10);
    tail.add(Buffer.from("12345"), 100);
    expect(tail.skip()).toBe(85);
    expect(tail.offset).toBe(90);
    tail.add(Buffer.from("abcdefghij"), 100);
    expect(tail.skip()).toBe(0);
    expect(tail.end()).toEqual({ text: "abcdefghij", sizeBytes: 100, isCut: true });
  });
});

describe("progress", () => {
  function open() {
    const lines: string[] = [];
    const clock = new FakeClock();
    const options = { shown: ["stdout"] as const, clock, clean: (line: string) => line };
    const progress = new CommandProgress({ ...options, say: (line) => lines.push(line) });
    return { lines, clock, add: (text: string) => progress.add("stdout", Buffer.from(text, "latin1")), progress };
  }

  test("comes in whole lines, also when a line or a character is cut in two", () => {
    const { lines, add, progress } = open();
    for (const part of ["one\ntw", "o\r\n", "\xc3", "\xbc\n", "10 %\r20 %\r", "last"]) {
      add(part);
    }
    expect(lines).toEqual(["one", "two", "ü", "10 %", "20 %"]);
    progress.finish();
    expect(lines.at(-1)).toBe("last");
  });

  test("leaves out lines when there are too many, says how many, and goes on later", () => {
    const { lines, clock, add } = open();
    add("line\n".repeat(1_000));
    expect(lines).toHaveLength(200);
    clock.advance(1_000);
    add("later\n");
    expect(lines.slice(200)).toEqual(["(800 lines of output are not shown)", "later"]);
  });

  test("does not keep a line that never ends", () => {
    const { lines, add } = open();
    for (let count = 0; count < 100; count += 1) {
      add("x".repeat(1_000));
    }
    expect(lines.length).toBeGreaterThan(3);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(20_000);
  });

  test("shows no other output", () => {
    const { lines, progress } = open();
    progress.add("stderr", Buffer.from("x\n"));
    progress.skip("stderr", 5);
    progress.finish();
    expect(lines).toEqual([]);
  });
});
