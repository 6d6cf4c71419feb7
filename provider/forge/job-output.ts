import { appendFile } from "node:fs/promises";

/** Where a job says what it does. */
export interface JobOutput {
  /** One line for the log. */
  readonly say: (line: string) => void;
  /** One line that stands out. */
  readonly warn: (line: string) => void;
  /** Markdown for the job's page. */
  readonly summarize: (markdown: string) => Promise<void>;
  /** A value for the steps that follow. */
  readonly publish: (name: string, value: string) => Promise<void>;
}

/** Writes to the log, and to the files that the CI system offers. */
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
  return {
    say: (line) => console.log(onOneLine(line)),
    warn: (line) => console.log(offer.understandsAnnotations ? `::warning::${annotation(line)}` : `warning: ${line}`),
    summarize: (markdown) => append(offer.summaryPath, `${markdown}\n`),
    publish: (name, value) => append(offer.outputPath, `${name}=${value}\n`),
  };
}

/** Values from elsewhere must not begin lines of their own, which a CI system could take for commands. */
function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}

function annotation(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
