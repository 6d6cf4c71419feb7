import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainView } from "../../provider/emulator/sandbox/find-session-view";
import { findInterpreters } from "../../provider/emulator/sandbox/interpreters";
import { Keeper } from "../../provider/emulator/sandbox/keeper";
import { Sandbox } from "../../provider/emulator/sandbox/sandbox";
import { runCode } from "../../provider/emulator/tools/run-code";
import { commandLines, outlives } from "../support/command-lines";

const limits = { timeLimitMs: 10_000, outputLimitBytes: 10_000 };
let folder: string;
let keeper: Keeper;
let sandbox: Sandbox;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "agb-plain-")));
  keeper = new Keeper("AGB_EMULATOR_SESSION=plain-test/", folder, false);
  const shared = { view: plainView, interpreters: await findInterpreters(), keeper, mark: "plain-test/", limits };
  sandbox = new Sandbox("session-a", join(folder, "root"), shared);
  await sandbox.makeFolders(["/data"]);
});
afterAll(async () => {
  await sandbox.end();
  await keeper.close();
  rmSync(folder, { recursive: true, force: true });
});

test("commands start in the session's folder even if they cannot have a root of their own", async () => {
  const end = await sandbox.run({ command: ["/bin/sh", "-c", "pwd; echo $HOME $TMPDIR; echo x > a"] });

  const home = join(folder, "root", "home", "user");
  expect(end.stdout).toBe(`${home}\n${home} ${join(folder, "root", "tmp")}\n`);
  expect(existsSync(join(home, "a"))).toBe(true);
});

test("what a session runs ends with it, also what has another group and no environment", async () => {
  const seconds = String(100_000 + Math.floor(Math.random() * 900_000));
  const ending = new Sandbox("session-b", join(folder, "other"), sandbox.shared);
  await ending.makeFolders([]);
  const leave = `sleep ${seconds} & setsid sleep ${seconds} & env -i setsid sleep ${seconds} &`;
  await ending.run({ command: ["/bin/sh", "-c", leave] });
  expect(commandLines()).toContain(`sleep ${seconds}`);

  await ending.end();

  expect(await outlives(`sleep ${seconds}`)).toBe(false);
  await expect(ending.run({ command: ["true"] })).rejects.toThrow("the session is over");
});

test("code runs there too", async () => {
  const { content } = await runCode(sandbox, { language: "javascript", code: "console.log(process.cwd()); 7" });

  expect(JSON.parse(content[0]?.text ?? "")).toMatchObject({
    stdout: [`${join(folder, "root", "home", "user")}\n`],
    result: [{ "text/plain": "7" }],
  });
});
