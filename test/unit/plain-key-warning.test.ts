import { AgbSession } from "../../provider";
import { type ProgramOptions, runProgram } from "../support/pulumi-program";

/** The warnings of a program with two sessions. */
async function warningsOf(options: ProgramOptions): Promise<string[]> {
  const warn = jest.spyOn(console, "warn").mockImplementation();
  await runProgram(() => {
    new AgbSession("web", { imageId: "agb-code-space-1" });
    new AgbSession("browser", { imageId: "agb-browser-use-1" });
  }, options);
  const warnings = warn.mock.calls.flat().map(String);
  warn.mockRestore();
  return warnings;
}

// In this order, because a program gets the warning only once.
test("a key that is configured as plain text causes one warning, with the command that fixes it", async () => {
  expect(await warningsOf({})).toEqual([]);
  expect(await warningsOf({ config: { "agb:apiKey": "ako-hidden" }, secretKeys: ["agb:apiKey"] })).toEqual([]);
  const warnings = await warningsOf({ config: { "agb:apiKey": "ako-plain" } });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain("pulumi config set --secret agb:apiKey");
  expect(warnings[0]).not.toContain("ako-plain");
});
