import { literal, rowsWithin, tableHead, tableRow } from "../forge/markdown";
import { withCode } from "../messages/message-codes";
import { shownReason } from "../sweep/release-orphan";
import type { SweepResult } from "./sweep-result";

// A job's summary on GitHub holds up to 1 MiB. It gets two tables and a list.
const longestTable = 250_000;

/** What a sweep found and did, as Markdown for the job's summary. */
export function sweepReport({ stacks, sessions, failures }: SweepResult, execute: boolean): string {
  const stackRows = stacks.map((result) =>
    tableRow([literal(result.stack), result.action, shownReason(result, literal)]),
  );
  const sessionRows = sessions.map((result) => {
    const { sessionId, stack, resource, action } = result;
    return tableRow([
      literal(sessionId),
      literal(stack),
      literal(resource ?? ""),
      action,
      shownReason(result, literal),
    ]);
  });
  const failureRows = failures.map(({ text, code }) => `- ${withCode(literal(text), code)}`);
  return [
    `### Sweep of preview environments${execute ? "" : " (dry run)"}`,
    stackRows.length === 0
      ? "No stack of a request exists."
      : [tableHead(["Stack", "Result", "Reason"]), ...rowsWithin(stackRows, longestTable)].join("\n"),
    sessionRows.length === 0
      ? "No session is left over."
      : [
          tableHead(["Session", "Stack", "Resource", "Result", "Reason"]),
          ...rowsWithin(sessionRows, longestTable),
        ].join("\n"),
    ...(failureRows.length === 0 ? [] : [`What failed:\n\n${rowsWithin(failureRows, longestTable).join("\n")}`]),
  ].join("\n\n");
}
