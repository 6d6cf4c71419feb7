import { createServer } from "node:net";
import { EngineLog } from "../../provider/hosts/plugin";
import { closeAfterTest } from "../support/close-after-test";
import { startEngine } from "../support/plugin-client";
import { setVariable } from "../support/set-variable";

/** A server that takes connections and never answers. */
async function startSilentServer(): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closeAfterTest({
    close: () => {
      for (const socket of sockets) {
        socket.destroy();
      }
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

function openLog(limitMs?: number) {
  const printed: string[] = [];
  return { log: closeAfterTest(new EngineLog((message) => printed.push(message), limitMs)), printed };
}

test.each(["http_proxy", "https_proxy", "grpc_proxy"])(
  "messages to the engine take no proxy of %s",
  async (variable) => {
    setVariable(variable, `http://${await startSilentServer()}`);
    setVariable("no_proxy", "");
    const engine = await startEngine();
    const { log, printed } = openLog();
    log.attach(engine.address);
    log.say("hello", { urn: "urn:web" });
    await log.flush();
    expect(engine.logged).toEqual([{ message: "hello", severity: "info", urn: "urn:web" }]);
    expect(printed).toEqual([]);
  },
);

test("messages keep their order", async () => {
  const engine = await startEngine();
  const { log } = openLog();
  log.attach(engine.address);
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index} ${"x".repeat((index % 5) * 30_000)}`);
  for (const line of lines) {
    log.say(line);
  }
  await log.flush();
  expect(engine.logged.map(({ message }) => message)).toEqual(lines);
});

test("an engine that does not take a message delays a reply only for a limited time, and the message is printed", async () => {
  const { log, printed } = openLog(200);
  log.attach(await startSilentServer());
  log.say("hello");
  await log.flush();
  expect(printed).toEqual(["hello"]);
});
