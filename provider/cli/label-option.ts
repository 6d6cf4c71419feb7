import { InvalidArgumentError, Option } from "commander";
import type { Labels } from "../api/labels";
import { quoted } from "../api/outside-text";

/** The option `--label`, whose value is the set of all labels that were given. Default: no labels. */
export function labelOption(description: string): Option {
  return new Option("--label <key=value>", `${description}; can be given several times`)
    .argParser(collectLabels)
    .default({}, "none");
}

function collectLabels(text: string, earlier: Labels): Labels {
  const end = text.indexOf("=");
  if (end < 1) {
    throw new InvalidArgumentError("Give it as KEY=VALUE.");
  }
  const [key, value] = [text.slice(0, end), text.slice(end + 1)];
  if (Object.hasOwn(earlier, key) && earlier[key] !== value) {
    throw new InvalidArgumentError(`The label ${quoted(key)} has two different values, and no session has both.`);
  }
  return { ...earlier, [key]: value };
}
