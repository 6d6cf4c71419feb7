// A real Chromium for the tests of the console page.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The file that CHROMIUM_PATH names, or the first Chromium on the PATH; undefined if there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env["CHROMIUM_PATH"] ?? candidates.find(isExecutable);
}

/**
 * `describe` if there is a Chromium. Otherwise the tests are skipped with a notice, or fail if the variable CI is set: there
 * an untested page must not count as tested.
 */
export function describeWithChromium(title: string, tests: (path: string) => void): void {
  const path = findChromium();
  if (path !== undefined) {
    describe(title, () => tests(path));
  } else if (process.env["CI"]) {
    test(title, () => {
      throw new Error("No Chromium was found. Install it, or name it in CHROMIUM_PATH.");
    });
  } else {
    process.stderr.write(
      `\n!!! SKIPPED: "${title}" needs a Chromium and none was found.\n` +
        "!!! Install one (Debian: apt-get install chromium), or name it in CHROMIUM_PATH.\n\n",
    );
    describe.skip(title, () => tests(""));
  }
}

/** Starts a browser with a new, empty profile that sends no requests of its own. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // Otherwise Chromium refuses to start as root, the usual user in containers.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
