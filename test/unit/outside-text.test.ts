import * as fc from "fast-check";
import { hideSecrets, keySecret, labelSecrets } from "../../provider/api/known-secrets";
import {
  cleanerFor,
  longestOutsideText,
  printable,
  printableJson,
  printableLines,
  quoted,
} from "../../provider/api/outside-text";

/** What a terminal or a CI system may act on, or what nobody sees. */
const harmful = /[\p{C}\p{Zl}\p{Zp}]|^\s*::|##\w*\[/u;

describe("text from outside", () => {
  test.each([
    ["line breaks", "a\r\n::error::b", "a\\r\\n::error::b"],
    ["a colour and a beep", "\u001b[31mred\u0007", "\\u001b[31mred\\u0007"],
    ["the one-character form of an escape", "\u009b2J", "\\u009b2J"],
    ["a change of the direction of writing", "\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066"],
    ["invisible characters", "a\u200bb\ufeff\u2028\u{e0041}", "a\\u200bb\\ufeff\\u2028\\udb40\\udc41"],
    ["half a character", "\ud83d", "\\ud83d"],
    ["a command of GitHub Actions", " ::add-mask::x", " : :add-mask::x"],
    ["older commands and those of others", "x ##[group]y ##vso[task.x]", "x ## [group]y ## vso[task.x]"],
  ])("shows %s as what it is", (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test.each(["plain", "Ünïcode 日本 😀", 'with "quotes" and \\ and ::', "# heading ## x"])(
    "leaves %j alone",
    (text) => {
      expect(printable(text)).toBe(text);
    },
  );

  test("of any content is harmless and not too long", () => {
    const text = fc.string({ unit: "binary", maxLength: 1_500, size: "max" });
    const nasty = fc.array(fc.constantFrom("::", "##[", "##vso[", "\n", "\u001b[0m", "\u202e", " ", "x", "\ud83d"));
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          nasty.map((parts) => parts.join("")),
        ),
        (value) => {
          expect(printable(value)).not.toMatch(harmful);
          expect(printable(value).length).toBeLessThanOrEqual(longestOutsideText + "… (shortened)".length);
          for (const line of printableLines(value).split("\n")) {
            expect(line).not.toMatch(harmful);
          }
          expect(quoted(value)).not.toMatch(harmful);
          const json = printableJson({ [value]: value }, 2);
          expect(json.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          expect(JSON.parse(json)).toEqual({ [value]: value });
        },
      ),
      { numRuns: 150 },
    );
  });
});

const hex = (text: string) => Buffer.from(text).toString("hex");
const everyCharacter = (text: string, form: (unit: number) => string) =>
  Array.from({ length: text.length }, (_, index) => form(text.charCodeAt(index))).join("");
const asciiJson = (text: string) =>
  JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const htmlEscapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const html = (text: string) => text.replace(/[&<>"']/g, (character) => htmlEscapes[character] ?? character);

/** How servers repeat what they got. */
const encodings: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  "upper case": (text) => text.toUpperCase(),
  "for a URL": (text) => encodeURIComponent(text),
  "for a URL in lower case": (text) => encodeURIComponent(text).toLowerCase(),
  "for a form": (text) => new URLSearchParams({ "": text }).toString().slice(1),
  "for a URL twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "for JSON": (text) => JSON.stringify(text).slice(1, -1),
  "for JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "for JSON with slashes escaped": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "for JSON of ASCII only": (text) => asciiJson(text).slice(1, -1),
  "for JSON, then for a URL": (text) => encodeURIComponent(JSON.stringify({ text })),
  "as escapes alone": (text) => everyCharacter(text, (unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
  "for HTML": html,
  "for HTML twice": (text) => html(html(text)),
  "as HTML numbers": (text) => [...text].map((character) => `&#${character.codePointAt(0)};`).join(""),
  "in Base64": (text) => Buffer.from(text).toString("base64"),
  "in Base64 for URLs": (text) => Buffer.from(text).toString("base64url"),
  "in Base64 with what stands before and after": (text) => Buffer.from(`Bearer ${text}\r\nx`).toString("base64"),
  "in Base64 as of a user's password": (text) => Buffer.from(`u:${text}`).toString("base64"),
  "in Base64 in a URL": (text) => encodeURIComponent(Buffer.from(`a${text}`).toString("base64")),
  "in hexadecimal digits": hex,
};

// Upper and lower case of a letter need not have the same length, as that of ß has not.
const oneToOne = (text: string) =>
  text.toUpperCase().length === text.length && text.toUpperCase().toLowerCase() === text.toLowerCase();
const key = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 12,
  maxLength: 60,
});
const label = fc
  .string({ unit: "grapheme", minLength: 8, maxLength: 60 })
  .filter((text) => text.trim() === text && oneToOne(text));

describe.each(Object.entries(encodings))("a secret that is repeated %s", (_, encode) => {
  test("is not shown", () => {
    fc.assert(
      fc.property(fc.oneof(key, label), fc.string(), fc.string(), (value, before, after) => {
        const clean = cleanerFor([keySecret(value)]);
        const shown = clean(`${before} ${encode(value)} ${after}`);
        expect(shown).toContain("[API key]");
        // Two characters of Base64 at the seams are decided by what stands beside the secret.
        expect(clean(encode(value))).not.toContain(encode(value).slice(2, -3));
      }),
      { numRuns: 20 },
    );
  });
});

describe("the values of labels", () => {
  const clean = cleanerFor(
    labelSecrets({ team: "storefront", environment: "dev", stage: "test", "a b": "x\u001by-long-value" }),
  );

  test("are hidden under the name of their label", () => {
    expect(clean('team=storefront, "storefront" x\u001by-long-value')).toBe(
      'team=[label "team"], "[label "team"]" [label "a b"]',
    );
  });

  test("that are short are hidden only where they stand alone, also in an encoding", () => {
    expect(clean("test (test) latest test-run testing agb-test-1")).toBe(
      '[label "stage"] ([label "stage"]) latest test-run testing agb-test-1',
    );
    expect(clean("%22test%22 \\u0022test\\u0022")).toBe('%22[label "stage"]%22 \\u0022[label "stage"]\\u0022');
  });

  test("that are too short for a secret are left, so that messages can be read", () => {
    expect(clean("the environment dev does not exist")).toBe("the environment dev does not exist");
  });

  test("of which one holds another are hidden whole", () => {
    const both = labelSecrets({ short: "storefront", long: "storefront-eu" });
    expect(hideSecrets("storefront-eu storefront", both)).toBe('[label "long"] [label "short"]');
  });
});

test.each([
  ["backslashes", "\\".repeat(200), "\\"],
  ["backslashes and quotes", '\\"'.repeat(100), '\\\\\\"'],
  ["percent signs", "%25".repeat(80), "%25"],
  ["ampersands", "&amp;".repeat(50), "&amp;amp;"],
  ["one letter", "a".repeat(256), "a"],
])("a secret of many %s is looked for in long runs of them without end", (_, value, repeated) => {
  const clean = cleanerFor([keySecret(`${value}z`), ...labelSecrets({ one: value, other: `${value}y` })]);
  expect(clean(`${repeated.repeat(3_000)}${"x".repeat(60_000)}`).endsWith("… (shortened)")).toBe(true);
  expect(clean(`<${value}z> <${JSON.stringify(value)}>`)).toBe('<[API key]> <"[label "one"]">');
});

test("the end of a long text is cut off, and no secret with it in halves", () => {
  fc.assert(
    fc.property(key, fc.integer({ min: 0, max: 200 }), fc.constantFrom("", "x", "yy "), (value, gap, filler) => {
      const clean = cleanerFor([keySecret(value)]);
      const shown = clean(`${value}${filler}`.repeat(3_000) + filler.repeat(gap) + value, 400);
      expect(shown).not.toContain(value.slice(0, 6));
      expect(shown.length).toBeLessThanOrEqual(400 + "… (shortened)".length);
    }),
    { numRuns: 40 },
  );
});

test("megabytes are cleaned in no time that matters, because only what is shown is looked at", () => {
  const clean = cleanerFor([keySecret("ako-very-secret"), ...labelSecrets({ team: "storefront" })]);
  expect(clean("ako-very-".repeat(1_000_000)).endsWith("… (shortened)")).toBe(true);
});
