/**
 * Formats the outputs of the quick start's stack as a borderless table: name, session id, labels as `key=value`.
 *
 * @param outputs output of `pulumi stack output --json`, with `sessionIds` (name to id) and `labels` (name to labels)
 * @returns the lines, or an empty list if there are no sessions
 */
export function formatOutputsTable(outputs: Record<string, unknown>): string[] {
  const labelsByName = asRecord(outputs["labels"]);
  const rows = Object.entries(asRecord(outputs["sessionIds"])).map(([name, sessionId]) => {
    const labels = labelsByName[name];
    const pairs = Object.entries(asRecord(labels)).map(([key, value]) => `${key}=${value}`);
    // Pulumi shows a secret object as a string.
    return [name, String(sessionId), typeof labels === "string" ? labels : pairs.join(" ")];
  });
  return rows.length === 0 ? [] : alignColumns([["NAME", "SESSION ID", "LABELS"], ...rows]);
}

function alignColumns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
