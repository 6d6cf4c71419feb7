import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** How the steps of a job have gone so far. */
export type JobStatus = "success" | "failure" | "cancelled";

/** What an expression sees: contexts by name. */
export type ExpressionContexts = Readonly<Record<string, unknown>>;

/** What an expression comes to. */
export interface ExpressionValue {
  /** As it stands in a text. */
  readonly text: string;
  /** As `if` takes it. */
  readonly isTrue: boolean;
}

/** GitHub's own evaluator of expressions, in a process that must be closed. */
export class ExpressionEvaluator {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child = spawn(process.execPath, [join(__dirname, "evaluate-expressions.mjs")]);
    this.#child.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when the expression has a mistake, or uses a context or function that is not there */
  evaluate(expression: string, contexts: ExpressionContexts, status: JobStatus): Promise<ExpressionValue> {
    const answer = this.#last.then(async () => {
      this.#child.stdin.write(`${JSON.stringify({ expression, contexts, status })}\n`);
      const { done, value } = await this.#answers.next();
      const { error, ...result } = done ? { error: "the evaluator has ended" } : JSON.parse(value);
      if (error !== undefined) {
        throw new Error(`${expression}: ${error}`);
      }
      return result as ExpressionValue;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const end = once(this.#child, "exit");
    this.#child.stdin.end();
    await end;
  }
}
