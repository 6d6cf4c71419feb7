/**
 * The shell scripts for the app of a preview environment in its session: they start it, stop it, and ask it whether it works.
 * They rely on `sh`, the usual small programs, and one of curl, python3, node, and wget with timeout.
 *
 * The app has a folder in the home directory, see `appFolder`. In it:
 *
 * - `process`: the id of the app's process group, and two lines that tell it apart from a later one with the same id.
 * - `log`: what the app wrote since its last start.
 *
 * The app inherits the environment of these scripts, so their own variables begin with `agb_app_`.
 */
import { quoteForShell } from "./shell-quoting";

/** Where an app answers. */
export interface AppAddress {
  readonly port: number;
  /** See `isHealthPath`. */
  readonly healthPath: string;
}

/** What to start, and how to see that it works. */
export interface AppStart extends AppAddress {
  /** A script for the session's `sh`. It runs until the app ends. */
  readonly command: string;
  /** How long the app may take until it answers, in seconds. */
  readonly startTimeoutSeconds: number;
}

/** How much of the log an error shows. */
const shownLogLines = 50;
const shownLogBytes = 16 * 1024;

/** How long an app has to end after it was asked to, in seconds. Then it is killed. */
const graceSeconds = 5;

/** How long the scripts may take besides the time that the app has to start, in seconds. */
export const overheadSeconds = 60;

/** How often an app is asked before it counts as silent. It has 5 seconds for each answer. */
const attempts = 3;

/** How long the script of `askAppScript` may take, in milliseconds. */
export const askLimitMs = 25_000;

/** The folder of an app, below the home directory. */
export function appFolder(port: number): string {
  return `.pulumi-agb-app-${port}`;
}

/** Stops the app on a port. Succeeds when it does not run. */
export function stopAppScript(port: number): string {
  return `cd ${folderOf(port)} 2>/dev/null || exit 0
${processFunctions}
agb_app_stop
exit 0
`;
}

/**
 * Asks the app whether it works, and prints the status of its answer, or nothing when there is none. An app that does not work
 * is asked again, because it may only be busy.
 */
export function askAppScript({ port, healthPath }: AppAddress): string {
  return `${askFunctions(port, healthPath)}
for agb_app_attempt in ${Array.from({ length: attempts }, (_, index) => index + 1).join(" ")}; do
  if [ "$agb_app_attempt" != 1 ]; then sleep 1; fi
  agb_app_status=$(agb_app_ask)
  case $agb_app_status in 2??) break ;; esac
done
echo "$agb_app_status"
`;
}

/**
 * Stops the app on the port, starts it again in a process group of its own, and waits until it answers with a status from 200
 * to 299. Redirects are not followed. Fails, and stops the app, when it ends or does not answer in time. Standard error then
 * has the end of its log.
 */
export function startAppScript({ command, port, healthPath, startTimeoutSeconds }: AppStart): string {
  const leader = `${identityFunctions}
{ echo "$$"; agb_app_life; agb_app_begun "$$"; } > "$1/process" || exit
exec sh -c "$2"`;
  return `agb_app_home=$(pwd)
mkdir -p ${folderOf(port)} && cd ${folderOf(port)} || exit 1
agb_app_folder=$(pwd)
agb_app_path=${quoteForShell(healthPath)}
${askFunctions(port, healthPath)}
${processFunctions}
agb_app_stop
agb_app_status=$(agb_app_ask)
if [ -n "$agb_app_status" ]; then
  echo "Port ${port} is in use: another program answers there (HTTP $agb_app_status). The app was not started." >&2
  echo "Stop that program, or use another port. It may be an earlier start of the app that went on in the background." >&2
  echo "All sessions of a local emulator share the ports of its computer." >&2
  exit 1
fi
cd "$agb_app_home" || exit 1
agb_app_leader=${quoteForShell(leader)}
agb_app_command=${quoteForShell(command)}
export PORT=${port}
if command -v setsid >/dev/null; then
  setsid sh -c "$agb_app_leader" sh "$agb_app_folder" "$agb_app_command" </dev/null >"$agb_app_folder/log" 2>&1 &
else
  set -m
  sh -c "$agb_app_leader" sh "$agb_app_folder" "$agb_app_command" </dev/null >"$agb_app_folder/log" 2>&1 &
fi
agb_app_group=$!
agb_app_fail() {
  echo "The end of its log ($agb_app_folder/log):" >&2
  tail -c ${shownLogBytes} "$agb_app_folder/log" | tail -n ${shownLogLines} >&2
  exit 1
}
agb_app_started=$(date +%s)
while :; do
  agb_app_status=$(agb_app_ask)
  # Its process group exists a moment after its first process.
  if ! kill -s 0 "$agb_app_group" 2>/dev/null && ! agb_app_runs "$agb_app_group"; then
    wait "$agb_app_group"
    agb_app_code=$?
    if [ -n "$(agb_app_ask)" ]; then
      echo "The app went on in the background on port ${port}. Start it in the foreground, so that it can be stopped." >&2
      agb_app_fail
    fi
    echo "The app ended with exit code $agb_app_code before it answered at $agb_app_path on port ${port}." >&2
    if [ "$agb_app_code" = 0 ]; then echo "If it goes on in the background, start it in the foreground." >&2; fi
    agb_app_fail
  fi
  case $agb_app_status in 2??)
    echo "The app answers at $agb_app_path on port ${port} (HTTP $agb_app_status)."
    exit 0 ;;
  esac
  if [ $(($(date +%s) - agb_app_started)) -ge ${startTimeoutSeconds} ]; then
    agb_app_found="it answered HTTP $agb_app_status"
    case $agb_app_status in
      '') agb_app_found="nothing answers there" ;;
      3??) agb_app_found="$agb_app_found, a redirect. Name a path that answers itself" ;;
    esac
    echo "The app did not answer at $agb_app_path on port ${port} within ${startTimeoutSeconds} seconds: $agb_app_found." >&2
    agb_app_stop_group "$agb_app_group"
    agb_app_fail
  fi
  agb_app_nap
done
`;
}

function folderOf(port: number): string {
  return `"\${HOME:-/tmp}/${appFolder(port)}"`;
}

// What tells a process apart from a later one with the same id: when it began, and when the system did that gave it the id.
const identityFunctions = `
agb_app_begun() {
  if [ -e "/proc/$1/stat" ]; then sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1"; fi 2>/dev/null
}
agb_app_life() { echo "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) $(agb_app_begun 1)"; }
`;

// The folder may outlive its session in a context, so the id of a group proves nothing. Its first process may have ended, with
// others of the group still running: then only the system is compared. The record stays: a stop of an older app must not
// remove that of a newer one.
const processFunctions = `${identityFunctions}
# Not every program called sleep knows parts of a second.
agb_app_nap() { sleep 0.2 2>/dev/null || sleep 1; }
agb_app_runs() { kill -s 0 -- "-$1" 2>/dev/null; }
agb_app_ends_within() {
  agb_app_asked=$(date +%s)
  while [ $(($(date +%s) - agb_app_asked)) -le "$2" ]; do
    if ! agb_app_runs "$1"; then return 0; fi
    agb_app_nap
  done
  return 1
}
agb_app_stop_group() {
  kill -s TERM -- "-$1" 2>/dev/null
  if agb_app_ends_within "$1" ${graceSeconds}; then return; fi
  kill -s KILL -- "-$1" 2>/dev/null
  agb_app_ends_within "$1" 1
}
agb_app_stop() {
  if [ ! -s process ]; then return; fi
  { read -r agb_app_group && IFS= read -r agb_app_known && IFS= read -r agb_app_begin; } < process || return
  case $agb_app_group in '' | *[!0-9]*) return ;; esac
  case $agb_app_known in '' | ' ') return ;; esac
  if [ "$(agb_app_life)" != "$agb_app_known" ]; then return; fi
  agb_app_now=$(agb_app_begun "$agb_app_group")
  if [ -n "$agb_app_now" ] && [ "$agb_app_now" != "$agb_app_begin" ]; then return; fi
  if agb_app_runs "$agb_app_group"; then agb_app_stop_group "$agb_app_group"; fi
}
`;

const pythonAsk = `import sys, urllib.request as u
class Stay(u.HTTPRedirectHandler):
  def redirect_request(*_): return None
try: print(u.build_opener(u.ProxyHandler({}), Stay).open(sys.argv[1], timeout=5).status)
except u.HTTPError as e: print(e.code)
except Exception: pass`;

const nodeAsk = `fetch(process.argv[1], { redirect: "manual", signal: AbortSignal.timeout(5000) }).then((r) => r.status, () => "")
  .then((s) => process.stdout.write(String(s), () => process.exit()))`;

// `agb_app_ask` prints the status of the app's answer, or nothing. No proxy is asked and no redirect followed: not all programs
// can be told to do so in the same way. Settings of the app's environment and of the home directory must not change the answer.
function askFunctions(port: number, healthPath: string): string {
  // Encoded here, because not all of the programs accept all characters.
  const { href } = new URL(healthPath, `http://127.0.0.1:${port}`);
  return `agb_app_url=${quoteForShell(href)}
agb_app_limit=
if timeout 6 sh -c : 2>/dev/null; then agb_app_limit='timeout 6'; fi
agb_app_directly() {
  (unset http_proxy HTTP_PROXY all_proxy ALL_PROXY NODE_OPTIONS; exec $agb_app_limit "$@" 2>/dev/null)
}
if command -v curl >/dev/null; then
  agb_app_ask() {
    agb_app_directly curl -q -g -s -o /dev/null -m 5 -w '%{http_code}' "$agb_app_url" | sed 's/^000$//'
  }
elif command -v python3 >/dev/null; then
  agb_app_ask() { agb_app_directly python3 -I -c ${quoteForShell(pythonAsk)} "$agb_app_url"; }
elif command -v node >/dev/null && (unset NODE_OPTIONS; node -e 'fetch' 2>/dev/null); then
  agb_app_ask() { agb_app_directly node -e ${quoteForShell(nodeAsk)} "$agb_app_url"; }
elif command -v wget >/dev/null && [ -n "$agb_app_limit" ]; then
  if wget --version >/dev/null 2>&1; then agb_app_once='--no-config --max-redirect=0 -t 1'; else agb_app_once=; fi
  agb_app_ask() {
    (exec 2>&1; unset http_proxy HTTP_PROXY; exec $agb_app_limit wget $agb_app_once -S -T 5 -O /dev/null "$agb_app_url") |
      sed -n 's/^ *HTTP\\/[0-9.]* \\([0-9][0-9][0-9]\\).*/\\1/p' | sed -n 1p
  }
else
  echo "The session has none of curl, python3, node, and wget with timeout, so nothing can ask the app whether it works." >&2
  exit 1
fi
`;
}
