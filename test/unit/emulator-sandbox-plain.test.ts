import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findInterpreters } from "../../provider/emulator/sandbox/interpreters";
import { Keeper } from "../../provider/emulator/sandbox/keeper";
import { Sandbox } from "../../provider/emulator/sandbox/sandbox";
import { plainView } from "../../provider/emulator/sandbox/session-view";
import { runCode } from "../../provider/emulator/tools/run-code";

const limits = { timeLimitMs: 10_000, outputLimitBytes: 10_000 };
let folder: string;
let keeper: Keeper;
let sandbox: Sandbox;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "agb-plain-")));
  keeper = new Keeper("AGB_EMULATOR_SESSION=plain-test/", folder, false);
  const surroundings = { view: plainView, interpreters: await findInterpreters(), keeper, mark: "plain-test/", limits };
  sandbox = new Sandbox("session-a", join(folder, "root"), surroundings);
  await sandbox.makeFolders(["/data"]);
});
afterAll(async () => {
  await sandbox.end();
  await keeper.close();
  rmSync(folder, { recursive: true, force: true });
});

test("where commands cannot have a root of their own, they begin in the session's folder all the same", async () => {
  const end = await sandbox.run({ command: ["/bin/sh", "-c", "pwd; echo $HOME $TMPDIR; echo x > a"] });

  const home = join(folder, "root", "home", "user");
  expect(end.stdout).toBe(`${home}\n${home} ${join(folder, "root", "tmp")}\n`);
  expect(existsSync(join(home, "a"))).toBe(true);
});

test("code runs there too", async () => {
  const { content } = await runCode(sandbox, { language: "javascript", code: "console.log(process.cwd()); 7" });

  expect(JSON.parse(content[0]?.text ?? "")).toMatchObject({
    stdout: [`${join(folder, "root", "home", "user")}\n`],
    result: [{ "text/plain": "7" }],
  });
});
