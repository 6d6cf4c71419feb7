// Takes docs/console.png for the README: the console page of an emulator with a few sessions in it.
// Other pictures: node --import tsx tools/console-screenshot/take.ts FILE [light|dark] [WIDTH]

import { startEmulator } from "../../provider/emulator";
import { findChromium, launchChromium } from "../../test/support/chromium";

const [file = "docs/console.png", colorScheme = "light", width = "1180"] = process.argv.slice(2);

async function take(): Promise<void> {
  const path = findChromium();
  if (path === undefined) {
    throw new Error("No Chromium was found. Install it, or name it in CHROMIUM_PATH.");
  }
  const emulator = await startEmulator();
  const browser = await launchChromium(path);
  try {
    await fillEmulator(emulator.url);
    const page = await browser.newPage({
      viewport: { width: Number(width), height: 760 },
      colorScheme: colorScheme === "dark" ? "dark" : "light",
      locale: "en-GB",
      timezoneId: "UTC",
      reducedMotion: "reduce",
    });
    await page.goto(`${emulator.url}/_emulator/`);
    await page.getByRole("row", { name: "createSession" }).first().waitFor();
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
    await emulator.close();
  }
}

async function fillEmulator(url: string): Promise<void> {
  const call = async (method: string, path: string, query: Record<string, string>, body: unknown = {}) => {
    const response = await fetch(`${url}${path}?${new URLSearchParams(query)}`, {
      method,
      headers: { authorization: "Bearer local", "content-type": "application/json" },
      ...(method === "POST" && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as { data?: { sessionId?: string } };
  };
  const create = async (imageId: string, timeout: number, labels: Record<string, string>) => {
    const { data } = await call("POST", "/mcp/createSession", { imageId }, { timeout, labels: JSON.stringify(labels) });
    return data?.sessionId ?? "";
  };
  const advance = (advanceMs: number) => call("POST", "/_emulator/clock", {}, { advanceMs });

  const web = await create("agb-code-space-1", 600, { project: "shop", environment: "preview", team: "storefront" });
  await advance(95_000);
  const browser = await create("agb-browser-use-1", 300, { project: "shop", environment: "preview", team: "tests" });
  await advance(41_000);
  await create("agb-code-space-2", 900, { project: "billing", environment: "staging" });
  await call("POST", "/sdk/SetLabel", {
    sessionId: browser,
    Labels: JSON.stringify({ project: "shop", environment: "preview", team: "quality", "pulumi-stack": "dev" }),
  });
  await call("GET", "/sdk/GetLabel", { sessionId: web });
  await call("POST", "/mcp/getMcpResource", {}, { sessionId: "session-gone0000000000000000000000" });
  await call("GET", "/sdk/ListSession", { labels: '{"project":"shop"}' });
  await call("POST", "/mcp/refreshSessionIdleTime", { sessionId: web });
}

take().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
