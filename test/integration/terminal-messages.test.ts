// What the commands `sessions` and `contexts` print, made by the real commands and compared with test/messages.

import { AgbClient } from "../../provider/api/client";
import { AgbNetworkError, AgbNotFoundError } from "../../provider/api/errors";
import { readContexts } from "../../provider/cli/contexts/list";
import { exitCodeOf, explainFailure } from "../../provider/cli/sessions/exec-outcome";
import { keepAlive } from "../../provider/cli/sessions/keep-alive";
import { readSessions } from "../../provider/cli/sessions/list";
import { describeReleaseFailure } from "../../provider/cli/sessions/release";
import { AgbRunError, type RunEnd } from "../../provider/lifecycle/command-run";
import { releaseAndWait } from "../../provider/lifecycle/session";
import { startTestEmulator, testKey } from "../support/agb-emulator";
import { createContext, createId } from "../support/emulator-requests";
import { FakeClock } from "../support/fake-clock";
import { expectGolden } from "../support/golden-messages";
import { sendRefusal, sendSuccess, startScriptedServer } from "../support/scripted-server";
import { shownBy } from "../support/shown-messages";
import { exportOf, openEmulator, ownLabels, stateWith } from "../support/sweep-command";
import { openTerminal } from "../support/terminal-command";

jest.setTimeout(180_000);

/** Replaces what differs from run to run. */
function settled({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
  return (stdout + stderr)
    .replaceAll(/created \d{4}-\S+Z/g, "created 2026-11-22T20:00:00.000Z")
    .replaceAll(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z/g, "2026-11-22T20:00:00.000Z")
    .replaceAll(/request id [0-9A-F-]{36}/g, "request id REQ-1")
    .replaceAll(/\b(ai|p)-[a-z0-9]{17,}/g, "$1-1")
    .replaceAll(/(token|authcode)=\w+/g, "$1=TOKEN")
    .trimEnd();
}

test("sessions and contexts", async () => {
  const { emulator, make } = await openEmulator();
  const [web, other] = [await make(ownLabels(5, { team: "web" })), await make({})];
  const { run, runWith, sh } = await openTerminal(emulator.url, { state: exportOf([web]), config: {} });
  const line = async (text: string) => settled(await run(...text.split(" ").filter((word) => word !== "")));
  const inStack = async (state: string | undefined, text: string) => {
    const terminal = await openTerminal(emulator.url, { state, config: {} });
    return settled(await terminal.run(...text.split(" ")));
  };
  const messages: Record<string, string> = {};
  for (const text of [
    "sessions nowhere",
    "sessions list --label team",
    "sessions list --label team=web --label team=core",
    "sessions show",
    "sessions link session-1 --port 80",
    "sessions link session-1 --label team=web",
    "sessions keep-alive session-1 --for 30m",
    "sessions keep-alive session-1 --every 0s",
    "sessions release --resource web",
    "sessions link session-1 --protocol wss",
    "sessions exec session-1",
    "sessions exec session-1 ls -- ls",
    "sessions exec session-1 --cwd tmp -- ls",
    "sessions exec session-1 --env 1=2 -- ls",
    "sessions exec session-1 --env NO_SUCH_VARIABLE -- ls",
    "sessions exec session-1 --timeout 0s -- ls",
    "sessions exec session-1 -- ls",
    "contexts list",
    "contexts show nowhere",
  ]) {
    messages[`pulumi-agb ${text}`] = await line(text);
  }
  messages["an empty session id"] = settled(await run("sessions", "show", ""));
  messages["a session"] = await line(`sessions show ${web}`);
  messages["a list"] = await line("sessions list --stack dev");
  messages["a session without owner"] = await line(`sessions show ${other}`);
  messages["a link"] = await line(`sessions link ${web} --port 30100`);
  messages["kept alive"] = await line(`sessions keep-alive ${web}`);
  messages["no session with the id"] = await line("sessions show session-1");
  messages["no session to list"] = await line("sessions list --label team=core");
  messages["no session matches"] = await line("sessions show --stack dev --resource cache --label team=core");
  messages["several sessions match"] = await (async () => {
    const terminal = await openEmulator();
    await terminal.make({ team: "web" });
    await terminal.make({ team: "web" });
    return settled(await (await openTerminal(terminal.emulator.url)).run("sessions", "show", "--label", "team=web"));
  })();
  messages["many sessions match"] = await (async () => {
    const emulatorOfMany = await startTestEmulator();
    for (let count = 0; count < 55; count += 1) {
      await createId(emulatorOfMany.url, { team: "web" }, {}, testKey);
    }
    const terminal = await openTerminal(emulatorOfMany.url);
    const ids = settled(await terminal.run("sessions", "list", "--output", "ids")).split("\n");
    messages["more sessions than are shown"] = ids.at(-1) ?? "";
    return settled(await terminal.run("sessions", "show", "--label", "team=web"));
  })();
  messages["more sessions than are shown, and AGB does not say how many"] = await (async () => {
    const server = await startScriptedServer((_request, response) => {
      const data = Array.from({ length: 51 }, (_, index) => ({ sessionId: `session-${index}` }));
      sendSuccess(response, { data });
    });
    const { stderr } = await (await openTerminal(server.url)).run("sessions", "list", "--output", "ids");
    return settled({ stdout: "", stderr });
  })();
  messages["no such stack"] = await inStack(undefined, "sessions list --stack dev");
  messages["a stack without an id"] = await inStack(stateWith([], ""), "sessions list --stack dev");
  messages["no key"] = settled(await runWith({ AGB_API_KEY: "" }, "sessions", "list"));
  messages["a wrong key"] = settled(await runWith({ AGB_API_KEY: "wrong" }, "sessions", "list"));
  messages["an output that cannot be written"] = settled(await sh("pulumi-agb sessions list > /dev/full"));
  messages["a release by labels without --yes"] = await line("sessions release --label team=web");
  messages["a release"] = await line(`sessions release ${web}`);
  messages["a release of a session that is gone"] = await line(`sessions release ${web}`);
  messages["a keep-alive of a session that is gone"] = await line(`sessions keep-alive ${web}`);
  messages["a release that AGB refuses"] = await (async () => {
    emulator.addFault({ operation: "releaseSessionAsync", calls: 1, answer: { status: 400 } });
    return line(`sessions release ${other}`);
  })();
  messages["a session that is not gone after its release"] = await (async () => {
    const server = await startScriptedServer(({ path }, response) => {
      sendSuccess(response, { data: path.endsWith("GetLabel") ? { labels: "{}" } : { status: "RUNNING" } });
    });
    const client = clientOf(server.url);
    const { text, code } = describeReleaseFailure(
      await releaseAndWait(client, "session-1", new FakeClock()).catch((error: unknown) => error),
    );
    await client.close();
    return `failed: session-1: ${text} [${code}]`;
  })();
  messages["a context"] = await (async () => {
    await createContext(emulator.url, "caches", testKey);
    return line("contexts show caches");
  })();
  messages["a list of contexts"] = await line("contexts list");
  messages["a session that runs no commands"] = await line(`sessions exec ${other} -- ls`);
  Object.assign(messages, await execMessages());
  Object.assign(messages, await keepAliveMessages(), await progressMessages());
  expectGolden("terminal", Object.entries(messages));
});

function clientOf(baseUrl: string): AgbClient {
  return new AgbClient({ baseUrl, proxy: undefined, timeoutMs: 5_000, apiKey: testKey });
}

/** What is said of commands that did not end as a user expects. */
async function execMessages(): Promise<Record<string, string>> {
  const { emulator, make } = await openEmulator({ allowExec: true });
  const id = await make({});
  const { run, sh } = await openTerminal(emulator.url);
  const failure = (error: unknown, hasStarted = true) =>
    shownBy("sessions exec", () => {
      throw explainFailure(error, "session-1", hasStarted, emulator.url);
    });
  const gone = { code: "InvalidMcpSession.NotFound", reason: "", status: 400, requestId: "", isFromAgb: true };
  const end = (reason: RunEnd["reason"]) =>
    shownBy("sessions exec", () => exitCodeOf({ reason, exitCode: undefined }, {}));
  return {
    "exec: a time limit": settled(await run("sessions", "exec", id, "--timeout", "1s", "--", "sleep", "60")),
    "exec: no such directory": settled(await run("sessions", "exec", id, "--cwd", "/no/such", "--", "ls")),
    "exec: no home directory": await end("no directory"),
    "exec: no space in the session": await end("no space"),
    "exec: what ran the command was killed": await end("killed"),
    "exec: too long an input": settled(
      await sh(`head -c 10000001 /dev/zero | pulumi-agb sessions exec ${id} -i -- cat`),
    ),
    "exec: the session ended": await failure(new AgbNotFoundError("mcp", gone)),
    "exec: the run is lost": await failure(
      new AgbRunError("lost", "the directory of the command was removed in session session-1"),
    ),
    "exec: a program is missing": await failure(
      new AgbRunError("unusable", "session session-1 lacks the program base64"),
      false,
    ),
    "exec: a full disk": await failure(
      new AgbRunError("full", "the disk of the session is full: cat: write error: No space left on device"),
      false,
    ),
    "exec: an outage lasts": await failure(new AgbNetworkError("mcp", "https://agb.example", true, "socket hang up")),
    "exec: the command cannot be ended": await (async () => {
      const terminal = await openTerminal(emulator.url);
      const running = terminal.start("sessions", "exec", id, "--", "sh", "-c", "echo started; sleep 20");
      while (!running.printed().includes("started")) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      emulator.addFault({ operation: "mcp", answer: { status: 400 } });
      running.send("SIGINT");
      const { stderr } = await running.result;
      return settled({ stdout: "", stderr });
    })(),
  };
}

/** What a terminal shows of lists that take a while. */
async function progressMessages(): Promise<Record<string, string>> {
  const shown: string[] = [];
  const [isTty, write] = [process.stderr.isTTY, process.stderr.write];
  process.stderr.isTTY = true;
  process.stderr.write = (text: string | Uint8Array) => shown.push(`${text}`.replaceAll(/[^\x20-\x7e]|\[K/g, "")) > 0;
  try {
    const { emulator, make } = await openEmulator({ pageCap: 10 });
    for (let count = 0; count < 20; count += 1) {
      await make({});
      await createContext(emulator.url, `context-${count}`, testKey);
    }
    const agb = {
      client: clientOf(emulator.url),
      baseUrl: "",
      state: undefined,
      hideKey: <Value>(value: Value) => value,
    };
    await readSessions(agb, { label: {}, output: "table" });
    await readContexts(agb, { output: "table" });
    await agb.client.close();
  } finally {
    process.stderr.isTTY = isTty;
    process.stderr.write = write;
  }
  return { "the progress of lists": shown.filter((text) => text !== "").join("\n") };
}

/** What a keep-alive says of a beat that fails, and of the next one. */
async function keepAliveMessages(): Promise<Record<string, string>> {
  const server = await startScriptedServer((_request, response, call) =>
    call === 2 ? sendRefusal(response, "Busy") : sendSuccess(response),
  );
  const client = clientOf(server.url);
  const said: string[] = [];
  const write = jest.spyOn(process.stderr, "write").mockImplementation((text) => said.push(`${text}`) > 0);
  const log = jest.spyOn(console, "log").mockImplementation();
  const hideKey = <Value>(value: Value) => value;
  await keepAlive({ client, hideKey }, ["session-1"], { everyMs: 60_000, forMs: 180_000 }, new FakeClock());
  write.mockRestore();
  log.mockRestore();
  await client.close();
  const [failed = "", again = ""] = said.map((text) => text.trim());
  return { "a beat fails": failed, "the next beat succeeds": again };
}
