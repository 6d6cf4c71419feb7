import { Declarations } from "../declarations";
import { innerEntries } from "../fields";
import { defaultWords, heading, join, list, paragraphs } from "../markdown";

const options = new Declarations("emulator/options.ts");
const controls = new Declarations("emulator/controls.ts");
const clock = new Declarations("emulator/clock.ts");

/** Objects that the methods of an emulator return. */
const returned = [
  ["EmulatedSession", controls],
  ["EmulatedContext", controls],
  ["JournalEntry", new Declarations("emulator/journal.ts")],
  ["Fault", new Declarations("emulator/faults.ts")],
] as const;

/** The section of the export `pulumi-agb/emulator`. */
export function emulatorSection(): string {
  const start = new Declarations("emulator/emulator.ts").documentation("startEmulator");
  const error = new Declarations("emulator/start-error.ts").documentation("EmulatorStartError");
  return join(
    heading(2, "Module for tests"),
    paragraphs(
      "`pulumi-agb/emulator` starts a local AGB in a test. [The emulator](emulator.md#in-a-test) has an example, the fault " +
        "rules, and what it does and does not do.",
    ),
    heading(3, "`startEmulator`"),
    paragraphs(`${start.text} It takes the options below, and returns a promise of an [\`Emulator\`](#emulator).`),
    paragraphs(`It throws an ${start.throws.replace("EmulatorStartError", "`EmulatorStartError`")}.`),
    ...options.fields("EmulatorOptions").map((option) => {
      const inner = innerEntries(option, [options, clock]);
      const isObject = option.type.includes("object");
      return join(
        heading(4, `startEmulator: \`${option.name}\``),
        paragraphs(option.text),
        list([
          `Type: ${isObject && inner.length === 0 ? `\`${option.code}\`` : option.type}`,
          `Default: ${defaultWords(option.defaultValue)}`,
        ]),
        ...(inner.length === 0 ? [] : ["Fields:", list(inner)]),
      );
    }),
    heading(3, "`Emulator`"),
    paragraphs(controls.documentation("Emulator").text),
    list([
      ...controls.fields("Emulator").map(({ name, code, text }) => `\`${name}: ${code}\`: ${text}`),
      ...controls.methods("Emulator").map(({ code, text }) => `\`${code}\`: ${text}`),
    ]),
    ...returned.map(([name, source]) =>
      join(
        heading(4, `\`${name}\``),
        paragraphs(source.documentation(name).text),
        list(source.fields(name).map(({ name: field, code, text }) => `\`${field}: ${code}\`${text && `: ${text}`}`)),
      ),
    ),
    heading(3, "`ManualClock`"),
    paragraphs(
      `${clock.documentation("ManualClock").text} Pass one as the option \`clock\`, and move it with \`advance(ms)\`.`,
    ),
    heading(3, "`EmulatorStartError`"),
    paragraphs(error.text),
  );
}
