#!/usr/bin/env bash
# Runs a coordinator, for workers that are started one by one, here or on other machines.
set -euo pipefail
# shellcheck source=deploy/job.sh
source "$(dirname "${BASH_SOURCE[0]}")/job.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/coordinator.sh URL... [flags]

Runs trawl-coordinator with a private Redis, or with that of --redis. Takes the flags of
deploy/crawl.sh but for the workers' ones, and those of `trawl-coordinator --help`, among them:

  --listen ENDPOINT     where workers connect [tcp://127.0.0.1:*]; for workers on other machines an
                        address of this one, as in tcp://10.0.0.5:7000

Start workers with deploy/workers.sh. Ctrl-C drains them and stops; --resume goes on.

Environment: TRAWL_BIN, TRAWL_STOP_SECONDS and TRAWL_RESTARTS, as in deploy/crawl.sh.
TEXT
}

finish() {
  local code=$?
  set +e
  stop_job
  # A coordinator that was asked to stop and has done so is a success, as the program's own is.
  if ((signal_code != 0)) && [[ $coordinator_code == 0 ]]; then code=0; fi
  if [[ $coordinator_code == 0 ]] && is_resumable; then
    say "with all workers' part files in $out/parts, make the results: $BIN/trawl-export $out"
  fi
  exit "$code"
}

main() {
  if (($# == 0)); then usage_error "no URL given: name at least one to begin with"; fi
  parse_flags "$@"
  if [[ -n $workers$concurrency ]]; then
    usage_error "--workers and --concurrency belong to deploy/workers.sh"
  fi
  workers=0

  trap finish EXIT
  catch_signals
  find_programs
  name_job
  claim_folder
  start_redis
  start_coordinator
  if [[ -n $coordinator_pid ]]; then
    say "add workers with: deploy/workers.sh N --coordinator $endpoint"
    watch_job
  fi
  return "$(crawl_code)"
}

main "$@"
