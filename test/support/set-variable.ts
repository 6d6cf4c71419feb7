import { closeAfterTest } from "./close-after-test";

/** Sets an environment variable of this process until the end of the test. */
export function setVariable(name: string, value: string): void {
  const before = process.env[name];
  process.env[name] = value;
  closeAfterTest({
    close: () => {
      if (before === undefined) {
        delete process.env[name];
      } else {
        process.env[name] = before;
      }
    },
  });
}
