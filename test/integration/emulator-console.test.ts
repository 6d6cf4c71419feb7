import type { Browser, Page } from "playwright-core";
import { type Emulator, ManualClock, startEmulator } from "../../provider/emulator";
import { describeWithChromium, launchChromium } from "../support/chromium";
import { createId, labelsOf, list, notFound, release, status } from "../support/emulator-requests";

// A browser starts slowly on a busy machine.
jest.setTimeout(120_000);

describeWithChromium("console page", (chromiumPath) => {
  const clock = new ManualClock(Date.UTC(2026, 4, 1, 12));
  let emulator: Emulator;
  let url: string;
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let addresses: string[];

  beforeAll(async () => {
    emulator = await startEmulator({ clock, apiKeys: ["test-key"] });
    url = emulator.url;
    browser = await launchChromium(chromiumPath);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await emulator?.close();
  });
  beforeEach(async () => {
    await emulator.reset();
    await open({});
  });
  afterEach(async () => {
    await page.context().close();
    expect(problems).toEqual([]);
    expect(addresses.filter((address) => !address.startsWith(`${url}/_emulator/`))).toEqual([]);
  });

  async function open(options: { colorScheme?: "light" | "dark"; width?: number; emulatorUrl?: string }) {
    await page?.context().close();
    const { colorScheme = "light", width = 1200, emulatorUrl = url } = options;
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 800 },
      locale: "en-GB",
      timezoneId: "UTC",
    });
    page = await context.newPage();
    problems = [];
    addresses = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        problems.push(message.text());
      }
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => addresses.push(request.url()));
    await page.goto(`${emulatorUrl}/_emulator/`);
    await page.getByText("Live", { exact: true }).waitFor();
  }

  const rowOf = (sessionId: string) =>
    page.getByRole("table", { name: "Sessions" }).getByRole("row", { name: sessionId });

  test("shows a session created over the API without a reload, and removes it when it is released", async () => {
    await page.getByText("No session is running.").waitFor();

    const sessionId = await createId(url, { team: "storefront" }, { timeout: 90 });

    const row = rowOf(sessionId);
    await row.getByText("team: storefront").waitFor();
    await row.getByText("agb-code-space-1").waitFor();
    await row.getByText("Running").waitFor();
    await row.getByText("1:30").waitFor();

    await release(url, sessionId);
    await row.getByText("Releasing").waitFor();
    clock.advance(1_000);
    await row.waitFor({ state: "detached" });
    expect(addresses.filter((address) => address === `${url}/_emulator/`)).toHaveLength(1);
  });

  test("age and idle time follow the emulator's clock", async () => {
    const row = rowOf(await createId(url, {}, { timeout: 300 }));
    await row.getByText("5:00").waitFor();

    clock.advance(61_000);

    await row.getByText("3:59").waitFor();
    await row.getByText("1 min 1 s").waitFor();
  });

  test("a label edited in the page is seen by GetLabel", async () => {
    const sessionId = await createId(url, { team: "a", tier: "web" });
    await rowOf(sessionId).getByRole("button", { name: "Edit labels" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit labels" });

    await dialog.getByLabel("Value").first().fill("<b>b</b>");
    await dialog.getByRole("button", { name: "Remove the label tier" }).click();
    await dialog.getByRole("button", { name: "Add a label" }).click();
    await dialog.getByLabel("Name").last().fill("owner");
    await dialog.getByLabel("Value").last().fill("me");
    await dialog.getByRole("button", { name: "Save labels" }).click();

    await dialog.waitFor({ state: "hidden" });
    expect(await labelsOf(url, sessionId)).toEqual({ team: "<b>b</b>", owner: "me" });
    await rowOf(sessionId).getByText("team: <b>b</b>").waitFor();
  });

  test("the dialog refuses a label without a name, and labels of a session that ended meanwhile", async () => {
    const sessionId = await createId(url, { team: "a" });
    await rowOf(sessionId).getByRole("button", { name: "Edit labels" }).click();
    const dialog = page.getByRole("dialog");
    const save = dialog.getByRole("button", { name: "Save labels" });

    await dialog.getByLabel("Name").fill("");
    await save.click();
    await dialog.getByRole("alert").getByText("no name").waitFor();
    expect(await labelsOf(url, sessionId)).toEqual({ team: "a" });

    await emulator.release(sessionId);
    await dialog.getByLabel("Name").fill("team");
    await save.click();
    await dialog.getByRole("alert").getByText("is not found").waitFor();
    // The browser itself reports the refused request.
    expect(problems.splice(0)).toEqual([expect.stringContaining("400")]);
  });

  test("the release button ends a session", async () => {
    const sessionId = await createId(url);

    await rowOf(sessionId).getByRole("button", { name: "Release" }).click();

    await page.getByText(`Released ${sessionId}.`).waitFor();
    await rowOf(sessionId).waitFor({ state: "detached" });
    expect(await status(url, sessionId)).toBe(notFound.code);
  });

  test("the clock button ends an idle session", async () => {
    const sessionId = await createId(url, {}, { timeout: 240 });
    await rowOf(sessionId).waitFor();

    await page.getByRole("button", { name: "Advance the clock by 5 minutes" }).click();

    await rowOf(sessionId).waitFor({ state: "detached" });
    await page.getByText(new Date(emulator.nowMs()).toISOString().slice(11, 19)).first().waitFor();
    expect(await status(url, sessionId)).toBe(notFound.code);
  });

  test("shows requests with operation, status, duration and id, and no key", async () => {
    const { body } = await list(url);

    const row = page.getByRole("table", { name: "Last requests" }).getByRole("row", { name: body.requestId });
    await row.getByText("ListSession").waitFor();
    expect(await row.textContent()).toMatch(/ListSession200\d+\.\d ms/);
    expect(await page.content()).not.toContain("test-key");
  });

  test("shows whatever clients send as text", async () => {
    const script = '<img src="x" onerror="document.title=1">';
    const sessionId = await createId(url, { [script]: script, __proto__: "x" });
    await fetch(`${url}/<svg/onload=alert(1)>`, { headers: { authorization: "Bearer test-key" } });

    await rowOf(sessionId).getByText(`${script}: ${script}`).waitFor();

    await page.getByText("GET /%3Csvg/onload=alert(1)%3E").waitFor();
    expect(await page.locator("td img, td svg").count()).toBe(0);
    expect(await page.title()).toBe("AGB emulator");
  });

  test("works with the keyboard alone, and never loses the focus", async () => {
    const older = await createId(url, { team: "a" });
    const newer = await createId(url);
    await rowOf(older).waitFor();
    const focusedName = () =>
      page.evaluate(`document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent`);
    const tabTo = async (name: string) => {
      for (let step = 0; step < 20 && (await focusedName()) !== name; step += 1) {
        await page.keyboard.press("Tab");
      }
      expect(await focusedName()).toBe(name);
    };

    await tabTo(`Edit labels: ${older}`);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("z");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await labelsOf(url, older)).toEqual({ team: "z" });
    expect(await focusedName()).toBe(`Edit labels: ${older}`);

    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(await focusedName()).toBe(`Edit labels: ${older}`);

    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await rowOf(older).waitFor({ state: "detached" });
    expect(await focusedName()).toBe(`Edit labels: ${newer}`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await rowOf(newer).waitFor({ state: "detached" });
    expect(await focusedName()).toMatch(/^Sessions/);
  });

  test.each(["light", "dark"] as const)("every text has enough contrast in %s mode", async (colorScheme) => {
    await createId(url, { team: "a" });
    await release(url, await createId(url));
    await list(url);
    await status(url, "session-never");
    await open({ colorScheme });
    await page.getByText("team: a").waitFor();

    const measured = (await page.evaluate(measureContrasts)) as { page: string; ratios: [string, number][] };

    expect(measured.ratios.length).toBeGreaterThan(20);
    expect(measured.ratios.filter(([, ratio]) => ratio < 4.5)).toEqual([]);
    expect(measured.page).toBe(colorScheme === "dark" ? "rgb(18, 23, 22)" : "rgb(246, 247, 247)");
  });

  test("a narrow window needs no scrolling sideways", async () => {
    await createId(url, { ["k".repeat(60)]: "v".repeat(200) });
    await list(url);
    await open({ width: 360 });
    await page.getByText("k".repeat(60)).waitFor();

    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  });

  test("every control has a name", async () => {
    const sessionId = await createId(url, { team: "a" });
    await rowOf(sessionId).getByRole("button", { name: "Edit labels" }).click();

    const names = await page.evaluate(`[...document.querySelectorAll("button, input")].map((control) =>
      (control.getAttribute("aria-label") ?? control.textContent) || control.labels[0]?.textContent || "")`);

    expect(names).toEqual(expect.arrayContaining(["Name", "Value", "Save labels", `Release: ${sessionId}`]));
    expect(names).not.toContain("");
  });

  test("says when the emulator is gone, and continues with a restarted one", async () => {
    const first = await startEmulator({ clock, apiKeys: ["test-key"] });
    await open({ emulatorUrl: first.url });
    await first.close();
    await page.getByText("Connection lost").waitFor();

    const second = await startEmulator({ clock, apiKeys: ["test-key"], port: Number(new URL(first.url).port) });
    try {
      await page.getByText("Live", { exact: true }).waitFor();
      const sessionId = await createId(second.url);
      await rowOf(sessionId).getByRole("button", { name: "Release" }).click();
      await rowOf(sessionId).waitFor({ state: "detached" });
    } finally {
      await page.close();
      await second.close();
      // The browser itself reports the lost connection.
      problems = problems.filter((problem) => !/ERR_|401/.test(problem));
      addresses = [];
    }
  });
});

/** Runs in the page: the contrast of each text with its background, as WCAG 2 defines it. */
const measureContrasts = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (channels(color)[3] !== 0) return color;
    }
  };
  document.getAnimations().forEach((animation) => animation.finish());
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const ratios = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.textContent.trim() === "" || element.closest(":disabled") || !element.checkVisibility()) continue;
    const [dark, light] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => a - b);
    ratios.push([texts.currentNode.textContent.trim(), (light + 0.05) / (dark + 0.05)]);
  }
  return { page: getComputedStyle(document.body).backgroundColor, ratios };
})()`;
