import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findSessionView } from "../../provider/emulator/sandbox/find-session-view";
import { ownRootView } from "../../provider/emulator/sandbox/own-root-view";
import type { SessionView } from "../../provider/emulator/sandbox/session-view";

let folder: string;
let root: string;
let outside: string;
let shown: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "agb-view-")));
  [root, outside, shown] = ["root", "outside", "programs/version"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const made of [root, outside, join(shown, "bin")]) {
    mkdirSync(made, { recursive: true });
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The view in which a program that is installed in `shown` can run. */
function findView(): Promise<SessionView> {
  return findSessionView([join(shown, "bin", "program")]);
}

async function openAndClose(view: SessionView): Promise<void> {
  await (await view.open(root)).close();
}

describe("a link that a session puts in the way of a mount leads nowhere", () => {
  const ways: [string, () => string][] = [
    ["the folder itself", () => shown],
    ["the folder above it", () => dirname(shown)],
    ["a folder further up", () => folder],
    ["the first folder of the path", () => `/${folder.split("/")[1]}`],
  ];

  test.each(ways)("%s", async (_what, replaced) => {
    const link = join(root, replaced());
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(outside, link);

    const opening = openAndClose(await findView());
    await Promise.allSettled([opening]);

    expect(readdirSync(outside)).toEqual([]);
    await opening;
  });

  test("and a link of this computer behind it stays", async () => {
    const link = join(root, dirname(shown));
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(outside, link);
    symlinkSync("/nowhere", join(outside, "version"));

    const opening = openAndClose(await findView());
    await Promise.allSettled([opening]);

    expect(lstatSync(join(outside, "version")).isSymbolicLink()).toBe(true);
    await opening;
  });

  test("and a folder of this computer that is reached by .. stays as it is", async () => {
    const link = join(root, dirname(shown));
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(`${"../".repeat(link.split("/").length)}${outside}`, link);

    const opening = openAndClose(await findView());
    await Promise.allSettled([opening]);

    expect(readdirSync(outside)).toEqual([]);
    await opening;
  });
});

test("the mount replaces the session's link", async () => {
  const view = await findView();
  const links = ["/usr", folder].map((path) => join(root, path));
  for (const link of links) {
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(outside, link);
  }

  await openAndClose(view);

  // Where namespaces are forbidden, there are no mounts and nothing changes.
  expect(links.map((link) => lstatSync(link).isSymbolicLink())).toEqual(links.map(() => !view.isOwnRoot));
});

test("the reason why a session cannot be opened is named, also if no program reports it", async () => {
  const view = await findView();
  mkdirSync(dirname(join(root, dirname(shown))), { recursive: true });
  writeFileSync(join(root, dirname(shown)), "no folder");
  // A program that fails without a message, instead of the one that creates namespaces.
  const tools = { unshare: "/bin/false", nsenter: "", setpriv: "", env: "", shell: "/bin/sh", bash: undefined };

  const [opened, silent] = await Promise.allSettled([
    openAndClose(view),
    ownRootView({ ...tools, unshare: realpathSync(tools.unshare) }, true, []).open(root),
  ]);

  expect(opened).toMatchObject(
    view.isOwnRoot
      ? {
          reason: {
            message: expect.stringContaining(`could not be created: ${dirname(shown)} in the session must be`),
          },
        }
      : { status: "fulfilled" },
  );
  expect(silent).toMatchObject({
    reason: { message: "the session's namespaces could not be created: unshare ended with exit code 1" },
  });
});
