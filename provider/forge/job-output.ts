import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { printable, printableLines } from "../api/outside-text";
import { type MessageCode, withCode } from "../messages/message-codes";

const longestLine = 10_000;

/** The output of a job: its log, its summary and its outputs. */
export interface JobOutput {
  /** One line for the log. */
  readonly say: (line: string) => void;
  /** A warning, one line. Its code is shown at its end. */
  readonly warn: (line: string, code: MessageCode) => void;
  /** Why the job failed; may have several lines. The code is shown at the end. */
  readonly fail: (text: string, code: MessageCode) => void;
  /** Text from elsewhere, unchanged. */
  readonly show: (text: string) => void;
  /** Runs work that prints text from elsewhere itself. */
  readonly enclose: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Markdown for the job's page. */
  readonly summarize: (markdown: string) => Promise<void>;
  /** A value for the steps that follow. */
  readonly publish: (name: string, value: string) => Promise<void>;
}

/**
 * Writes to the log, and to the files that the CI system offers. GitHub Actions never takes text from elsewhere, such
 * as a label, for one of its commands.
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
    warn: (line, code) => {
      if (gate === undefined) {
        console.log(`warning: ${withCode(printable(line, longestLine), code)}`);
      } else {
        gate.command(() => console.log(`::warning::${annotation(withCode(printableLines(line), code))}`));
      }
    },
    fail: (text, code) => {
      const message = withCode(printableLines(text), code);
      if (gate === undefined) {
        console.error(message);
      } else {
        gate.command(() => console.error(`::error::${annotation(message)}`));
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

/** Tells GitHub Actions when lines may be its commands and when they may not. */
class CommandGate {
  #token: string | undefined;

  close(): void {
    this.#token = randomUUID();
    console.log(`::stop-commands::${this.#token}`);
  }

  open(): void {
    // The printed text may not end with a line break.
    console.log(`\n::${this.#token}::`);
    this.#token = undefined;
  }

  /** Prints a command, even while the gate is closed. */
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
