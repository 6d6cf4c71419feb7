import { findGuideBlocks } from "./code-blocks";
import { commandProblems, findGuideCommands } from "./shell-blocks";
import { splitCommands } from "./shell-commands";

const problemsOf = (...words: string[]) => commandProblems({ words, place: "docs/a.md:1" });

test("every command in a guide is one that its program takes", async () => {
  const commands = findGuideCommands(findGuideBlocks());

  expect(commands.length).toBeGreaterThan(20);
  expect((await Promise.all(commands.map(commandProblems))).flat()).toEqual([]);
});

describe("a command that is wrong is reported", () => {
  test.each([
    [["pulumi-agb", "emulator", "--prot", "1"], "unknown option '--prot'"],
    [["npx", "pulumi-agb", "emulate"], "unknown command 'emulate'"],
    [["pulumi-agb", "preview-environment", "down"], "required option"],
    [["pulumi-agb", "emulator", "--port", "many"], "--port"],
    [["npm", "run", "biuld"], 'no script "biuld"'],
    [["npm", "instal"], 'no command "instal"'],
    [["npx", "jest", "test/unit/no-such.test.ts"], "There is no test/unit/no-such.test.ts"],
    [["pulumi", "config", "set", "agb:apikey"], "no setting agb:apikey"],
    [["wget", "http://127.0.0.1"], 'Nothing checks the program "wget"'],
  ])("%j", async (words, message) => {
    expect(await problemsOf(...words)).toEqual([expect.stringContaining(message)]);
    expect((await problemsOf(...words))[0]).toMatch(/^docs\/a\.md:1: /);
  });

  test("and one that is right is not, also when it asks for help", async () => {
    expect(await problemsOf("npx", "pulumi-agb", "emulator", "--port", "8787", "--allow-exec")).toEqual([]);
    expect(await problemsOf("pulumi-agb", "preview-environment", "down", "--help")).toEqual([]);
    expect(await problemsOf("npm", "--prefix", "preview", "install")).toEqual([]);
  });
});

describe("splitting a script", () => {
  const words = (script: string) => splitCommands(script).map((command) => command.words);

  test("finds commands in lists, pipes, subshells and substitutions", () => {
    expect(words("a 1 && b 2 | c 3; (d 4)")).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4"],
    ]);
    expect(words('x "$(y | z)"')).toEqual([["y"], ["z"], ["x", "$(y | z)"]]);
    expect(words("A=$(y) B=2 x")).toEqual([["y"], ["x"]]);
    expect(words("A=1")).toEqual([]);
  });

  test("removes quotes, comments, redirections and here documents, and joins lines that continue", () => {
    expect(words("x 'a b' \"c d\" # y")).toEqual([["x", "a b", "c d"]]);
    expect(words("x a \\\n  b > file 2>&1")).toEqual([["x", "a", "b"]]);
    expect(words("cat > file <<EOF\nnot a command\nEOF\ny")).toEqual([["cat"], ["y"]]);
    expect(words("curl -d '{\n\"a\": 1}'")).toEqual([["curl", "-d", '{\n"a": 1}']]);
  });

  test("knows the line of each command", () => {
    expect(splitCommands("a\n# b\n\nc \\\n d\ne").map(({ line }) => line)).toEqual([0, 3, 5]);
  });
});
