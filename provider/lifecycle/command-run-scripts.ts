/**
 * The shell scripts of a run. All but the runner can be read in the session's list of processes, so they hold only names of
 * ours and numbers. They rely on `sh` and the usual small programs.
 *
 * A run is a directory, see `runDirectory`. In it:
 *
 * - `token`: a random token of the run, written once.
 * - `part-NNNNN`: the runner's script in parts. It holds the command and its environment, and is deleted when it has loaded.
 * - `lock`: a directory. The runner that creates it runs the command, so it runs once.
 * - `pid`: process id of the runner. Renamed to `exit-END` when the command has ended. A rename needs no space on the disk.
 * - `group`: id of the command's process group.
 * - `stdout`, `stderr`: what the command wrote.
 */
import type { RunIdentity } from "./command-run-identity";
import { quoteForShell } from "./shell-quoting";
import { tryToWrite } from "./write-probe";

/** A command and what it runs with. */
export interface CommandSpec {
  /** A script for the session's `sh`. */
  readonly command: string;
  /** Variables besides those of the session. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Standard input. Default: none. */
  readonly stdin?: string | undefined;
  /** Absolute path in the session. Default: the home directory. */
  readonly workingDirectory?: string | undefined;
  /** The command and all that it started end after this time, in seconds. */
  readonly timeoutSeconds: number;
}

/** How a run ended that has no exit code: its runner could not start it. */
export const endsWithoutExitCode = { noDirectory: "no-directory", noSpace: "no-space", stopped: "stopped" } as const;

/** Follows the exit code of a command after whose end nothing could be written. */
export const fullDiskMark = "-full";

/** The directory in which scripts of a run start. Paths of runs are relative to it. */
export const scriptDirectory = "/";

const folder = "tmp/.pulumi-agb";

/** The directory of a run, relative to the root of the session. */
export function runDirectory({ owner, run }: RunIdentity): string {
  return `${folder}/${owner}/${run}`;
}

/** The directory of all runs of an owner, relative to the root of the session. */
export function ownerDirectory({ owner }: Pick<RunIdentity, "owner">): string {
  return `${folder}/${owner}`;
}

/** Absolute path of a part of the runner. */
export function partPath(identity: RunIdentity, index: number): string {
  return `/${runDirectory(identity)}/part-${String(index).padStart(5, "0")}`;
}

/** How long a process group has to end after it was asked to, in seconds. Then it is killed. */
const graceSeconds = 5;

// Prints how far the run in the working directory is.
const printState = `
look() { for f in exit-*; do if [ -e "$f" ]; then s=\${f#exit-}; fi; done; }
s= p=
look
if [ -z "$s" ]; then
  if [ ! -d lock ]; then s=ready
  elif p=$(cat pid 2>/dev/null) && [ -n "$p" ] && kill -0 "$p" 2>/dev/null; then s=running
  else
    if [ -n "$p" ]; then s=died; else s=starting; fi
    look
  fi
fi
echo "state $s"
echo "token $(cat token 2>/dev/null)"
`;

// Sets `lack` to the reason why nothing can be written to the working directory, or to an empty string.
const findLack = `
find_lack() {
  lack=$( ${tryToWrite('"probe-$$"')} )
  rm -f "probe-$$"
}
`;

// Prints the size of a file, or 0 when there is none: in some shells, an empty arithmetic expression ends the script.
const sizeFunction = `
size() { n=$(wc -c < "$1") 2>/dev/null; echo "$((\${n:-0}))"; }
`;

const printLack = `printf 'lack %s\\n' "$lack" | head -n 1; `;

// Ends the process group of the run in the working directory, unless the run is over.
const endGroup = `
end_group() {
  if mkdir lock 2>/dev/null; then true > exit-${endsWithoutExitCode.stopped}; return; fi
  for n in 1 2 3; do
    for f in exit-*; do if [ -e "$f" ]; then return; fi; done
    if [ -s group ]; then break; fi
    sleep 1
  done
  g=$(cat group 2>/dev/null)
  if [ -z "$g" ]; then return; fi
  kill -s TERM -- "-$g" 2>/dev/null
  for n in 1 2 3 4 ${graceSeconds}; do
    if ! kill -s 0 -- "-$g" 2>/dev/null; then return; fi
    sleep 1
  done
  kill -s KILL -- "-$g" 2>/dev/null
}
`;

/** Programs that scripts of a run need. */
const neededPrograms = "base64 cat head mkdir mv rm setsid sleep tail wc";

/**
 * Makes the directory of a run, readable for its user only, and prints the state of the run. Prints `missing NAME` when the
 * session lacks a program, and `lack REASON` when nothing can be written.
 *
 * @param token the run's token, if it has none yet
 */
export function prepareScript(identity: RunIdentity, token: string): string {
  return `umask 077
${findLack}for n in ${neededPrograms}; do
  if ! command -v "$n" >/dev/null; then echo "missing $n"; exit; fi
done
mkdir -p ${runDirectory(identity)} && cd ${runDirectory(identity)} || exit 1
(set -C; echo ${token} > token) 2>/dev/null
if [ ! -s token ]; then rm -f token; find_lack; ${printLack}exit 1; fi
${printState}echo end
`;
}

/**
 * Starts the runner, detached. Ends what other runs of the owner still do. Prints `incomplete` unless all parts of the runner
 * are there, and `lack REASON` when there is no space for them. A second start finds the lock and starts nothing.
 *
 * @param sizeBytes size of all parts
 */
export function startScript(identity: RunIdentity, sizeBytes: number): string {
  return `root=$(pwd)
umask=$(umask)
cd ${runDirectory(identity)} || exit 1
started() {
  # The runner has loaded, so whatever still lies there is a copy that came late.
  rm -f part-* all-*
  echo started
}
if [ -d lock ]; then started; exit; fi
${endGroup}${findLack}${sizeFunction}
for d in ../*/; do
  if [ "$d" != "../${identity.run}/" ]; then (cd "$d" && end_group); fi
done
umask 077
cat part-* > "all-$$" 2>/dev/null
if [ "$(size "all-$$")" != ${sizeBytes} ]; then
  rm -f "all-$$"
  if [ -d lock ]; then started; exit; fi
  find_lack
  if [ -n "$lack" ]; then ${printLack}else echo incomplete; fi
  exit
fi
setsid sh "./all-$$" "$root" "$umask" </dev/null >/dev/null 2>&1 &
echo started
`;
}

/** What to read of an output. */
export interface OutputRange {
  /** Bytes to leave out at the beginning. */
  readonly offset: number;
  readonly lengthBytes: number;
}

/**
 * Prints the state of a run and new output, as Base64, because it may be any bytes. Prints `state absent` when the directory
 * is not there. The state is read first, so the output of a command that has ended is complete.
 */
export function pollScript(
  identity: RunIdentity,
  { stdout, stderr }: { readonly stdout: OutputRange; readonly stderr: OutputRange },
): string {
  const print = (name: string, { offset, lengthBytes }: OutputRange) =>
    `echo "${name} $(size ${name})"
tail -c +${offset + 1} ${name} 2>/dev/null | head -c ${lengthBytes} | base64
`;
  return `cd ${runDirectory(identity)} 2>/dev/null || { echo "state absent"; echo end; exit; }
${printState}${sizeFunction}${print("stdout", stdout)}${print("stderr", stderr)}echo end
`;
}

/** Ends the command of a run with all that it started. Succeeds when it has ended already. */
export function stopScript(identity: RunIdentity): string {
  return `${endGroup}
cd ${runDirectory(identity)} 2>/dev/null && end_group
exit 0
`;
}

/**
 * Removes the runs of an owner, and ends those that still go on.
 *
 * @param kept the runs that stay
 */
export function forgetScript(owner: Pick<RunIdentity, "owner">, kept: readonly RunIdentity[]): string {
  return `${endGroup}
cd ${ownerDirectory(owner)} 2>/dev/null || exit 0
for d in */; do
  case $d in
    ${["'*/'", ...kept.map(({ run }) => `${run}/`)].join(" | ")}) ;;
    *)
      (cd "$d" && end_group)
      # The runner may be writing how its command ended, and a folder that gets a new file cannot be removed.
      for n in 1 2 3; do
        if rm -rf "$d" 2>/dev/null; then break; fi
        sleep 1
      done
      ;;
  esac
done
cd ..
rmdir ${owner.owner} 2>/dev/null
exit 0
`;
}

/**
 * Makes the script that runs the command. It is in braces, so that a shell runs nothing of it unless it has all of it.
 *
 * Arguments: the root of the session, and the mask for files that the command creates.
 */
export function runnerScript({
  command,
  environment = {},
  stdin = "",
  workingDirectory,
  timeoutSeconds,
}: CommandSpec): string {
  const directory = workingDirectory === undefined ? `"\${HOME:-/}"` : `"$root"${quoteForShell(workingDirectory)}`;
  const exportLines = Object.entries(environment).map(([name, value]) => `export ${name}=${quoteForShell(value)}\n`);
  // The command is in a file that nobody else can open, so no list of processes shows it. `command -p` finds `cat` whatever
  // the command's PATH is. A file that cannot be read must not look like a command that succeeds.
  const start = `echo "$$" >&8 || exit 125; eval "$(command -p cat <&9 || echo exit 125)" 8>&- 9<&-`;
  const watch = `sleep "$1"; mv on-time timed-out; kill -s TERM -- "-$2"; sleep ${graceSeconds}; kill -s KILL -- "-$2"`;
  return `{
# Without the parts, a disk that has no room for another file has some.
mkdir lock 2>/dev/null || { rm -f part-*; mkdir lock 2>/dev/null; } || exit 0
root=\${1%/}
umask 077
echo "$$" > pid
${findLack}# Without a file for the process id, this script's own file becomes the one that says how the run ended.
finish() {
  mv pid "exit-$1" 2>/dev/null || { true > "$0" && mv "$0" "exit-$1"; } 2>/dev/null || true > "exit-$1"
  rm -f part-* all-* group on-time timed-out
  exit 0
}
[ -s pid ] || finish ${endsWithoutExitCode.noSpace}
rm -f part-* all-*
(cd ${directory}) 2>/dev/null || finish ${endsWithoutExitCode.noDirectory}
true > stdout && true > stderr && true > on-time && true > group || finish ${endsWithoutExitCode.noSpace}
printf %s ${quoteForShell(command)} > command && printf %s ${quoteForShell(stdin)} > stdin || {
  rm -f command stdin
  finish ${endsWithoutExitCode.noSpace}
}
exec 7<stdin 8>group 9<command
rm -f stdin command
setsid=$(command -v setsid) shell=$(command -v sh)
(
  umask "$2"
  cd ${directory} || exit 125
  set -- "$setsid" "$shell" -c ${quoteForShell(start)} sh
  unset OLDPWD
  ${exportLines.join("  ")}  exec "$@"
) <&7 >stdout 2>stderr 7<&- &
child=$!
exec 7<&- 8>&- 9<&-
"$setsid" "$shell" -c ${quoteForShell(watch)} watch ${timeoutSeconds} "$child" &
watcher=$!
wait "$child"
code=$?
kill -s KILL -- "-$watcher" 2>/dev/null || kill -s KILL "$watcher" 2>/dev/null
if [ ! -e on-time ]; then
  kill -s KILL -- "-$child" 2>/dev/null
  code=$code-timeout
fi
find_lack
if [ -n "$lack" ]; then
  # The command writes its group first, so it has not begun.
  [ -s group ] || finish ${endsWithoutExitCode.noSpace}
  code=$code${fullDiskMark}
fi
finish "$code"
}
`;
}
