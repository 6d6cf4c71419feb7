import * as fc from "fast-check";
import { keySecret, labelSecrets } from "../../provider/api/known-secrets";
import {
  cleanerFor,
  longestOutsideText,
  printable,
  printableJson,
  printableLines,
  quoted,
} from "../../provider/api/outside-text";

/** Text that a terminal or a CI system may act on, or that is invisible. */
const harmful = /[\p{C}\p{Zl}\p{Zp}\p{DI}\u2800]|^\s*::|##\w*\[/u;

describe("text from outside", () => {
  test.each([
    ["line breaks", "a\r\n::error::b", "a\\r\\n::error::b"],
    ["a colour and a beep", "\u001b[31mred\u0007", "\\u001b[31mred\\u0007"],
    ["the one-character form of an escape", "\u009b2J", "\\u009b2J"],
    ["a change of the direction of writing", "\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066"],
    ["invisible characters", "a\u200bb\ufeff\u2028\u{e0041}", "a\\u200bb\\ufeff\\u2028\\udb40\\udc41"],
    ["letters without a shape", "\u3164\u2800\u115f\u1160\u034f", "\\u3164\\u2800\\u115f\\u1160\\u034f"],
    ["variation selectors", "a\ufe00\ufe0f\u{e0100}\u{e01ef}", "a\\ufe00\\ufe0f\\udb40\\udd00\\udb40\\uddef"],
    ["half a character", "\ud83d", "\\ud83d"],
    ["a command of GitHub Actions", " ::add-mask::x", " : :add-mask::x"],
    ["older commands and those of others", "x ##[group]y ##vso[task.x]", "x ## [group]y ## vso[task.x]"],
  ])("shows %s as what it is", (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test.each(["plain", "Ünïcode 日本 😀", 'with "quotes" and \\ and ::', "# heading ## x"])(
    "leaves %j unchanged",
    (text) => {
      expect(printable(text)).toBe(text);
    },
  );

  test("of any content becomes harmless and not too long", () => {
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
          expect(json.replaceAll("\n", "")).not.toMatch(harmful);
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

/** How servers repeat their input. */
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

// Upper and lower case of a letter may differ in length, as with ß.
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

  test("that are short are hidden only as separate words, also in an encoding", () => {
    expect(clean("test (test) latest test-run testing agb-test-1")).toBe(
      '[label "stage"] ([label "stage"]) latest test-run testing agb-test-1',
    );
    expect(clean("%22test%22 \\u0022test\\u0022")).toBe('%22[label "stage"]%22 \\u0022[label "stage"]\\u0022');
  });

  test("that are too short for a secret are shown, so that messages stay readable", () => {
    expect(clean("the environment dev does not exist")).toBe("the environment dev does not exist");
  });

  test("that contain each other are hidden completely", () => {
    const both = cleanerFor(labelSecrets({ short: "storefront", long: "storefront-eu" }));
    expect(both("storefront-eu storefront")).toBe('[label "long"] [label "short"]');
  });
});

describe("the JSON of a command", () => {
  test("contains no command of a CI system, and has the same meaning", () => {
    const sessions = [{ id: "s-1", labels: { "##vso[task.complete]": "###teamcity[x] \\##[error] ## plain" } }];
    const json = printableJson(sessions, 2);
    expect(json).not.toMatch(/##\w*\[/);
    expect(json).toContain("## plain");
    expect(JSON.parse(json)).toEqual(sessions);
  });
});

describe("a secret is also found", () => {
  const secret = 'Ticket of "ΟΔΟΣ" <4711>';
  const clean = cleanerFor([
    keySecret(secret),
    ...labelSecrets({ poem: "  the first line\r\nthe second line\nend\n" }),
  ]);
  const base64 = Buffer.from(`user:${secret}${"x".repeat(80)}`).toString("base64");
  const pairs = hex(secret).match(/../g) ?? [];

  test.each([
    ["with the other form of a letter", secret.toLowerCase()],
    [
      "encoded in part",
      secret.replace("of", "%6Ff").replace("<", "&lt;").replace('"', "\\x22").replace('" ', "&#x22 "),
    ],
    ["in Base64 with line breaks", base64.replaceAll(/.{20}/g, "$&\r\n  ")],
    ["in Base64 with line breaks in JSON", JSON.stringify(base64.replaceAll(/.{20}/g, "$&\n"))],
    ["in Base64 with a blank for a plus", base64.replaceAll("+", " ")],
    ["in hexadecimal digits after another digit", `f${hex(secret)}`],
    ["in hexadecimal digits with colons", pairs.join(":").toUpperCase()],
    ["in hexadecimal digits with blanks", pairs.join(" ")],
    ["as the bytes of a program", `0x${pairs.join(", 0x")}`],
    ["in a header that was read as Latin-1", Buffer.from(secret).toString("latin1")],
    ["in five layers of JSON", Array.from({ length: 5 }).reduce<string>((text) => JSON.stringify(text), secret)],
  ])("%s", (_, text) => {
    expect(clean(`<${text}>`)).toContain("[API key]");
    expect(clean(`<${text}>`)).not.toMatch(/4711|Ticket|34373131/i);
  });

  test.each(["the first line\r\nthe second line\nend", "THE FIRST LINE", "the second line"])(
    "without the white space around it, and line by line: %j",
    (text) => {
      expect(clean(`<${text}>`)).toBe('<[label "poem"]>');
    },
  );

  test("and the text beside it stays readable", () => {
    expect(clean(`id 12 ab: ${hex(secret)}, ${Buffer.from(secret).toString("base64")} at host`)).toBe(
      "id 12 ab: [API key], [API key] at host",
    );
  });
});

describe("the search for secrets ends, and does not fail, with", () => {
  const labelsOf = (count: number, value: (index: number) => string) =>
    labelSecrets(Object.fromEntries(Array.from({ length: count }, (_, index) => [`label ${index}`, value(index)])));
  const cjk = (index: number) => String.fromCharCode(0x4e00 + index).repeat(255);
  const ascii = (index: number) => `${index}-"a/b+".<c>\\`.repeat(30).slice(0, 256);

  test.each([
    ["long labels in Chinese", labelsOf(40, (index) => `${cjk(index)}終`), `${cjk(3)}終`],
    ["long labels that are given twice", [...labelsOf(40, ascii), ...labelsOf(40, ascii)], ascii(3)],
    ["labels of 20,000 characters", labelsOf(3, (index) => `${index}`.repeat(20_000)), "2".repeat(20_000)],
  ])("%s", (_, secrets, value) => {
    const clean = cleanerFor(secrets);
    const shown = clean(`<${encodeURIComponent(value)}> <${JSON.stringify(value)}>`);
    expect(shown).toMatch(/^<\[label "label \d+"\]> <"\[label "label \d+"\]">$/);
    expect(clean(`${value.slice(0, -1)}!`.repeat(20)).endsWith("… (shortened)")).toBe(true);
  });

  test.each([
    ["backslashes of a URL", "%5c%5c%5c%5c%5c%5cX", "%5c".repeat(400)],
    ["nested escapes of all kinds", "%5c%5c%5c%5c%5c%5cX", "%2525&amp;amp;#37;\\\\u005c+%5cu0026".repeat(8_000)],
    ["almost the secret, again and again", `${"a".repeat(255)}b`, "a".repeat(1_000_000)],
    ["a secret that overlaps itself", "a".repeat(256), "a".repeat(20_000)],
  ])("%s", (_, value, text) => {
    const clean = cleanerFor([keySecret(value), ...labelsOf(20, (index) => `${index}${value}`)]);
    expect(clean(text)).not.toBe("");
    expect(clean(`<${value}>`)).toBe("<[API key]>");
  });
});

test("a secret among any broken escapes is hidden", () => {
  const value = "ako-Ünï&<secret>";
  const clean = cleanerFor([keySecret(value), ...labelSecrets({ short: "\ud83d%4\\", lines: "\n \r\n" })]);
  const broken = [
    "%",
    "%c3",
    "%ff",
    "%F4%90%80%80",
    "\\",
    "\\u",
    "\\ud83d",
    "&#",
    "&#99999999;",
    "&#xd800;",
    "&amp",
    "+",
  ];
  const piece = fc.constantFrom(
    ...broken,
    "4f",
    "QUJD",
    "=",
    "\n",
    "\ud83d",
    "\ude00",
    "ü",
    " ",
    "::",
    "x".repeat(5_000),
  );
  const pieces = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(pieces, pieces, (before, after) => {
      expect(clean(`${before}${value}${after}`, 100_000)).toMatch(/\[API key\]|\(shortened\)$/);
      expect(clean(`${before}${value}${after}`, 100_000)).not.toContain(value);
    }),
    { numRuns: 50 },
  );
});

test.each([3, 8, 13, 18])("a very long result shows no half of a secret at its end (%d characters)", (gap) => {
  const clean = cleanerFor([keySecret("ako-very-secret-key")]);
  const shown = clean(`${" ".repeat(gap)}${"ako-very-secret-key ".repeat(30_000)}`, 100_000);
  expect(shown).toMatch(/^ +(\[API key\] ?)+… \(shortened\)$/);
});

test.each([
  ["backslashes", "\\".repeat(200), "\\"],
  ["backslashes and quotes", '\\"'.repeat(100), '\\\\\\"'],
  ["percent signs", "%25".repeat(80), "%25"],
  ["ampersands", "&amp;".repeat(50), "&amp;amp;"],
  ["one letter", "a".repeat(256), "a"],
])("the search for a secret of many %s ends in long runs of them", (_, value, repeated) => {
  const clean = cleanerFor([keySecret(`${value}z`), ...labelSecrets({ one: value, other: `${value}y` })]);
  expect(clean(`${repeated.repeat(3_000)}${"x".repeat(60_000)}`).endsWith("… (shortened)")).toBe(true);
  expect(clean(`<${value}z> <${JSON.stringify(value)}>`)).toBe('<[API key]> <"[label "one"]">');
});

test("the end of a long text is cut off, but never inside a secret", () => {
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

test("megabytes are cleaned quickly, because only the shown part is read", () => {
  const clean = cleanerFor([keySecret("ako-very-secret"), ...labelSecrets({ team: "storefront" })]);
  expect(clean("ako-very-".repeat(1_000_000)).endsWith("… (shortened)")).toBe(true);
});
