import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StoppedError, StopRequests } from "../../provider/pulumi/stop-requests";
import { startEmulator } from "../../tools/quick-start/emulator";
import { createPulumiEnvironment } from "../../tools/quick-start/environment";
import { nextSteps } from "../../tools/quick-start/next-steps";
import { formatOutputsTable } from "../../tools/quick-start/outputs-table";
import { chooseService } from "../../tools/quick-start/service";

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "quick-start-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("the service", () => {
  const choose = (environment: NodeJS.ProcessEnv, config?: string) => {
    const path = join(root, "Pulumi.dev.yaml");
    if (config !== undefined) {
      writeFileSync(path, config);
    }
    return chooseService(environment, path);
  };

  test("is the emulator without an API key, whatever the endpoint", () => {
    const emulator = { kind: "emulator", folderName: "emulator" };

    expect(choose({})).toEqual(emulator);
    expect(choose({ AGB_API_KEY: "", AGB_ENDPOINT: "other.example" })).toEqual(emulator);
    expect(choose({}, "encryptionsalt: v1:x\nconfig:\n  agb:timeoutMs: 5\n")).toEqual(emulator);
  });

  test("is AGB with an API key in the environment or in the stack's configuration", () => {
    const agb = { kind: "real", folderName: "agb" };

    expect(choose({ AGB_API_KEY: "key" })).toEqual(agb);
    expect(choose({ AGB_API_KEY: "key", AGB_ENDPOINT: "https://SDK-API.agb.cloud/" })).toEqual(agb);
    expect(choose({}, "config:\n  agb:apiKey:\n    secure: v1:x\n")).toEqual(agb);
  });

  test("has a folder for each endpoint", () => {
    const folder = (endpoint: string, config?: string) =>
      choose({ AGB_API_KEY: "key", AGB_ENDPOINT: endpoint }, config).folderName;

    expect(folder("http://127.0.0.1:8080/")).toBe("agb-http-127.0.0.1-8080");
    expect(folder("https://agb.example")).toBe("agb-agb.example");
    expect(folder("agb.example", "config:\n  agb:endpoint: sdk-api.agb.cloud\n")).toBe("agb");
  });
});

describe("the environment of Pulumi", () => {
  const pulumi = { command: "/cli/pulumi", binDirectory: "/cli", version: "3.245.0", origin: "cache" } as const;
  const emulator = { url: "http://127.0.0.1:1", apiKey: "local-1" };

  test("has its own home, backend and stack, and the emulator's address", async () => {
    expect(await createPulumiEnvironment({ PATH: "/bin", OTHER: "1" }, pulumi, join(root, "a b"), emulator)).toEqual({
      PATH: "/cli:/bin",
      OTHER: "1",
      PULUMI_HOME: join(root, "a b", "home"),
      PULUMI_BACKEND_URL: `file://${root}/a%20b/backend`,
      PULUMI_STACK: "dev",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_CONFIG_PASSPHRASE: "",
      AGB_API_KEY: "local-1",
      AGB_ENDPOINT: "http://127.0.0.1:1",
    });
  });

  test("leaves a passphrase and AGB's settings alone", async () => {
    const withFile = await createPulumiEnvironment({ PULUMI_CONFIG_PASSPHRASE_FILE: "/f" }, pulumi, root, undefined);
    expect(withFile["PULUMI_CONFIG_PASSPHRASE"]).toBeUndefined();

    const base = { PULUMI_CONFIG_PASSPHRASE: "secret", AGB_API_KEY: "key" };
    expect(await createPulumiEnvironment(base, pulumi, root, undefined)).toMatchObject(base);
  });
});

describe("the emulator", () => {
  const start = (script: string, signal?: AbortSignal, allowsExec = false) => {
    const scriptPath = join(root, "main.js");
    writeFileSync(scriptPath, script);
    return startEmulator({
      statePath: join(root, "state.json"),
      scriptPath,
      allowsExec,
      ...(signal === undefined ? {} : { signal }),
    });
  };
  const announce = 'console.log("AGB emulator listening on http://127.0.0.1:4321");';

  test("is started with its state file and a key, and stopped gracefully", async () => {
    const emulator = await start(`
      const { writeFileSync } = require("node:fs");
      const parameters = [...process.argv.slice(2), process.env.AGB_EMULATOR_API_KEY];
      const timer = setInterval(() => {}, 1000);
      process.on("SIGTERM", () => { writeFileSync(${JSON.stringify(join(root, "ended"))}, parameters.join(" ")); clearInterval(timer); });
      ${announce}`);

    expect(emulator.url).toBe("http://127.0.0.1:4321");
    expect(emulator.apiKey).toMatch(/^local-[0-9a-f]{32}$/);
    await emulator.stop();
    expect(readFileSync(join(root, "ended"), "utf8")).toBe(
      `emulator --port 0 --state ${join(root, "state.json")} --default-idle-timeout-seconds 1800 ${emulator.apiKey}`,
    );
  });

  test("lets sessions run commands only when told to, and a warning that they are not isolated is shown", async () => {
    const said = jest.spyOn(console, "error").mockImplementation(() => {});
    const script = `console.error(process.argv.at(-1) + " [AGB807]"); console.error("other"); ${announce} setInterval(() => {}, 1000);`;
    await (await start(script, undefined, true)).stop();
    await (await start(script)).stop();

    expect(said.mock.calls.flat()).toEqual(["--allow-exec [AGB807]", "1800 [AGB807]"]);
    said.mockRestore();
  });

  test("that cannot start is an error with its reason", async () => {
    await expect(start('console.error("error: broken state file"); process.exitCode = 2;')).rejects.toThrow(
      /^The local AGB emulator did not start: it ended with exit code 2\.\nerror: broken state file$/,
    );
  });

  test("whose state file is in use is an error that says what to do", async () => {
    await expect(start('console.error("state.json is in use by process 7"); process.exitCode = 1;')).rejects.toThrow(
      "Another `npm start` or `npm run pulumi` may be running in this checkout.",
    );
  });

  test("is stopped when the start is aborted", async () => {
    const stopped = new StoppedError(130);
    const controller = new AbortController();
    const starting = start("setInterval(() => {}, 1000);", controller.signal);
    controller.abort(stopped);

    await expect(starting).rejects.toBe(stopped);
  });

  test("that ended by itself is reported", async () => {
    const said = jest.spyOn(console, "error").mockImplementation(() => {});
    const emulator = await start(`${announce} console.error("out of memory"); process.exitCode = 9;`);
    await emulator.ended;
    await emulator.stop();

    expect(said).toHaveBeenCalledWith("The local AGB emulator ended by itself (exit code 9).\nout of memory");
    said.mockRestore();
  });
});

describe("the next steps", () => {
  test("name a command in a session only where it can run", () => {
    const command = "npm run pulumi-agb -- sessions exec --stack dev --resource web -- uname -a";
    expect(nextSteps(true).join("\n")).toContain(command);
    expect(nextSteps(false).join("\n")).not.toContain("exec");
    expect(nextSteps(false)[0]).toContain("cannot isolate them");
  });
});

describe("requests to stop", () => {
  let timeMs: number;
  const create = (sharesGroup: boolean) => {
    timeMs = 0;
    return new StopRequests(sharesGroup, () => timeMs);
  };

  test("each is forwarded once, however often it arrives", () => {
    const requests = create(false);

    expect(requests.receive("SIGINT")).toBe("SIGINT");
    timeMs = 20;
    expect(requests.receive("SIGINT")).toBeUndefined();
    timeMs = 1_500;
    expect(requests.receive("SIGINT")).toBe("SIGINT");
  });

  test("SIGTERM never makes Pulumi drop everything", () => {
    const requests = create(false);

    expect(requests.receive("SIGTERM")).toBe("SIGTERM");
    timeMs = 7_500;
    expect(requests.receive("SIGTERM")).toBeUndefined();
    expect(requests.receive("SIGHUP")).toBeUndefined();
  });

  test("at a terminal Pulumi gets Ctrl-C without this process", () => {
    const requests = create(true);

    expect(requests.receive("SIGINT")).toBeUndefined();
    timeMs = 7_500;
    expect(requests.receive("SIGTERM")).toBeUndefined();
    expect(create(true).receive("SIGTERM")).toBe("SIGTERM");
  });

  test("the first one aborts everything else", () => {
    const requests = create(false);
    requests.receive("SIGTERM");

    expect(requests.signal.reason).toEqual(new StoppedError(143));
    expect(requests.signal.reason.exitCode).toBe(143);
  });
});

describe("the table of outputs", () => {
  test("shows name, session id and labels", () => {
    const outputs = {
      sessionIds: { main: "s-1", "worker-2": "s-22" },
      labels: { main: { team: "core", tier: "web" }, "worker-2": {} },
      other: 1,
    };

    expect(formatOutputsTable(outputs)).toEqual([
      "NAME       SESSION ID   LABELS",
      "main       s-1          team=core tier=web",
      "worker-2   s-22",
    ]);
  });

  test("copes with secret and missing outputs", () => {
    expect(formatOutputsTable({ sessionIds: { main: "s-1" }, labels: { main: "[secret]" } })[1]).toBe(
      "main   s-1          [secret]",
    );
    expect(formatOutputsTable({ sessionIds: { main: "s-1" } })[1]).toBe("main   s-1");
    expect(formatOutputsTable({})).toEqual([]);
  });
});
