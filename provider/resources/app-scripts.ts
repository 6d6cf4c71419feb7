/**
 * The shell scripts that start and stop the app of a preview environment in its session. They rely on `sh`, the usual small
 * programs, and one of curl, python3, node and wget.
 *
 * The app has a folder in the home directory, see `appFolder`. In it:
 *
 * - `process`: the id of the app's process group. The second line tells it apart from a later one with the same id.
 * - `log`: what the app wrote since its last start.
 */
import { quoteForShell } from "../lifecycle/shell-quoting";

/** What to start, and how to see that it works. */
export interface AppStart {
  /** A script for the session's `sh`. It runs until the app ends. */
  readonly command: string;
  readonly port: number;
  /** See `isHealthPath`. */
  readonly healthPath: string;
  /** How long the app may take until it answers, in seconds. */
  readonly startTimeoutSeconds: number;
}

/** How many lines of the log an error shows. */
const shownLogLines = 50;

/** How long an app has to end after it was asked to, in seconds. Then it is killed. */
const graceSeconds = 5;

/** How long the scripts may take besides the time that the app has to start, in seconds. */
export const overheadSeconds = 60;

/** The folder of an app, below the home directory. */
export function appFolder(port: number): string {
  return `.pulumi-agb-app-${port}`;
}

/** Stops the app on a port. Succeeds when it does not run. */
export function stopAppScript(port: number): string {
  return `cd ${folderOf(port)} 2>/dev/null || exit 0
${stopFunctions}
stop_app
exit 0
`;
}

/**
 * Stops the app on the port, starts it again in a process group of its own, and waits until it answers. Fails, and stops the
 * app, when it ends or does not answer in time. Standard error then has the end of its log.
 */
export function startAppScript({ command, port, healthPath, startTimeoutSeconds }: AppStart): string {
  return `home=$(pwd)
mkdir -p ${folderOf(port)} && cd ${folderOf(port)} || exit 1
folder=$(pwd)
url=${quoteForShell(`http://127.0.0.1:${port}${healthPath}`)}
${askFunction}
${stopFunctions}
stop_app
status=$(ask)
if [ -n "$status" ]; then
  echo "Port ${port} is in use: another program answers there (HTTP $status). The app was not started." >&2
  echo "Stop that program, or use another port. All sessions of a local emulator share the ports of its computer." >&2
  exit 1
fi
cd "$home" || exit 1
command=${quoteForShell(command)}
export PORT=${port}
if command -v setsid >/dev/null; then
  setsid sh -c "$command" </dev/null >"$folder/log" 2>&1 &
else
  set -m
  sh -c "$command" </dev/null >"$folder/log" 2>&1 &
fi
group=$!
{ echo "$group"; identity "$group"; } > "$folder/process"
show_log() {
  echo "The end of its log ($folder/log):" >&2
  tail -n ${shownLogLines} "$folder/log" >&2
}
started=$(date +%s)
while :; do
  status=$(ask)
  if ! is_running "$group"; then
    wait "$group"
    echo "The app ended with exit code $? before it answered at ${healthPath} on port ${port}." >&2
    rm -f "$folder/process"
    show_log
    exit 1
  fi
  case $status in 2??)
    echo "The app answers at ${healthPath} on port ${port} (HTTP $status)."
    exit 0 ;;
  esac
  if [ $(($(date +%s) - started)) -ge ${startTimeoutSeconds} ]; then
    if [ -n "$status" ]; then found="it answered HTTP $status"; else found="nothing answers there"; fi
    echo "The app did not answer at ${healthPath} on port ${port} within ${startTimeoutSeconds} seconds: $found." >&2
    stop_group "$group"
    rm -f "$folder/process"
    show_log
    exit 1
  fi
  nap
done
`;
}

function folderOf(port: number): string {
  return `"\${HOME:-/tmp}/${appFolder(port)}"`;
}

// The folder may outlive its session in a context, so the id of a group proves nothing. Its first process may have ended, with
// others of the group still running: then only the boot is compared.
const stopFunctions = `
identity() {
  boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
  begun=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)
  echo "$boot $begun"
}
# Not every program called sleep knows parts of a second.
nap() { sleep 0.2 2>/dev/null || sleep 1; }
is_running() { kill -s 0 -- "-$1" 2>/dev/null; }
stop_group() {
  kill -s TERM -- "-$1" 2>/dev/null
  asked=$(date +%s)
  while [ $(($(date +%s) - asked)) -le ${graceSeconds} ]; do
    if ! is_running "$1"; then return; fi
    nap
  done
  kill -s KILL -- "-$1" 2>/dev/null
}
stop_app() {
  if [ ! -s process ]; then return; fi
  { read -r group && IFS= read -r known; } < process
  case $group in '' | *[!0-9]*) return ;; esac
  now=$(identity "$group")
  if is_running "$group" && { [ "$now" = "$known" ] || [ "$now" = "\${known% *} " ]; }; then stop_group "$group"; fi
  rm -f process
}
`;

// Prints the status of the app's answer, after redirects, or nothing. No proxy is asked: not all programs can be told so.
const askFunction = `
python_ask='import sys, urllib.request as u
try: print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1], timeout=5).status)
except u.HTTPError as e: print(e.code)
except Exception: pass'
node_ask='fetch(process.argv[1], { signal: AbortSignal.timeout(5000) }).then((r) => r.status, () => "")
  .then((s) => process.stdout.write(String(s), () => process.exit()))'
directly() { (unset http_proxy HTTP_PROXY all_proxy ALL_PROXY; exec "$@" 2>/dev/null); }
if command -v curl >/dev/null; then
  ask() { directly curl -s -L --max-redirs 5 -o /dev/null -m 5 -w '%{http_code}' "$url" | sed 's/^000$//'; }
elif command -v python3 >/dev/null; then
  ask() { directly python3 -c "$python_ask" "$url"; }
elif command -v node >/dev/null && node -e 'fetch' 2>/dev/null; then
  ask() { directly node -e "$node_ask" "$url"; }
elif command -v wget >/dev/null; then
  if wget --version >/dev/null 2>&1; then once='-t 1'; else once=; fi
  ask() { if directly wget -q $once -T 5 -O /dev/null "$url"; then echo 200; fi; }
else
  echo "The session has none of curl, python3, node and wget, so nothing can ask the app whether it works." >&2
  exit 1
fi
`;
