import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { printable, printableLines } from "../api/outside-text";

const longestLine = 10_000;

/** Where a job says what it does. */
export interface JobOutput {
  /** One line for the log. */
  readonly say: (line: string) => void;
  /** One line that stands out. */
  readonly warn: (line: string) => void;
  /** What made the job fail; may have several lines. */
  readonly fail: (text: string) => void;
  /** Text from elsewhere, as it is. */
  readonly show: (text: string) => void;
  /** Runs what prints text from elsewhere by itself. */
  readonly enclose: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Markdown for the job's page. */
  readonly summarize: (markdown: string) => Promise<void>;
  /** A value for the steps that follow. */
  readonly publish: (name: string, value: string) => Promise<void>;
}

/**
 * Writes to the log, and to the files that the CI system offers. No text from elsewhere, such as a label, is taken for a
 * command of GitHub Actions.
 */
export function openJobOutput(offer: {
  readonly summaryPath: string | undefined;
  readonly outputPath: string | undefined;
  readonly understandsAnnotations: boolean;
}): JobOutput {
  const append = async (path: string | undefined, text: string) => {
    if (path !== undefined) {
      await appendFile(path, text);
    }
  };
  const gate = offer.understandsAnnotations ? new CommandGate() : undefined;
  return {
    say: (line) => console.log(printable(line, longestLine)),
    warn: (line) => {
      if (gate === undefined) {
        console.log(`warning: ${printable(line, longestLine)}`);
      } else {
        gate.command(() => console.log(`::warning::${annotation(printableLines(line))}`));
      }
    },
    fail: (text) => {
      if (gate === undefined) {
        console.error(printableLines(text));
      } else {
        gate.command(() => console.error(`::error::${annotation(printableLines(text))}`));
      }
    },
    show: (text) => {
      gate?.close();
      process.stdout.write(text);
      gate?.open();
    },
    enclose: async (work) => {
      gate?.close();
      try {
        return await work();
      } finally {
        gate?.open();
      }
    },
    summarize: (markdown) => append(offer.summaryPath, `${markdown}\n`),
    publish: (name, value) => append(offer.outputPath, `${name}=${value}\n`),
  };
}

/** Tells GitHub Actions when to take lines for commands and when not. */
class CommandGate {
  #token: string | undefined;

  close(): void {
    this.#token = randomUUID();
    console.log(`::stop-commands::${this.#token}`);
  }

  open(): void {
    // What was printed may lack its last line's end.
    console.log(`\n::${this.#token}::`);
    this.#token = undefined;
  }

  /** Prints a command, also while the gate is closed. */
  command(print: () => void): void {
    const isClosed = this.#token !== undefined;
    if (isClosed) {
      this.open();
    }
    print();
    if (isClosed) {
      this.close();
    }
  }
}

function annotation(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
