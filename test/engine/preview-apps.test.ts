// Preview environments with an app, as CI jobs create them, with the real engine. The tests build on each other.

import { runShell } from "../support/emulator-requests";
import "../support/await-pulumi-cli";
import { testKey } from "../support/agb-emulator";
import { down, PreviewWorld, up } from "../support/preview-world";

jest.setTimeout(600_000);

const server = (status: string, word: string) => `
  let asked = 0;
  require("node:http").createServer((request, response) => {
    asked += 1;
    response.writeHead(${status}).end("${word} " + process.pid);
  }).listen(process.env.PORT);
`;

// The sessions of an emulator share the ports of this computer.
const port = (request: number) => 30_150 + request;

const program = (source: string, command = "exec node server.js") => `
  const pulumi = require("@pulumi/pulumi");
  const { PreviewEnvironment } = require("pulumi-agb");
  const request = Number(new pulumi.Config("preview").require("request"));
  new PreviewEnvironment("preview", {
    imageId: "agb-code-space-1",
    cache: { path: "/home/user/cache" },
    files: {
      "/home/user/app": new pulumi.asset.AssetArchive({
        "server.js": new pulumi.asset.StringAsset(${JSON.stringify(source)}),
      }),
    },
    app: {
      command: ${JSON.stringify(command)},
      workingDirectory: "/home/user/app",
      port: 30150 + request,
      startTimeoutSeconds: 30,
    },
  });
`;

const world = new PreviewWorld({ program: program(server("200", "hello")), allowExec: true });

const visit = (request: number) =>
  fetch(`http://127.0.0.1:${port(request)}/`).then(
    (response) => response.text(),
    () => "no answer",
  );
const commentOn = (request: number) => world.forge.comments.find(({ number }) => number === request)?.body ?? "";
const linkCommand = (request: number) =>
  `npx pulumi-agb sessions link ${world.onlySession(request).sessionId} --port ${port(request)}`;

test("the apps of two requests come up side by side, and each comment has the command for the link", async () => {
  world.setRequest(1, "open");
  world.setRequest(2, "open");
  const results = await Promise.all([world.run(...up(1, "aaaaaaa1")), world.run(...up(2, "bbbbbbb2"))]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  for (const request of [1, 2]) {
    expect(await visit(request)).toMatch(/^hello \d+$/);
    expect(results[request - 1]?.stdout).toContain(`The app answers at / on port ${port(request)} (HTTP 200).`);
    expect(commentOn(request)).toContain(`The preview environment of request ${request} is ready\n`);
    expect(commentOn(request)).toContain(linkCommand(request));
  }
  const everything = JSON.stringify([results, world.forge.comments]);
  expect(everything).not.toContain(`127.0.0.1:${port(1)}/`);
  expect(everything).not.toContain(testKey);
});

test("a push that changes only the commit does not restart the app", async () => {
  const before = await visit(1);
  const { stdout } = await world.succeed(...up(1, "ccccccc3"));
  expect(stdout).toContain("is up");
  expect(await visit(1)).toBe(before);
  expect(world.onlySession(1).labels).toMatchObject({ commit: "ccccccc3" });
});

test("a run of the same commit restarts an app that has died, in the same session", async () => {
  const { sessionId } = world.onlySession(1);
  const before = await visit(1);
  await runShell(world.emulator.url, sessionId, `kill -s KILL -- -$(head -n 1 .pulumi-agb-app/process)`);
  expect(await visit(1)).toBe("no answer");
  const { stdout } = await world.succeed(...up(1, "ccccccc3"));
  expect(stdout).toMatch(
    /^The app on port \d+ of \S+ is not healthy: nothing answers on port \d+ in its session\. The update restarts it\.$/m,
  );
  expect(world.onlySession(1).sessionId).toBe(sessionId);
  expect(await visit(1)).toMatch(/^hello \d+$/);
  expect(await visit(1)).not.toBe(before);
});

test("a push that breaks the app fails the job with the end of the app's log, and the next push repairs it", async () => {
  const { sessionId } = world.onlySession(1);
  await world.project.write("index.js", program("", "echo 'no database'; exit 3"));
  const { exitCode, stdout, stderr } = await world.run(...up(1, "ddddddd4"));
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toContain("The app ended with exit code 3 before it answered");
  expect(stdout + stderr).toContain("no database");
  expect(commentOn(1)).toContain("could not be created or updated");
  await world.project.write("index.js", program(server("200", "repaired")));
  await world.succeed(...up(1, "eeeeeee5"));
  expect(await visit(1)).toMatch(/^repaired/);
  expect(world.onlySession(1).sessionId).toBe(sessionId);
});

test("an app that answers only its start makes the job fail with a code of its own, and the comment says so", async () => {
  await world.project.write("index.js", program(server("asked === 1 ? 200 : 503", "tired")));
  const { exitCode, stderr } = await world.run(...up(1, "fffffff6"), "--health-timeout", "0s");
  expect(exitCode).toBe(20);
  expect(stderr).toMatch(
    /::error::The environment is ready, but the app on port .* it answers HTTP 503\. .* \[AGB731\]/,
  );
  expect(commentOn(1)).toContain("request 1 is ready, but its app is not healthy");
  expect(world.forge.comments).toHaveLength(2);
});

test("a close ends the apps with their environments", async () => {
  for (const request of [1, 2]) {
    world.setRequest(request, "closed");
    await world.succeed(...down(request));
    expect(await visit(request)).toBe("no answer");
  }
  expect(world.emulator.sessions()).toEqual([]);
  expect(world.contexts()).toEqual([]);
});
