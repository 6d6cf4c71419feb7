import { closeAfterTest } from "./close-after-test";

/** Sets a variable of this process's environment until the test is over. */
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
