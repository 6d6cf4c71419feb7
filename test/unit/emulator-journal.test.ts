import { Journal, type JournalEntry } from "../../provider/emulator/journal";

function entry(requestId: string): Omit<JournalEntry, "atMs"> {
  return { operation: "GetLabel", method: "GET", path: "/sdk/GetLabel", status: 200, durationMs: 1, requestId };
}

test("keeps the last 10,000 requests and counts all", () => {
  const journal = new Journal();

  for (let index = 0; index < 35_000; index += 1) {
    journal.add(entry(String(index)));
  }

  expect(journal.entries()).toHaveLength(10_000);
  expect(journal.entries()[0]?.requestId).toBe("25000");
  expect(journal.entries().at(-1)?.requestId).toBe("34999");
  expect(journal.counts()).toEqual({ GetLabel: 35_000 });
});
