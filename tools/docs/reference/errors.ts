import * as exported from "../../../provider/index";
import { Declarations } from "../declarations";
import { heading, join, list, paragraphs } from "../markdown";

/** Names of the error classes that the package exports. */
export const errorNames = Object.keys(exported).filter((name) => name.endsWith("Error"));

/** The section of the errors of calls to AGB. */
export function errorsSection(): string {
  const source = new Declarations("api/errors.ts");
  return join(
    heading(2, "Errors"),
    paragraphs(
      "Calls to AGB end with errors of these classes, which the package exports. Resources are made in a process of its " +
        "own, so a program never catches their errors. If a function fails because a call failed, its error has one of them as its `cause`.",
    ),
    list(errorNames.map((name) => `\`${name}\`: ${source.documentation(name).text}`)),
  );
}
