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
      "Calls to AGB end with errors of these classes, which the package exports. The provider runs in a process of its own, so a " +
        "Pulumi program never catches one.",
    ),
    list(errorNames.map((name) => `\`${name}\`: ${source.documentation(name).text}`)),
  );
}
