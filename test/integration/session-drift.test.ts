import { withoutRetryDelay } from "../support/no-retry-delay";
import { hosts } from "../support/resource-hosts";
import { declare, type Labels, openStack, type State, sorted } from "../support/session-stack";

describe.each(hosts)("served by the %s host", (host) => {
  withoutRetryDelay();

  beforeEach(() => {
    jest.spyOn(console, "error").mockImplementation();
  });

  describe("drift", () => {
    const defaults = { cost: "1" };
    const drifts: [string, (labels: Labels) => Labels][] = [
      ["a declared label has another value", (labels) => ({ ...labels, team: "ops" })],
      ["a declared label is gone", ({ team: _, ...labels }) => labels],
      ["a label came from elsewhere", (labels) => ({ ...labels, foreign: "x" })],
      ["a default label has another value", (labels) => ({ ...labels, cost: "2" })],
      ["a default label is gone", ({ cost: _, ...labels }) => labels],
      ["an owner's label has another value", (labels) => ({ ...labels, "pulumi-stack": "other" })],
      ["an owner's label is gone", ({ "pulumi-resource": _, ...labels }) => labels],
      ["the create label is gone", ({ "pulumi-create": _, ...labels }) => labels],
      ["all labels are gone", () => ({})],
      ["all labels are others", () => ({ a: "1", b: "2" })],
    ];

    test.each(drifts)("is found, found again in the same way, and repaired: %s", async (_, change) => {
      const { stack, emulator } = await openStack({ host }, defaults);
      const created = await stack.create();
      const original = stack.labelsOf(created) ?? {};
      await emulator.setLabels(created.id, change({ ...original }));

      const seen = await stack.refresh(created);
      expect(seen?.outputs.labelsAll).toEqual(stack.labelsOf(created));
      const seenAgain = seen && (await stack.refresh(seen));
      expect(sorted(seenAgain)).toBe(sorted(seen));

      const difference = await stack.diff(seen as State);
      expect(difference.changes).not.toBe(false);
      expect(difference.replaces ?? []).toEqual([]);

      const repaired = await stack.update(seen as State);
      expect({ ...stack.labelsOf(created), "pulumi-create": "" }).toEqual({ ...original, "pulumi-create": "" });
      expect(repaired.outputs.labels).toEqual({ team: "web" });
      expect(await stack.diff(repaired)).toEqual({ changes: false });
      expect(sorted(await stack.refresh(repaired))).toBe(sorted(repaired));
    });

    test.each(drifts)("shows in the inputs too, so that a preview can print it: %s", async (title, change) => {
      const { stack, emulator } = await openStack({ host }, defaults);
      const created = await stack.create();
      await emulator.setLabels(created.id, change({ ...stack.labelsOf(created) }));
      const seen = await stack.refresh(created);
      const { "pulumi-create": _, ...expected } = { ...stack.labelsOf(created) };
      expect(seen?.inputs.labelsAll).toEqual(expected);
      // The create label is no input: the diff finds that it is gone from the outputs.
      expect(sorted(seen?.inputs) === sorted(created.inputs)).toBe(title === "the create label is gone");
    });

    test("is over once the program declares the label", async () => {
      const { stack, emulator } = await openStack({ host });
      const created = await stack.create();
      await emulator.setLabels(created.id, { ...stack.labelsOf(created), foreign: "x" });
      const seen = await stack.refresh(created);
      expect(await stack.diff(seen as State, declare({ team: "web", foreign: "x" }))).toEqual({ changes: false });
    });

    test("of a default label that is now declared shows among the declared ones", async () => {
      const { stack, emulator } = await openStack({ host }, defaults);
      const created = await stack.create(declare({ team: "web", cost: "7" }));
      await emulator.setLabels(created.id, { ...stack.labelsOf(created), cost: "8" });
      const seen = await stack.refresh(created);
      expect(seen?.inputs.labels).toEqual({ team: "web", cost: "8" });
    });

    test("of the same default label, found twice, does not make it a declared one", async () => {
      const { stack, emulator } = await openStack({ host }, defaults);
      const created = await stack.create();
      const { cost: _, ...without } = { ...stack.labelsOf(created) };
      await emulator.setLabels(created.id, without);
      const missing = await stack.refresh(created);
      await emulator.setLabels(created.id, { ...without, cost: "1" });
      const back = await stack.refresh(missing as State);
      expect(stack.labelsOf(created)).toMatchObject(defaults);
      const repaired = await stack.update(back as State);
      expect(repaired.outputs.labels).toEqual({ team: "web" });
      expect(await stack.diff(repaired)).toEqual({ changes: false });
    });
  });
});
