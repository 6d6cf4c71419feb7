import { settingNames } from "../../../provider/config";
import { Declarations } from "../declarations";
import { codeBlock, defaultWords, heading, join, list, paragraphs } from "../markdown";

const source = new Declarations("resources/agb-provider.ts");

/** The section of the settings. */
export function settingsSection(): string {
  return join(
    heading(2, "Settings"),
    paragraphs(
      "A setting comes from an explicit [`AgbProvider`](#agbprovider), else from the stack's configuration, else from the " +
        "environment. A change of a setting replaces no resource. An unknown key below `agb:` causes a warning.",
    ),
    paragraphs(
      "The provider checks the endpoint and the key with one call before the first session of a run. So a preview fails if " +
        "one of them is wrong, before an `up` writes them to the state.",
    ),
    ...Object.entries(settingNames).map(([name, setting]) =>
      join(
        heading(3, `Setting: \`${name}\``),
        paragraphs(setting.description),
        list([
          `Configuration: \`${setting.key}\`${"isSecret" in setting ? ", a secret" : ""}`,
          `Environment variable: ${setting.variable === undefined ? "none" : `\`${setting.variable}\``}`,
          `Type: ${setting.type}`,
          "isRequired" in setting
            ? "Required"
            : `Default: ${"defaultValue" in setting ? `\`${setting.defaultValue}\`` : "none"}`,
        ]),
        codeBlock("sh", setting.example),
      ),
    ),
  );
}

/** The section of the class that takes settings in code. */
export function providerSection(): string {
  const { text, example, throws } = source.documentation("AgbProvider");
  return join(
    heading(2, "`AgbProvider`"),
    paragraphs(text),
    codeBlock("ts", example),
    paragraphs(`The constructor throws an ${throws.replace(/^Error/, "`Error`")}.`),
    heading(3, "AgbProvider: arguments"),
    ...source
      .fields("AgbProviderArgs")
      .map((field) =>
        join(
          heading(4, `AgbProvider: \`${field.name}\``),
          paragraphs(field.text),
          list([`Type: ${field.type}`, `Default: ${defaultWords(field.defaultValue)}`]),
        ),
      ),
  );
}
