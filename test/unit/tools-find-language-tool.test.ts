import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findLanguageTool, type LanguageTool } from "../../tools/pulumi-cli/find-language-tool";
import { readPinnedVersion } from "../../tools/pulumi-cli/pinned-version";

const toolsDirectory = join(__dirname, "..", "..", "tools", "pulumi-cli");

let root: string;
let lines: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "find-language-tool-"));
  lines = [];
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Writes a `go` that notes its calls. It builds scripts, and shows a folder as the source of every module. */
function writeGo(build = 'printf "#!/bin/sh\\n" > "$out" && chmod +x "$out"'): void {
  const sources = join(root, "sources", "python", "cmd");
  mkdirSync(sources, { recursive: true });
  writeFileSync(join(sources, "pulumi-language-python-exec"), "#!/usr/bin/env python\n", { mode: 0o444 });
  writeFileSync(
    join(root, "go"),
    `#!/bin/sh
test "$1" = version && echo "go version go1.26.1 linux/amd64" && exit
echo "$*" >> ${join(root, "calls")}
test "$1" = list && echo ${join(root, "sources")} && exit
while [ "$1" != -o ]; do shift; done
out=$2
${build}
`,
    { mode: 0o755 },
  );
}

function find(tool: LanguageTool) {
  return findLanguageTool(tool, {
    environment: { PATH: `${root}:/bin:/usr/bin`, XDG_CACHE_HOME: join(root, "cache") },
    report: (line) => lines.push(line),
  });
}

const builds = () =>
  readFileSync(join(root, "calls"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("build"));
const cached = () => readdirSync(join(root, "cache", "pulumi-agb"));

test.each([
  ["language-yaml", ["pulumi-language-yaml"]],
  ["language-python", ["pulumi-language-python", "pulumi-language-python-exec"]],
  ["language-go", ["pulumi-language-go"]],
  ["sdk-generator", ["sdk-generator"]],
] as const)("%s is built once, into a folder of its own", async (tool, programs) => {
  writeGo();
  const first = await find(tool);
  expect(readdirSync(first.binDirectory).sort()).toEqual(programs);
  expect(first.command).toBe(join(first.binDirectory, programs[0]));
  expect(lines[0]).toMatch(new RegExp(`^Building ${tool} from Go modules, once\\.`));
  expect(await find(tool)).toEqual(first);
  expect(builds()).toHaveLength(1);
  expect(cached()).toEqual([expect.stringMatching(new RegExp(`^${tool}-[0-9a-f]{16}$`))]);
});

test("concurrent searches build once", async () => {
  writeGo();
  const [first, second] = await Promise.all([find("language-go"), find("language-go")]);
  expect(first).toEqual(second);
  expect(builds()).toHaveLength(1);
  expect(lines).toContain("Another process is building language-go. Waiting for it.");
});

test("a folder without its program is built again", async () => {
  writeGo();
  const { command } = await find("language-go");
  rmSync(command);
  await find("language-go");
  expect(existsSync(command)).toBe(true);
});

test("a build that fails shows Go's output and leaves nothing behind", async () => {
  writeGo('echo "no such module" >&2; exit 1');
  await expect(find("language-yaml")).rejects.toThrow("building language-yaml failed:\nno such module");
  expect(cached()).toEqual([]);
});

test("without go, the error says what is needed", async () => {
  const search = findLanguageTool("language-go", {
    environment: { PATH: root, XDG_CACHE_HOME: join(root, "cache") },
    report: () => {},
  });
  await expect(search).rejects.toThrow("`go` is not on PATH; 1.25 or newer is needed");
});

test("SDKs of programs have the version that package.json pins", () => {
  const version = readPinnedVersion();
  const goModule = readFileSync(join(toolsDirectory, "..", "..", "examples", "go", "go.mod"), "utf8");
  expect(goModule).toContain(`github.com/pulumi/pulumi/sdk/v3 v${version}\n`);
  const requirements = readFileSync(join(__dirname, "..", "support", "pulumi-requirements.txt"), "utf8");
  expect(requirements).toContain(`\npulumi==${version}\n`);
});
