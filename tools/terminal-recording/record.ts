// Records docs/terminal.svg for the README: the real Pulumi CLI with the emulator. It creates sessions, shows a drift and repairs
// it. Needs Linux and a build (`npm run build`). Another file: node --import tsx tools/terminal-recording/record.ts FILE

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startEmulator } from "../../provider/emulator";
import { createPulumiProject, type PulumiProject } from "../../test/support/pulumi-project";
import { Recorder } from "./film";
import { runInTerminal } from "./pseudo-terminal";
import { Screen } from "./screen";
import { drawFilm } from "./svg";

const example = "labelled-sessions";
const apiKey = "local";
const columns = 110;
const rows = 34;

const [file = "docs/terminal.svg"] = process.argv.slice(2);
const title =
  "A terminal. pulumi up creates two sessions. Then a label is changed by hand and AGB releases the other session. " +
  "pulumi preview shows both, and pulumi up restores them.";

/** Shows commands in one terminal as they are typed, and what they print. */
class Session {
  private readonly screen = new Screen(columns);
  private readonly recorder = new Recorder(rows);

  constructor(private readonly project: PulumiProject) {
    this.prompt();
  }

  /** Types a command and runs it. */
  async run(command: string): Promise<void> {
    this.type(command);
    let lastMs = Date.now();
    let shownMs = 0;
    const onOutput = (output: string) => {
      const nowMs = Date.now();
      this.screen.write(output);
      // Nobody wants to watch how Pulumi starts, nor each step of its spinner.
      if (nowMs - shownMs >= 150) {
        this.show(Math.min(nowMs - lastMs, 250));
        [lastMs, shownMs] = [nowMs, nowMs];
      }
    };
    const { directory, environment } = this.project;
    await runInTerminal(command, { directory, environment, columns, rows, onOutput });
    this.prompt();
    this.recorder.wait(3500);
  }

  /** Types a line that the shell ignores. */
  comment(text: string): void {
    this.type(`# ${text}`, "\x1b[90m");
    this.prompt();
    this.recorder.wait(2000);
  }

  /** Returns the picture. @throws Error when Pulumi has cut off a line or drawn the stack twice */
  draw(): string {
    const film = this.recorder.finish();
    for (const { runs } of film.versions) {
      const last = runs.at(-1);
      const text = runs.map((run) => run.text).join("");
      // Pulumi cuts off a line one column before the edge.
      if (last !== undefined && last.column + last.text.length >= columns - 1) {
        throw new Error(`A line does not fit into ${columns} columns: ${text}`);
      }
      // Some runs show the stack a second time, below itself, and leave out its outputs.
      if (text.includes("─ pulumi:pulumi:Stack")) {
        throw new Error("Pulumi has drawn the stack twice. Record again.");
      }
    }
    return drawFilm(film, { columns, rows, title });
  }

  private type(line: string, color = "\x1b[1m"): void {
    for (const part of line.match(/.{1,4}/g) ?? []) {
      this.screen.write(`${color}${part}\x1b[0m`);
      this.show(110);
    }
    this.recorder.wait(400);
    this.screen.write("\r\n");
  }

  private prompt(): void {
    this.screen.write("\x1b[0m\x1b[38;5;2m$\x1b[0m ");
    this.show(100);
  }

  private show(afterMs: number): void {
    this.recorder.show(this.screen.read(), afterMs);
  }
}

async function record(): Promise<void> {
  const emulator = await startEmulator({ apiKeys: [apiKey] });
  const description = await readFile(join("examples", example, "Pulumi.yaml"), "utf8");
  const project = await createPulumiProject({
    example,
    files: { "Pulumi.yaml": description.replace(/^name: .*/, "name: shop") },
    environment: { AGB_API_KEY: apiKey, AGB_ENDPOINT: emulator.url },
    hasStack: false,
  });
  try {
    await project.succeed("stack", "init", "dev");
    const session = new Session(project);
    await session.run("pulumi up --yes --skip-preview");
    session.comment("Someone changes a label of web, and AGB releases browser.");
    const { sessionIds } = await project.outputs();
    const labels = emulator.sessions().find(({ sessionId }) => sessionId === sessionIds.web)?.labels;
    await emulator.setLabels(sessionIds.web, { ...labels, team: "checkout" });
    await emulator.release(sessionIds.browser);
    await session.run("pulumi preview --diff");
    await session.run("pulumi up --yes --skip-preview");
    await writeFile(file, session.draw());
  } finally {
    await project.close();
    await emulator.close();
  }
}

record().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
