import { Command } from "commander";
import * as fc from "fast-check";
import { labelOption } from "../../provider/cli/label-option";

/** The labels that the arguments give, or what the command says about them. */
function parse(...values: string[]): unknown {
  let said = "";
  const command = new Command("test")
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        said += text;
      },
    })
    .addOption(labelOption("with this label"));
  try {
    command.parse(
      values.flatMap((value) => ["--label", value]),
      { from: "user" },
    );
  } catch {
    return said;
  }
  return command.opts()["label"];
}

test("labels are collected", () => {
  expect(parse()).toEqual({});
  expect(parse("team=web", "tier=1")).toEqual({ team: "web", tier: "1" });
  expect(parse("a=")).toEqual({ a: "" });
});

test("a value may hold anything, also an equals sign", () => {
  const key = fc.string({ minLength: 1 }).filter((text) => !text.includes("=") && !text.startsWith("-"));
  fc.assert(
    fc.property(key, fc.string(), (name, value) => {
      expect(Object.entries(parse(`${name}=${value}`) as object)).toEqual([[name, value]]);
    }),
  );
});

test.each(["team", "=web", ""])("%j is no label", (text) => {
  expect(parse(text)).toContain("Give it as KEY=VALUE.");
});

test("the same key with the same value is one label, with another value it is refused", () => {
  expect(parse("team=web", "team=web")).toEqual({ team: "web" });
  expect(parse("team=web", "team=core")).toContain(
    'The label "team" has two different values, and no session has both.',
  );
});
