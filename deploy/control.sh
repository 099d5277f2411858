#!/usr/bin/env bash
# Pauses, resumes or stops a job that runs.
set -euo pipefail
# shellcheck source=deploy/job_redis.sh
source "$(dirname "${BASH_SOURCE[0]}")/job_redis.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/control.sh pause|resume|stop [JOB] [--out DIR | --redis URL]

Pauses a job, lets it go on, or stops it, which deploy/crawl.sh --resume goes on with. Requests in
flight are finished, no others begin. Returns when the job has obeyed. Without JOB: the job that
runs in crawls/.

  --out DIR     the job's folder [crawls/JOB]
  --redis URL   the Redis that the job was given, if it has no private one

Environment: TRAWL_STOP_SECONDS, how long to wait for the job [30].
TEXT
}

choose_job() {
  if [[ -n $redis_url ]]; then
    require_answer
    if [[ -n $job ]]; then return; fi
    list_given_jobs
    if ((${#jobs[@]} > 1)); then usage_error "which job? There are: ${jobs[*]}"; fi
    job=${jobs[0]}
  else
    if [[ -z $job$out ]]; then
      list_running_folders
      if ((${#folders[@]} > 1)); then usage_error "which job? There are: ${folders[*]#crawls/}"; fi
      choose_folder
    fi
    open_folder
  fi
}

state() { ask HGET "trawl:{$job}:job" state; }

# A stopped job's private Redis ends soon after it.
has_obeyed() {
  local now
  now=$(state) || true
  case $1 in
    pause) [[ $now == paused ]] ;;
    run) [[ $now == running ]] ;;
    stop) [[ $now != running && $now != paused ]] ;;
  esac
}

# Refuses what a job in this state cannot do.
check_state() {
  case $(state) in
    running | paused) ;;
    '') fail 1 "there is no job $job in this Redis" ;;
    *) fail 1 "the job $job is not running: it is $(state)" ;;
  esac
}

obey() {
  local deadline=$((SECONDS + STOP_SECONDS))
  [[ $(ask SET "trawl:{$job}:control" "$1") == OK ]] || fail 1 "Redis does not take the word"
  until has_obeyed "$1"; do
    if ((SECONDS >= deadline)); then
      fail 1 "the job $job has not obeyed yet: is its coordinator running?"
    fi
    pause
  done
}

main() {
  local word
  case ${1:-} in
    --help | -h) usage && exit 0 ;;
    pause | stop) word=$1 ;;
    resume | run) word=run ;;
    *) usage_error "what is the job to do? Give pause, resume or stop first" ;;
  esac
  shift
  parse_arguments "$@"
  require_redis_cli
  choose_job
  check_state
  obey "$word"
  case $word in
    pause) say "$job is paused; go on with: deploy/control.sh resume $job" ;;
    run) say "$job runs" ;;
    stop) say "$job has stopped" ;;
  esac
}

main "$@"
