# shellcheck shell=bash
# What all scripts share: words to people, signals, processes, the programs. Sourced, not run.
shopt -s extglob

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SELF=${0##*/}
PROGRAMS=(trawl-coordinator trawl-worker trawl-export)
STOP_SECONDS=${TRAWL_STOP_SECONDS:-30}
RESTARTS=${TRAWL_RESTARTS:-10}

# ---- Telling people ----

say() { printf '%s: %s\n' "$SELF" "$*" >&2; }

fail() {
  local code=$1
  shift
  say "$*"
  exit "$code"
}

usage_error() { fail 2 "$* (see --help)"; }

last_line() { tail -n 1 -- "$1" 2>/dev/null || true; }

# How a process ended, for people: its exit code or signal, and the last line of its log if any.
describe_end() {
  local code=$1 words
  words=$(last_line "${2:-/dev/null}")
  if ((code > 128)); then
    printf 'was ended by signal %d%s' "$((code - 128))" "${words:+: $words}"
  else
    printf 'ended with code %d%s' "$code" "${words:+: $words}"
  fi
}

require_number() {
  local flag=$1 value=$2 most=$3
  if [[ ! $value =~ ^[1-9][0-9]{0,5}$ ]] || ((value > most)); then
    usage_error "$flag: a whole number from 1 to $most is needed, not '$value'"
  fi
}

if [[ ! $STOP_SECONDS =~ ^[0-9]{1,6}$ ]]; then
  fail 2 "TRAWL_STOP_SECONDS: a number of seconds is needed, not '$STOP_SECONDS'"
fi

if [[ ! $RESTARTS =~ ^[0-9]{1,6}$ ]]; then
  fail 2 "TRAWL_RESTARTS: a number is needed, not '$RESTARTS'"
fi

# ---- Signals ----
# The first one is noticed at the next pause, which ends the script and so runs its EXIT trap. While
# that stops the processes one after the other, a second signal ends them at once: end_at_once is
# what the script has to define for it.

signal_code=0
stopping=0

catch_signals() {
  trap 'on_signal 130' INT
  trap 'on_signal 143' TERM
  trap 'on_signal 129' HUP
  trap 'on_signal 141' PIPE
}

on_signal() {
  if ((signal_code == 0)); then
    signal_code=$1
    return 0 # Otherwise it would be the status of the command that was interrupted.
  fi
  trap '' INT TERM HUP PIPE
  trap - EXIT
  set +e
  stopping=1
  end_step KILL
  end_at_once
  exit "$signal_code"
}

leave_if_signalled() {
  if ((signal_code != 0 && !stopping)); then exit "$signal_code"; fi
}

# In a session of its own, the sleep does not end by a signal to the group, which the shell would
# report. (A timed read would need no process, but bash's does not go together with traps.)
pause() {
  # The shell would also tell, in its own words, of a process that was killed meanwhile.
  { setsid sleep 0.1 || true; } 2>/dev/null
  leave_if_signalled
}

# ---- Processes ----

# Starts a program in a session of its own, so that a terminal's Ctrl-C reaches only the script,
# which then stops each process in its order. The kernel sends SIGTERM should the script be killed.
spawn() { setsid setpriv --pdeathsig TERM -- "$@" & }

# A zombie is not alive: inside a trap the shell does not take notice of a child's end.
alive() {
  local stat
  [[ -n $1 ]] && read -r stat 2>/dev/null <"/proc/$1/stat" && [[ $stat != *') Z '* ]]
}

# Whether all of the processes end within so many seconds.
ended_within() {
  local deadline=$((SECONDS + $1)) pid
  shift
  for pid in "$@"; do
    while alive "$pid"; do
      if ((SECONDS >= deadline)); then return 1; fi
      pause
    done
  done
}

send() {
  local signal=$1
  shift
  if (($# > 0)); then kill -s "$signal" -- "$@" 2>/dev/null || true; fi
}

# Ends processes: SIGTERM, and SIGKILL for those that are still there after so many seconds.
end_within() {
  local seconds=$1
  shift
  send TERM "$@"
  ended_within "$seconds" "$@" || send KILL "$@"
  ended_within 5 "$@" || true
}

# ---- Starting again what died ----

declare -A restarted=() # part -> when it was started again within the last minute, in seconds

# Whether a part that died may be started again: it was not RESTARTS times within a minute. Counts
# this time.
may_restart() {
  local part=$1 time recent=()
  for time in ${restarted[$part]:-}; do
    if ((time > SECONDS - 60)); then recent+=("$time"); fi
  done
  if ((${#recent[@]} >= RESTARTS)); then return 1; fi
  restarted[$part]="${recent[*]} $SECONDS"
}

declare -A worker_pids=() # number -> pid of those that run

# Calls `then NUMBER CODE` for each worker that has ended since it was last asked.
for_ended_workers() {
  local then=$1 number code
  for number in "${!worker_pids[@]}"; do
    if alive "${worker_pids[$number]}"; then continue; fi
    code=0
    wait "${worker_pids[$number]}" 2>/dev/null || code=$?
    unset "worker_pids[$number]"
    "$then" "$number" "$code"
  done
}

# ---- The programs ----

step_pid=

# Runs a long step so that a signal to the script ends it with all its children.
run_step() {
  local code=0
  spawn "$@"
  step_pid=$!
  wait "$step_pid" || code=$?
  leave_if_signalled
  step_pid=
  return "$code"
}

end_step() {
  if [[ -n $step_pid ]]; then send "$1" "-$step_pid"; fi
}

# Sets BIN to the folder of the programs, after installing and building what is missing.
find_programs() {
  local program
  if [[ -n ${TRAWL_BIN:-} ]]; then
    BIN=$TRAWL_BIN
  else
    BIN=$TOP/build/bin
    "$TOP/deploy/install-packages.sh"
    build
  fi
  for program in "${PROGRAMS[@]}"; do
    [[ -x $BIN/$program ]] || fail 1 "no $program in $BIN: set TRAWL_BIN to a build, or unset it"
  done
}

build() {
  local build=$TOP/build log=$TOP/build/build.log lock
  mkdir -p "$build"
  exec {lock}>"$build/.lock"
  flock "$lock"
  if ! is_built "$build"; then
    say "building (the first time takes some minutes)"
    build_targets "$build" >"$log" 2>&1 || {
      tail -n 40 -- "$log" >&2
      fail 1 "the build failed; all of its output is in $log"
    }
  fi
  exec {lock}>&-
}

is_built() {
  [[ -f $1/build.ninja && $(ninja -C "$1" -n "${PROGRAMS[@]}" 2>&1) == *'no work to do'* ]]
}

build_targets() {
  if [[ ! -f $1/build.ninja ]]; then run_step cmake -S "$TOP" --preset release || return; fi
  run_step cmake --build "$1" --parallel "$(nproc)" --target "${PROGRAMS[@]}"
}

# ---- Folders ----

make_writable() {
  local folder
  for folder in "$@"; do
    if ! mkdir -p -- "$folder" 2>/dev/null || [[ ! -w $folder ]]; then return 1; fi
  done
}

# Prints the folder in crawls/ whose name matches and whose job was started last, or nothing.
newest_folder() {
  local file newest=''
  while read -r file; do
    if [[ -z $newest || $file -nt $newest ]]; then newest=$file; fi
  done < <(compgen -G "crawls/$1/run/job")
  printf '%s\n' "${newest%/run/job}"
}

# Runs redis-cli on the private Redis of a job's folder.
private_redis() (cd -- "$1/run" && shift && timeout 10 redis-cli -s redis.sock "$@" 2>/dev/null)
