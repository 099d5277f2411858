#!/usr/bin/env bash
# Runs worker processes for a coordinator, here or on another machine.
set -euo pipefail
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/workers.sh N --coordinator tcp://HOST:PORT [--out DIR] [flags]

Runs N worker processes until the coordinator sends them home, and starts again those that die. The
other flags are those of
`trawl-worker --help`, as --concurrency N and --dns SERVERS. Their rows go to DIR/parts.

  --out DIR             folder of the rows; the job's own on the coordinator's machine
                        [crawls/JOB]

Ctrl-C drains the workers and stops.

Environment: TRAWL_BIN, TRAWL_STOP_SECONDS and TRAWL_RESTARTS, as in deploy/crawl.sh.
TEXT
}

count=''
coordinator=''
out=''
flags=()
failed=0

parse_worker_flags() {
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --name?(=*)) usage_error "--name: each worker needs one of its own, which it makes itself" ;;
      --coordinator=* | --out=*) set_worker_flag "${1%%=*}" "${1#*=}" ;;
      --coordinator | --out)
        if (($# < 2)); then usage_error "$1 needs a value"; fi
        set_worker_flag "$1" "$2"
        shift
        ;;
      -*)
        flags+=("$1")
        # A flag's value must not be taken for N.
        if [[ $1 != *=* && -n ${2:-} && $2 != -* ]]; then
          flags+=("$2")
          shift
        fi
        ;;
      *)
        if [[ -n $count ]]; then usage_error "one number of workers is enough: '$1'"; fi
        require_number N "$1" 10000
        count=$1
        ;;
    esac
    shift
  done
  [[ -n $count ]] || usage_error "how many workers? Give a number first"
  [[ $coordinator =~ ^tcp://.+:[0-9]+$ ]] ||
    usage_error "--coordinator tcp://HOST:PORT is needed, as the coordinator printed it"
}

set_worker_flag() {
  case $1 in
    --coordinator) coordinator=$2 ;;
    --out) out=$2 && flags+=(--out "$2") ;;
  esac
}

start() {
  local number
  for ((number = 1; number <= count; number++)); do launch "$number"; done
}

launch() {
  spawn "$BIN/trawl-worker" --coordinator "$coordinator" "${flags[@]}"
  worker_pids[$1]=$!
}

watch() {
  while ((${#worker_pids[@]} > 0)); do
    for_ended_workers note_ended_worker
    pause
  done
}

note_ended_worker() {
  local number=$1 code=$2
  # Bad usage: the others have the same flags.
  if ((code == 2)); then exit 2; fi
  if ((code == 0)); then return; fi
  if may_restart "worker $number"; then
    say "worker $number $(describe_end "$code"); started again"
    launch "$number"
  else
    failed=1
    say "worker $number $(describe_end "$code"); too often to be started again; ${#worker_pids[@]} go on"
  fi
}

end_at_once() { send KILL "${worker_pids[@]}"; }

finish() {
  local code=$?
  set +e
  stopping=1
  end_step TERM
  end_within "$STOP_SECONDS" "${worker_pids[@]}"
  # Workers that were asked to stop and have done so are a success, as the program's own end is.
  if ((signal_code != 0 && !failed)); then code=0; fi
  exit "$code"
}

main() {
  parse_worker_flags "$@"
  trap finish EXIT
  catch_signals
  find_programs
  if [[ -n $out ]] && ! make_writable "$out" "$out/parts"; then
    fail 1 "cannot write to $out: choose another --out"
  fi
  start
  watch
  return "$failed"
}

main "$@"
