import { startTestEmulator } from "../support/agb-emulator";
import { FakeClock } from "../support/fake-clock";
import { hosts } from "../support/resource-hosts";
import { declare, openProvider, Stack } from "../support/session-stack";

test.each(hosts)(
  "of two updates at the same moment, neither claims labels that the session does not have: %s host",
  async (host) => {
    const emulator = await startTestEmulator({ latencyMs: 5 });
    const provider = openProvider(emulator.url, new FakeClock(), {}, host);
    const stack = new Stack(provider, emulator);
    const { id, outputs } = await stack.create();
    const wishes = await Promise.all(["one", "two"].map((team) => stack.check(declare({ team }))));

    const outcomes = await Promise.allSettled(wishes.map((news) => stack.provider.update(id, outputs, news)));

    const labels = emulator.sessions()[0]?.labels;
    const claims = outcomes.map((outcome) =>
      outcome.status === "fulfilled" ? outcome.value.outs["labelsAll"] : outcome.reason.properties.labelsAll,
    );
    // The update that was overtaken either noticed and reports what the session has, or found its own labels when it looked.
    expect(claims).toContainEqual(labels);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        expect(outcome.reason.message).toContain("differ from those that were set");
      }
    }
  },
);
