import { ownershipKeys } from "../../../provider/lifecycle/ownership";
import { Declarations } from "../declarations";
import { heading, join, list, paragraphs } from "../markdown";

/** The section of the labels that the provider sets, and of the resource behind one of them. */
export function labelsSection(): string {
  const keys: Readonly<Record<string, string>> = ownershipKeys;
  const source = new Declarations("lifecycle/ownership.ts");
  return join(
    heading(2, "Labels that the provider sets"),
    paragraphs(
      "The provider sets these labels on each session. They are in the output " +
        "[`labelsAll`](#agbsession-output-labelsall). Programs cannot declare them.",
    ),
    list(source.constantFields("ownershipKeys").map(({ name, text }) => `\`${keys[name]}\`: ${text}`)),
    heading(3, "`AgbStackIdentity`"),
    paragraphs(new Declarations("resources/stack-identity.ts").documentation("AgbStackIdentity").text),
  );
}
