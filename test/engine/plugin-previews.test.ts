// A preview environment whose program uses the plugin. `preview-environment up` sets `agb:repository` for it.

import "../support/await-pulumi-cli";
import { usePlugin } from "../support/plugin-file";
import { pluginClasses } from "../support/plugin-program";
import { down, PreviewWorld, up } from "../support/preview-world";

jest.setTimeout(600_000);

const program = `${pluginClasses}
  const request = new pulumi.Config("preview").require("request");
  const repository = new pulumi.Config("agb").get("repository");
  const session = (name, opts) => new Session(name, { imageId: "agb-code-space-1", labels: { request } }, opts);
  session("default");
  session("told", { provider: new Provider("agb", "told", { repository }) });
  session("untold", { provider: new Provider("agb", "untold", {}) });
`;

const world = new PreviewWorld({ program });

beforeAll(() => usePlugin(world.project), 600_000);

function labels(name: string) {
  return world.sessionsOf(1).find((session) => session.labels["pulumi-resource"] === name)?.labels;
}

test("up labels the sessions of the default provider and of one that is told the repository; down removes all", async () => {
  world.setRequest(1, "open");
  await world.succeed(...up(1, "aaaaaaa1"));
  const repository = "github.com/repositories/81";
  expect(world.sessionsOf(1)).toHaveLength(3);
  for (const name of ["default", "told"]) {
    expect(labels(name)).toMatchObject({ request: "1", "pulumi-repository": repository });
  }
  expect(labels("untold")).toMatchObject({ request: "1" });
  expect(labels("untold")).not.toHaveProperty("pulumi-repository");

  // A second push, from the same repository, finds what is its own.
  const before = world.sessionsOf(1);
  await world.succeed(...up(1, "bbbbbbb2"));
  expect(world.sessionsOf(1)).toEqual(before.map((session) => expect.objectContaining({ labels: session.labels })));

  await world.succeed(...down(1));
  expect(world.emulator.sessions()).toEqual([]);
  expect(await world.stacks()).toEqual([]);
});
