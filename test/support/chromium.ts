// A real Chromium for the tests of the console page.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The file named by the variable CHROMIUM_PATH, or the first Chromium on the PATH; undefined when there is none. */
export function findChromium(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return process.env["CHROMIUM_PATH"] ?? candidates.find(isExecutable);
}

/**
 * `describe` where there is a Chromium. Elsewhere the tests are skipped and that is said aloud; where the variable CI is
 * set they fail, as a page that nobody tested must not pass for a tested one.
 */
export function describeWithChromium(title: string, tests: (path: string) => void): void {
  const path = findChromium();
  if (path !== undefined) {
    describe(title, () => tests(path));
  } else if (process.env["CI"]) {
    test(title, () => {
      throw new Error("No Chromium was found. Install it (.ci/run does), or name it in CHROMIUM_PATH.");
    });
  } else {
    process.stderr.write(
      `\n!!! SKIPPED: "${title}" needs a Chromium and none was found.\n` +
        "!!! Install one (Debian: apt-get install chromium), or name it in CHROMIUM_PATH.\n\n",
    );
    describe.skip(title, () => tests(""));
  }
}

/** Starts a browser with a new, empty profile that asks nothing of the network by itself. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // Chromium refuses to start as root otherwise, which is who a container is.
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
