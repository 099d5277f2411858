# shellcheck shell=bash disable=SC2154
# Keeps a job alive: starts again what dies of it, as job.sh has started it. Sourced by job.sh, whose
# variables it uses; not run.

# Waits for the coordinator's own end, and starts again what dies before. Ends the script when
# something dies too often.
watch_job() {
  while true; do
    if [[ -n $redis_pid ]]; then keep_redis; fi
    keep_coordinator
    if [[ -z $coordinator_pid ]] && ((!coordinator_due)); then return; fi
    if ((workers > 0)); then keep_workers; fi
    pause
  done
}

# Coordinator and workers wait for it.
keep_redis() {
  local code=0
  if alive "$redis_pid"; then return; fi
  wait "$redis_pid" 2>/dev/null || code=$?
  redis_pid=''
  restart_or_fail redis "Redis $(describe_end "$code" "$out/logs/redis.log")"
  launch_redis
}

# Says that a part has ended and is started again; ends the script when that was too often.
restart_or_fail() {
  local part=$1 words=$2
  may_restart "$part" || fail 1 "$words; too often to be started again"
  say "$words; started again"
}

coordinator_due=0 # It died, and is started again as soon as Redis is there.

# One that ends by itself has said why.
keep_coordinator() {
  if [[ -n $coordinator_pid ]] && ! alive "$coordinator_pid"; then
    reap_coordinator
    if ((coordinator_code <= 128)); then return; fi
    restart_or_fail coordinator "the coordinator $(describe_end "$coordinator_code")"
    coordinator_due=1
  fi
  if ((coordinator_due)) && redis_answers; then
    coordinator_due=0
    launch_coordinator 1
  fi
}

redis_answers() {
  [[ -z $redis_pid ]] || [[ $(private_redis "$out" ping) == PONG ]]
}

goodbye_deadline=''

# The coordinator sends all workers home together, just before it ends.
keep_workers() {
  for_ended_workers keep_worker
  if ((${#worker_pids[@]} > 0)); then goodbye_deadline=''; fi
  if [[ -n $goodbye_deadline ]] && ((SECONDS >= goodbye_deadline)); then
    fail 1 "no worker is left: all have ended before the crawl did"
  fi
}

keep_worker() {
  local number=$1 code=$2 words
  words="worker $number $(describe_end "$code" "$out/logs/worker-$number.log")"
  if ((code == 0)); then
    goodbye_deadline=$((SECONDS + GOODBYE_SECONDS))
  elif ((code == 2)); then
    fail 2 "$words" # Bad usage: the others have the same flags.
  elif may_restart "worker $number"; then
    say "$words; started again"
    launch_worker "$number"
  elif ((${#worker_pids[@]} > 0)); then
    say "$words; too often to be started again; the others go on"
  else
    fail 1 "no worker is left; $words"
  fi
}
