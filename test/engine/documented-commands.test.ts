// The `pulumi` commands of the guides exist, with their flags, in the CLI that the tests use.

import { findGuideBlocks } from "../docs/code-blocks";
import { pulumiProblems } from "../docs/pulumi-commands";
import { findGuideCommands } from "../docs/shell-blocks";
import { pulumiCli } from "../support/pulumi-cli";

// The first run may build the CLI.
jest.setTimeout(1_200_000);

test("every pulumi command in a guide exists and takes the flags that it is given", async () => {
  const { command: pulumi } = await pulumiCli();
  const commands = findGuideCommands(findGuideBlocks());

  expect(commands.filter(({ words }) => words[0] === "pulumi").length).toBeGreaterThan(10);
  expect(await pulumiProblems(commands, pulumi)).toEqual([]);
});

test("a pulumi command that does not exist, or a flag that it does not take, is reported", async () => {
  const { command: pulumi } = await pulumiCli();
  const check = (line: string) => pulumiProblems([{ words: line.split(" "), place: "docs/a.md:1" }], pulumi);

  expect(await check("pulumi up --yes --config a:b=c")).toEqual([]);
  expect(await check("pulumi config set --secret agb:apiKey")).toEqual([]);
  expect(await check("pulumi stack output --json")).toEqual([]);
  expect(await check("pulumi state delete urn:pulumi:x")).toEqual([]);
  expect(await check("pulumi up --no-such-flag")).toEqual([
    expect.stringContaining("docs/a.md:1: pulumi up --no-such"),
  ]);
  expect(await check("pulumi upp")).toEqual([expect.stringContaining('no command "upp"')]);
  expect(await check("pulumi stack creat dev")).toEqual([expect.stringContaining('no command "stack creat dev"')]);
});
