import { AgbProvider, AgbSession } from "../../provider";
import { runProgram } from "../support/pulumi-program";

/** The warnings of a program with two sessions and a provider. */
async function warningsOf(config: Record<string, string>): Promise<string[]> {
  const warn = jest.spyOn(console, "warn").mockImplementation();
  await runProgram(
    () => {
      const provider = new AgbProvider("europe");
      new AgbSession("web", { imageId: "agb-code-space-1" }, { provider });
      new AgbSession("browser", { imageId: "agb-browser-use-1" });
    },
    { config, secretKeys: Object.keys(config) },
  );
  const warnings = warn.mock.calls.flat().map(String);
  warn.mockRestore();
  return warnings;
}

// In this order, because a program is warned once only.
test("each unknown key below agb: causes one warning that names the setting that was meant", async () => {
  const known = { "agb:endpoint": "a", "agb:ignoreLabels": "x", "agb:logLevel": "info", "agb:repository": "b" };
  expect(await warningsOf(known)).toEqual([]);
  expect(await warningsOf({ "shop:endpiont": "a", "preview:request": "1" })).toEqual([]);
  const warnings = await warningsOf({
    "agb:endpiont": "hidden.example.com",
    "agb:apikey": "hidden",
    "agb:region": "eu",
  });
  expect(warnings).toHaveLength(3);
  expect(warnings[0]).toContain(
    "agb:endpiont, which is not a setting of pulumi-agb and has no effect. Did you mean agb:endpoint?",
  );
  expect(warnings[0]).toContain("pulumi config rm agb:endpiont && pulumi config set agb:endpoint VALUE");
  expect(warnings[1]).toContain("Did you mean agb:apiKey?");
  expect(warnings[1]).toContain("pulumi config set --secret agb:apiKey VALUE");
  expect(warnings[2]).toContain("The settings are agb:apiKey, agb:endpoint, ");
  expect(warnings.join()).not.toContain("hidden");
});
