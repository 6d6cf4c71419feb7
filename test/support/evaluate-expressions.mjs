// Evaluates expressions of GitHub Actions with GitHub's own library. A process of its own, because the library is an ES
// module and Jest runs CommonJS. Each line of the input is a question, each line of the output its answer.

import { createInterface } from "node:readline";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";
import { truthy } from "@actions/expressions/result";

const statusFunctions = {
  success: (status) => status === "success",
  failure: (status) => status === "failure",
  cancelled: (status) => status === "cancelled",
  always: () => true,
};

function evaluate({ expression, contexts, status }) {
  const functions = Object.entries(statusFunctions).map(([name, holds]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(holds(status)),
  }));
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const context = JSON.parse(JSON.stringify(contexts), data.reviver);
  const result = new Evaluator(parsed, context, new Map(functions.map((each) => [each.name, each]))).evaluate();
  return { text: result.coerceString(), isTrue: truthy(result) };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = evaluate(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
