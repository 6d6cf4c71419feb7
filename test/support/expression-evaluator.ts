import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** The status of a job's steps so far. */
export type JobStatus = "success" | "failure" | "cancelled";

/** What an expression sees: contexts by name. */
export type ExpressionContexts = Readonly<Record<string, unknown>>;

/** The value of an expression. */
export interface ExpressionValue {
  /** The value as a string. */
  readonly text: string;
  /** The value as a condition. */
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

  /** @throws Error when the expression is invalid, or uses an unknown context or function */
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
