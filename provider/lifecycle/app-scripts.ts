/**
 * The shell scripts for the app of a preview environment in its session: they start it, stop it, and ask it whether it works.
 * They rely on `sh`, the usual small programs, and one of curl, python3, node, and wget with timeout.
 *
 * A session has one app, with a folder in the home directory, see `appFolder`. In it:
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

/** Follows the status of an answer that is a redirect. */
export const redirectAdvice = ", a redirect. Name a path that answers itself";

/** The folder of the app, below the home directory. */
export const appFolder = ".pulumi-agb-app";

const folder = `"\${HOME:-/tmp}/${appFolder}"`;

// What tells a process apart from a later one with the same id: when it began, and when the system did that gave it the id.
const identityFunctions = `
agb_app_begun() {
  if [ -e "/proc/$1/stat" ]; then LC_ALL=C sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1"; fi 2>/dev/null
}
agb_app_life() { echo "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) $(agb_app_begun 1)"; }
`;

// The folder may outlive its session in a context, so the id of a group proves nothing. Its first process may have ended, with
// others of the group still running: then only the system is compared. The record stays: a stop of an older app must not
// remove that of a newer one.
const processFunctions = `${identityFunctions}
# Not every program called sleep knows parts of a second.
agb_app_nap() { sleep 0.2 2>/dev/null || sleep 1; }
# The time of day may jump.
agb_app_seconds() { if [ -r /proc/uptime ]; then cut -d . -f 1 /proc/uptime; else date +%s; fi; }
# A process of another user gets no signal, and a group exists a moment after its first process.
agb_app_runs() { kill -s 0 -- "-$1" 2>/dev/null || kill -s 0 "$1" 2>/dev/null || [ -e "/proc/$1" ]; }
agb_app_ends_within() {
  agb_app_asked=$(agb_app_seconds)
  while [ $(($(agb_app_seconds) - agb_app_asked)) -le "$2" ]; do
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

/** Stops the app. Succeeds when it does not run. */
export const stopAppScript = `cd ${folder} 2>/dev/null || exit 0
${processFunctions}
agb_app_stop
exit 0
`;

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
 * Stops the app, whatever its port was, starts it in a process group of its own, and waits until it answers with a status from
 * 200 to 299. Redirects are not followed. Fails, and stops the app, when it ends or does not answer in time. Standard error then
 * has the end of its log.
 */
export function startAppScript({ command, port, healthPath, startTimeoutSeconds }: AppStart): string {
  // The command comes through a file that is gone when it runs, so no list of processes shows it.
  const leader = `${identityFunctions}
{ echo "$$"; agb_app_life; agb_app_begun "$$"; } > "$1/process" || exit
set --
eval "$(cat <&9 || echo exit 125)" 9<&-`;
  return `agb_app_home=$(pwd)
mkdir -p ${folder} && cd ${folder} || exit 1
agb_app_folder=$(pwd)
agb_app_path=${quoteForShell(healthPath)}
${askFunctions(port, healthPath)}
${processFunctions}
agb_app_stop
agb_app_status=$(agb_app_ask)
if [ -n "$agb_app_status" ]; then
  echo "Port ${port} is in use: another program answers there (HTTP $agb_app_status). The app was not started." >&2
  echo "Stop that program, or use another port. If it is an earlier start of the app that went on in the background, end it" >&2
  echo "with \`pulumi-agb sessions exec\`, or release the session." >&2
  echo "All sessions of a local emulator share the ports of its computer." >&2
  exit 1
fi
agb_app_leader=${quoteForShell(leader)}
(umask 077; printf %s ${quoteForShell(command)} > command) && exec 9< command || { rm -f command; exit 1; }
rm -f command
cd "$agb_app_home" || exit 1
export PORT=${port}
setsid sh -c "$agb_app_leader" sh "$agb_app_folder" </dev/null >"$agb_app_folder/log" 2>&1 &
agb_app_group=$!
exec 9<&-
# The reason comes last, because an error shows only the end of what was written.
agb_app_fail() {
  echo "The end of the app's log ($agb_app_folder/log):" >&2
  # The first line is left out, because a line that is cut could hold a part of a secret, which nobody would recognize.
  { echo; cat "$agb_app_folder/log"; } | tail -c ${shownLogBytes} | sed 1d | tail -n ${shownLogLines} >&2
  echo >&2
  echo "$1" >&2
  exit 1
}
agb_app_started=$(agb_app_seconds)
while :; do
  agb_app_status=$(agb_app_ask)
  if ! agb_app_runs "$agb_app_group"; then
    wait "$agb_app_group"
    agb_app_code=$?
    if [ -n "$(agb_app_ask)" ]; then
      agb_app_fail "The app went on in the background on port ${port}, so it cannot be stopped. Start it in the foreground.\
 End this one in the session, or release the session."
    fi
    agb_app_hint=
    if [ "$agb_app_code" = 0 ]; then agb_app_hint=" If it goes on in the background, start it in the foreground."; fi
    agb_app_fail "The app ended with exit code $agb_app_code before it answered at $agb_app_path on port ${port}.$agb_app_hint"
  fi
  case $agb_app_status in 2??)
    echo "The app answers at $agb_app_path on port ${port} (HTTP $agb_app_status)."
    exit 0 ;;
  esac
  if [ $(($(agb_app_seconds) - agb_app_started)) -ge ${startTimeoutSeconds} ]; then
    agb_app_found="it answered HTTP $agb_app_status"
    case $agb_app_status in
      '') agb_app_found="nothing answers there" ;;
      3??) agb_app_found="$agb_app_found${redirectAdvice}" ;;
    esac
    agb_app_stop_group "$agb_app_group"
    agb_app_fail "The app did not answer at $agb_app_path on port ${port} within ${startTimeoutSeconds} seconds: $agb_app_found."
  fi
  agb_app_nap
done
`;
}

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
elif python3 -I -c 'import urllib.request' 2>/dev/null; then
  agb_app_ask() { agb_app_directly python3 -I -c ${quoteForShell(pythonAsk)} "$agb_app_url"; }
elif (unset NODE_OPTIONS; node -e 'fetch' 2>/dev/null); then
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
