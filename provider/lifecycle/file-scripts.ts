/**
 * The shell scripts that put files into a session. They run with any POSIX `sh` and the programs in `sessionPrograms`, may run
 * twice, also at the same time, and take any file name. Names are in scripts that are sent as files, because the list of
 * processes shows the text of a command.
 *
 * What a session keeps for each declared path, in a folder of its own, see `keptFolder`:
 * - `current`: name of the folder of the last complete set; in there `check.sh` compares the files with that set
 * - `owned`: a line for each file that was put or is about to be put, with a hash of its whole path; `made`: the same for
 *   folders
 * - `root.sh`: the folder that the names in these lists start from; `stages`: names of temporary folders
 *
 * Every line of a list is one call of a shell function. A line feed in a name is written as `$n`.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { LocalFiles } from "./local-files";
import { quoteForShell } from "./shell-quoting";
import { tryToWrite } from "./write-probe";

/** What is to be in a session. */
export interface FileSet {
  /** Absolute path in the session: of the file, or of the folder that gets the files of an archive. */
  readonly path: string;
  readonly local: LocalFiles;
  /** Permission bits of files. Executable files of a folder can also be executed by those who may read them. */
  readonly mode: number;
}

/** Programs that the scripts need, besides those that are part of every shell. */
export const sessionPrograms =
  "base64 cat comm cut gzip mkdir mktemp mv paste rm rmdir sha256sum sort stat tail tar tr wc".split(" ");

/** Where a session keeps what it was sent for a path. Relative to the session's root. */
export function keptFolder(path: string): string {
  return `tmp/.pulumi-agb/files/${createHash("sha256").update(path).digest("hex").slice(0, 32)}`;
}

/** The folder that the names of a set start from, relative to the session's root. */
function rootOf({ path, local }: FileSet): string {
  return (local.isFolder ? path : posix.dirname(path)).slice(1) || ".";
}

/** The names of a set's files in the session, relative to its root. */
export function namesIn({ path, local }: FileSet): string[] {
  return local.isFolder ? local.files.map((file) => file.path) : [posix.basename(path)];
}

/** Tells paths of different sets apart: two sets may have the same file. */
function pathHash({ path, local }: FileSet, name: string): string {
  const whole = local.isFolder ? posix.join(path, name) : path;
  return createHash("sha256").update(whole).digest("hex").slice(0, 16);
}

/** The permission bits of a set's file. */
export function modeOf({ mode }: FileSet, isExecutable: boolean): number {
  return isExecutable ? mode | ((mode & 0o444) >> 2) : mode;
}

/** Whether executable bits of files count: only in a folder. */
function modesIn(set: FileSet): number[] {
  return set.local.files.map((file) => modeOf(set, set.local.isFolder && file.isExecutable));
}

// Numbers of files have six digits, so that their order as strings is the same.
const firstNumber = 100_000;
const filesInCall = 50;

/** What every script begins with. `T` is the session's root, `D` the folder of the set. */
const start = `LC_ALL=C; export LC_ALL; umask 077; unset CDPATH
n='
'
T=$PWD
`;

/**
 * How scripts fail: \`fail WORD\` prints a last line, with the reason on standard error if nothing can be written. \`say\` prints a
 * line to a file and notes when that fails. A file that was cut would look like a shorter list.
 */
const failFunctions = `bad=
fail() {
  probe=\${W:-$T}/probe
  [ "$1" = done ] || { ${tryToWrite('"$probe"')} | head -n 1 >&2; rm -f "$probe"; }
  echo "$1"; exit 0
}
say() { echo "$@" || bad=1; }
`;

/** Whether no folder on the way to a place is a link. */
const safeFunction = `safe() {
  o=$IFS; IFS=/; set -f; b=; for a in $1; do b=$b$a; if [ -h "./$b" ]; then IFS=$o; set +f; return 1; fi; b=$b/; done
  IFS=$o; set +f
}
`;

/**
 * Prints those lines of files that no other list of the session has: a file stays until the last list that has it is gone. Of
 * the lines of others only the hash remains, so each comes right before a line with the same hash.
 */
const unsharedFunction = `unshared() {
  w=$({
    for a in "\${K%/*}"/*/owned; do [ "$a" = "$K/owned" ] || [ ! -f "$a" ] || cut -d' ' -f1,2 "$a"; done
    cat
  } | sort -u) || return 1
  p=
  printf '%s\\n' "$w" | while IFS= read -r l; do
    a=\${l#f }
    case $a in
      *" "*) [ "\${a%% *}" = "$p" ] || printf '%s\\n' "$l" ;;
      *) p=$a ;;
    esac
  done
}
`;

/**
 * What the lines of lists do. \`withdraw\` takes lines of files, removes those that \`unshared\` prints, and fails if one of them
 * stays. \`each\` prints the lines that fail. What another program put in a file's place stays, and so does what is behind a
 * link.
 */
const listFunctions = `${safeFunction}f() { safe "\${2%/*}" && { [ -h "$2" ] || { [ -e "$2" ] && [ ! -d "$2" ]; }; }; }
d() { if safe "$1"; then rmdir -- "$1" 2>/dev/null; [ ! -d "$1" ]; fi; }
g() { rmdir -- "$T/$1" 2>/dev/null; [ ! -d "$T/$1" ]; }
each() { while IFS= read -r l; do eval "$l" || printf '%s\\n' "$l"; done; }
left() { while IFS= read -r l; do eval "$l" && printf '%s\\n' "$l"; done; }
drop() { [ -z "$v" ] || eval "rm -f -- $v"; v=; c=0; }
remove() {
  v=; c=0
  while IFS= read -r l; do eval "$l" && { v="$v \${l#f * }"; c=$((c+1)); }; [ $c -lt 100 ] || drop; done
  drop
}
${unsharedFunction}withdraw() {
  w=$(unshared) || return 1
  [ -z "$w" ] || printf '%s\\n' "$w" | remove
  [ -z "$(printf '%s\\n' "$w" | left)" ]
}
`;

/**
 * \`k NUMBER FOLDER\` looks at a folder, \`h NUMBER FILE...\` at files. \`actual\` then has a line for each file that exists:
 * number, hash and mode. What is in the way is reported.
 */
const lookFunctions = `k() {
  if [ -h "$2" ]; then say "way $1"; elif [ -d "$2" ]; then [ -w "$2" ] || say "denied $1"
  elif [ -e "$2" ]; then say "way $1"; else say "absent $1"; fi
}
h() {
  i=; c=$#
  while [ $c -gt 0 ]; do
    if [ -h "$2" ]; then :; elif [ -d "$2" ]; then say "folder $1"
    elif [ -f "$2" ] && [ -r "$2" ]; then i="$i$1$n"; set -- "$@" "$2"; fi
    shift 2; c=$((c-2))
  done
  [ $# -gt 0 ] || return 0
  printf %s "$i" >"$W/i" && sha256sum -- "$@" 2>/dev/null | cut -d' ' -f1 | tr -d '\\\\' >"$W/s" || bad=1
  stat -c %a -- "$@" 2>/dev/null | cat >"$W/m" || bad=1
  paste -d' ' "$W/i" "$W/s" "$W/m" >>"$W/actual" || bad=1
}
`;

/** Quotes a string for a shell in one line: the lists hold a call in each line. */
function quoteInOneLine(text: string): string {
  return quoteForShell(text).replaceAll("\n", "'\"$n\"'");
}

/** Quotes a path below the present folder. With `./` no name looks like an option. */
function quotePlace(path: string): string {
  return quoteInOneLine(path === "." ? path : `./${path}`);
}

function lookAtFolders({ local }: FileSet): string {
  return local.folders.map((folder, index) => `k ${firstNumber + index} ${quotePlace(folder)}\n`).join("");
}

function lookAtFiles(names: readonly string[]): string {
  const numbered = names.map((name, index) => `${firstNumber + index} ${quotePlace(name)}`);
  return batches(numbered, filesInCall)
    .map((batch) => `h ${batch.join(" ")}\n`)
    .join("");
}

function wantedLines(set: FileSet): string {
  const modes = modesIn(set);
  return set.local.files
    .map(({ sha256 }, index) => `${firstNumber + index} ${sha256} ${(modes[index] as number).toString(8)}\n`)
    .join("");
}

/** A here-document that writes lines to a file, or ends the script. No line of ours is \`EOF\`. */
function writeLines(file: string, lines: string): string {
  return `cat >"${file}" <<'EOF' || fail failed\n${lines}EOF\n`;
}

/**
 * Compares the session's files with a set. Its lines: \`fresh\` when no files were put; \`denied\` and \`gone\` about the folder of the set; \`way\`, \`denied\` and
 * \`absent\` about a folder; \`folder\` where a file should be; \`need FIRST LAST\` for files that differ; then \`actual\` with a hash
 * of all that was found, \`one\` with hash and mode of the only file, \`set\` with what the set is, and \`end\`. The last one is
 * \`failed\` when the session could not compare, such as on a full disk.
 */
export function checkScript(set: FileSet, kept: string): string {
  const { local } = set;
  return `${start}${failFunctions}${lookFunctions}
W=$(mktemp -d "${kept}/w.XXXXXX") && W=$T/$W || { W=; fail failed; }
trap 'rm -rf "$W"' EXIT
true >"$W/actual" || fail failed
R=${quotePlace(rootOf(set))}
[ -f "${kept}/owned" ] || echo fresh
${writeLines("$W/want", wantedLines(set))}
o=$IFS; IFS=/; set -f; p=; for a in $R; do
  [ -d "$p$a" ] || { if [ -e "$p$a" ] || [ -h "$p$a" ]; then echo "way root"; fi; break; }
  p=$p$a/
done; IFS=$o; set +f
[ -w "\${p:-.}" ] && [ -x "\${p:-.}" ] || echo denied root
${local.isFolder ? '[ -h "$R" ] && echo way root' : ""}
if [ -d "$R" ] && cd "$R" 2>/dev/null; then
${lookAtFolders(set)}${lookAtFiles(namesIn(set))}:
else say gone root
fi >"$W/out" || bad=1
[ -n "$bad" ] && fail failed
cat "$W/out"
comm -23 "$W/want" "$W/actual" | cut -d' ' -f1 >"$W/need" || fail failed
s=; e=0
while IFS= read -r i; do
  if [ "$i" = "$((e+1))" ]; then e=$i; else [ -n "$s" ] && echo "need $s $e"; s=$i; e=$i; fi
done <"$W/need"
[ -n "$s" ] && echo "need $s $e"
cat "$W/out" "$W/actual" | sha256sum | cut -d' ' -f1 | { read -r a; echo "actual $a"; }
${local.isFolder ? "" : `while read -r i s m; do echo "one $s $m"; done <"$W/actual"`}
echo "set ${local.contentHash} ${set.mode.toString(8)}"
echo end
`;
}

/** The files of a set that are sent, by their places in its list. */
export type SentFiles = readonly number[];

/**
 * Moves what was sent to its place, removes what is no longer declared, and then makes the set the current one. Its last line
 * is \`done\`, or \`damaged\`, \`way\`, \`folder\` or \`failed\` with the reason on standard error.
 *
 * Until all that was sent is unpacked and has the right hash, no file of the set is touched. Each file is then renamed within
 * its folder, so no program sees half of it.
 */
export function applyScript(set: FileSet, sent: SentFiles, kept: string, attempt: string): string {
  const { local } = set;
  const names = namesIn(set);
  const root = rootOf(set);
  const aboveRoot = root === "." ? [] : root.split("/").map((_, index, parts) => parts.slice(0, index + 1).join("/"));
  const owned = names.map((name) => `f ${pathHash(set, name)} ${quotePlace(name)}\n`);
  const folderLines = [
    ...aboveRoot.map((path) => `g ${quoteInOneLine(path)}\n`),
    ...local.folders.map((path) => `d ${quotePlace(path)}\n`),
  ];
  const make = (place: string, line: string) => `m ${place} ${quoteInOneLine(line.trimEnd())}\n`;
  return `${start}${failFunctions}${listFunctions}${lookFunctions}
K=$T/${kept}
[ "$(cat "$K/current" 2>/dev/null)" = ${attempt} ] && fail done
m() { [ -d "$1" ] && return; printf '%s\\n' "$2" >>"$K/made" || fail failed; mkdir -m 0755 -- "$1" || [ -d "$1" ] || fail failed; }
W=$(mktemp -d "$K/w.XXXXXX") || fail failed
trap 'rm -rf "$W"' EXIT
true >"$W/actual" && true >>"$K/owned" && true >>"$K/made" || fail failed
${writeLines("$W/planned.new", owned.join(""))}${writeLines("$W/folders.new", folderLines.join(""))}${writeLines("$W/want", wantedLines(set))}
sort -u "$W/planned.new" >"$W/planned" && sort -u "$W/folders.new" >"$W/folders" || fail failed
sort -u "$K/owned" "$W/planned" >"$W/owned" && mv -f "$W/owned" "$K/owned" || fail failed
${writeLines("$W/root.sh", `R=${quotePlace(root)}\nX=${local.isFolder ? 1 : ""}\n`)}mv -f "$W/root.sh" "$K/root.sh" || fail failed
${aboveRoot.map((path, index) => make(`"$T"/${quoteInOneLine(path)}`, folderLines[index] as string)).join("")}
cd "$T"/${quoteInOneLine(root)} || fail failed
${local.isFolder ? '[ -h "$PWD" ] && [ "$PWD" != / ] && fail "way root"' : ""}
D=$PWD
${stagesFunction}clean_stages
S=$(mktemp -d ./.pulumi-agb.XXXXXX) || fail failed
U=\${S#./}; q=
trap 'rm -rf "$W" "$D/$U"; [ -n "$q" ] && rm -rf "$D/$q/$U"' EXIT
printf '%s\\n' "$U" >>"$K/stages" || fail failed
${sent.length === 0 ? "" : unpack(names, sent, attempt)}
comm -23 "$K/owned" "$W/planned" >"$W/stale" || fail failed
[ ! -s "$W/stale" ] || withdraw <"$W/stale" || fail failed
stays=$(sort -u "$K/made" | comm -23 - "$W/folders" | sort -r | each)
{ sort -u "$K/made" | comm -12 - "$W/folders"; [ -z "$stays" ] || printf '%s\\n' "$stays"; } | sort -u >"$W/made" || fail failed
mv -f "$W/made" "$K/made" || fail failed
{
${lookAtFolders(set)}${lookInTheWay(names)}:
} >"$W/out" || bad=1
[ -n "$bad" ] && fail failed
while read -r a b; do case $a in way|folder) fail "$a $b";; esac; done <"$W/out"
${local.folders.map((path) => make(quotePlace(path), `d ${quotePlace(path)}`)).join("")}
p() {
  q=$1; shift
  if [ "$q" = . ]; then (cd "$S" && mv -f -- "$@" ../) || fail failed; q=; return; fi
  mkdir -- "$q/$U" && (cd "$S/$q" && mv -f -- "$@" "$D/$q/$U/") && (cd "$q/$U" && mv -f -- "$@" ../) || fail failed
  rm -rf -- "$q/$U"; q=
}
${placeCalls(names, sent)}
echo ${attempt} >"$W/current" && mv -f "$W/current" "$K/current" || fail failed
mv -f "$W/planned" "$K/owned"
rm -rf "$D/$U"; rm -f "$K/stages"
for a in "$K"/a.*; do [ "$a" = "$K/${attempt}" ] || rm -rf "$a"; done
rm -rf "$K/${attempt}/content" "$K/${attempt}/apply"
fail done
`;
}

/** Removes what a run that was killed has left. Only its own temporary folders have these names. */
const stagesFunction = `clean_stages() {
  [ -s "$K/stages" ] || return 0
  while IFS= read -r u; do
    rm -rf "./$u"
    (
      d() { [ ! -d "$1/$u" ] || { safe "$1" && rm -rf "$1/$u"; }; }; g() { :; }; f() { d "\${2%/*}"; }
      cat "$K/made" "$K/owned" | each >/dev/null
    )
  done <"$K/stages"
  true >"$K/stages"
}
`;

function unpack(names: readonly string[], sent: SentFiles, attempt: string): string {
  const isSent = new Set(sent);
  const staged = names.map((name, index) => [index, name] as const).filter(([index]) => isSent.has(index));
  const look = batches(
    staged.map(([index, name]) => `${firstNumber + index} ${quotePlace(name)}`),
    filesInCall,
  ).map((batch) => `h ${batch.join(" ")}\n`);
  return `why=$({ cat "$K/${attempt}/content"/* | base64 -d | gzip -dc | tar -xpmof - -C "$S"; } 2>&1 | tail -n 2)
( cd "$S" && {
${look.join("")}:
} ) >/dev/null
comm -12 "$W/want" "$W/actual" | wc -l | { read -r c; [ "$c" = ${sent.length} ]; } || {
  [ "$(cat "$K/current" 2>/dev/null)" = ${attempt} ] && fail done
  printf '%s\\n' "$why" >&2; fail damaged
}
true >"$W/actual"; bad=
`;
}

/** Only reports folders where files should be. */
function lookInTheWay(names: readonly string[]): string {
  const numbered = names.map((name, index) => `${firstNumber + index} ${quotePlace(name)}`);
  const calls = batches(numbered, filesInCall).map((batch) => `t ${batch.join(" ")}\n`);
  return `t() { while [ $# -gt 0 ]; do [ -d "$2" ] && [ ! -h "$2" ] && say "folder $1"; shift 2; done; }\n${calls.join("")}`;
}

function placeCalls(names: readonly string[], sent: SentFiles): string {
  const byFolder = new Map<string, string[]>();
  for (const index of sent) {
    const name = names[index] as string;
    const folder = posix.dirname(name);
    const inFolder = byFolder.get(folder) ?? [];
    inFolder.push(quotePlace(posix.basename(name)));
    byFolder.set(folder, inFolder);
  }
  return [...byFolder]
    .flatMap(([folder, inFolder]) =>
      batches(inFolder, filesInCall).map((batch) => `p ${quotePlace(folder)} ${batch.join(" ")}\n`),
    )
    .join("");
}

/** Reports each program that the session lacks, in a line \`missing PROGRAM\`. */
const reportMissing = `for a in ${sessionPrograms.join(" ")}; do command -v $a >/dev/null || echo "missing $a"; done\n`;

/** Makes the folder of an attempt, which only the session's user may read. Its last line is \`ready\`. */
export function prepareScript(kept: string, attempt: string): string {
  return `${reportMissing}umask 077; mkdir -p ${kept}/${attempt} && rm -f ${kept}.removed && echo ready`;
}

/** A script that was sent in parts. */
export interface SentScript {
  /** Name of the folder that has the parts. */
  readonly name: string;
  readonly sha256: string;
}

/** Unpacks a script to the file \`$t\`. */
function unpackScript(folder: string, { name, sha256 }: SentScript, whenDamaged: string): string {
  return `umask 077; A=${folder}
t=$(mktemp "$A/s.XXXXXX") && cat "$A/${name}"/* | base64 -d | gzip -dc >"$t" && [ "$(sha256sum <"$t" | cut -d' ' -f1)" = ${sha256} ] || { ${whenDamaged}; echo damaged; exit; }
`;
}

/** Runs the script that compares, and keeps it for later. */
export function runCheck(kept: string, attempt: string, sent: SentScript): string {
  return `${unpackScript(`${kept}/${attempt}`, sent, ":")}mv -f "$t" "$A/check.sh" && exec sh "$A/check.sh"`;
}

/** Runs the script that applies, unless the attempt is complete. */
export function runApply(kept: string, attempt: string, sent: SentScript): string {
  const unlessDone = `[ "$(cat ${kept}/current 2>/dev/null)" = ${attempt} ] && { echo done; exit; }`;
  return `${unlessDone}\n${unpackScript(`${kept}/${attempt}`, sent, unlessDone)}exec sh "$t"`;
}

/** Removes what an attempt that failed has sent, so that it does not fill the disk. What compares files stays. */
export function discardScript(kept: string, attempt: string): string {
  return `cd ${kept}/${attempt} 2>/dev/null && rm -rf check content apply s.*`;
}

/** Runs the script that compares files with the last complete set. Its last line is \`none\` when there is none. */
export function runKeptCheck(kept: string): string {
  return `${reportMissing}c=$(cat ${kept}/current 2>/dev/null) && [ -f "${kept}/$c/check.sh" ] && exec sh "${kept}/$c/check.sh"
echo none`;
}

/**
 * Removes all that was put for a path: the files, and the folders that were made for them and are empty. Writes nothing before
 * that, because a delete should work on a full disk too. Its last line is \`done\`, \`none\` when nothing is known of the path, or
 * \`failed\`.
 */
export function removeScript(kept: string): string {
  return `${reportMissing}${start}K=$T/${kept}
[ -e "$K.removed" ] && { echo done; exit; }
[ -f "$K/root.sh" ] || { echo none; exit; }
${listFunctions}${stagesFunction}. "$K/root.sh"
folders=
[ ! -e "$K/made" ] || folders=$(sort -ru "$K/made") || { echo failed; exit; }
if cd "$T/$R" 2>/dev/null && { [ -z "$X" ] || [ ! -h "$T/$R" ]; }; then
clean_stages
withdraw <"$K/owned" || { echo failed; exit; }
printf '%s\\n' "$folders" | (g() { :; }; each) >/dev/null
fi
cd "$T" && printf '%s\\n' "$folders" | (d() { :; }; each) >/dev/null
rm -rf "$K"/a.* && true >"$K.removed" && rm -rf "$K" || { echo failed; exit; }
echo done
`;
}

function batches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
