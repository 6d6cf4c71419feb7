import { type CreateRuntime, openCreateRuntime } from "../../provider/lifecycle/create-runtime";
import type { Clock } from "../../provider/lifecycle/wait";
import { closeAfterTest } from "./close-after-test";
import { FakeClock } from "./fake-clock";

/** Opens a create runtime whose run ends with `endRun`, or after the test. */
export function openTestRuntime(clock: Clock = new FakeClock()): CreateRuntime & { endRun(): Promise<void> } {
  const end = new AbortController();
  const runtime = openCreateRuntime({ clock, ended: end.signal });
  const endRun = () => {
    end.abort();
    return runtime.twins.finish();
  };
  closeAfterTest({ close: endRun });
  return { ...runtime, endRun };
}
