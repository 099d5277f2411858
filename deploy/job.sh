# shellcheck shell=bash
# A job on this machine: its flags, folder, Redis, coordinator and workers, and their end. Sourced,
# not run. It guarantees: whatever ends a script (a signal, a failure, the crawl's end), what it
# started is ended too, in an order in which no data is lost.
#
# A job's folder:
#   parts/              what the programs write; trawl-export makes the results of it
#   redis/              the private Redis's append-only file
#   logs/               standard error of Redis and of the workers
#   run/job             the job's name, from the moment that its coordinator listens
#   run/endpoint        where workers connect; this and the next two are there while it runs
#   run/pids            one "NAME PID" a line; of two with one name the later counts
#   run/redis.sock      the private Redis
#   run/lock            held by every process of the job
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=deploy/keep.sh
source "$(dirname "${BASH_SOURCE[0]}")/keep.sh"

GOODBYE_SECONDS=10
REDIS_START_SECONDS=60
DAY='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
STAMP="$DAY-[0-9][0-9][0-9][0-9][0-9][0-9]*"

# ---- Flags ----
# Sets the variables below from a command line. What only the coordinator knows goes, in its order,
# to coordinator_flags.

job='' out='' redis_url='' config='' resume=0 quiet=0 question=''
workers='' concurrency='' listen=''
coordinator_flags=()
worker_flags=()

parse_flags() {
  while (($# > 0)); do
    case $1 in
      --)
        coordinator_flags+=("$@")
        return
        ;;
      --@(job|out|redis|config|workers|concurrency|listen|ca-file|dns|log-level)=*)
        set_flag "${1%%=*}" "${1#*=}"
        ;;
      --@(job|out|redis|config|workers|concurrency|listen|ca-file|dns|log-level))
        if (($# < 2)) || [[ $2 == --* ]]; then usage_error "$1 needs a value"; fi
        set_flag "$1" "$2"
        shift
        ;;
      --resume) resume=1 ;;
      --quiet) quiet=1 ;;
      --help | -h) usage && exit 0 ;;
      --version | --print-job) question=$1 ;;
      --warc?(=*)) fail 2 "--warc is not supported yet" ;;
      --endpoint-file?(=*)) usage_error "--endpoint-file: it is run/endpoint in --out" ;;
      *) coordinator_flags+=("$1") ;;
    esac
    shift
  done
}

set_flag() {
  [[ -n $2 ]] || usage_error "$1 needs a value"
  case $1 in
    --job) job=$2 ;;
    --out) out=$2 ;;
    --redis) redis_url=$2 ;;
    --config) config=$2 ;;
    --workers) require_number "$1" "$2" 10000 && workers=$2 ;;
    --concurrency) require_number "$1" "$2" 100000 && concurrency=$2 ;;
    --listen) listen=$2 ;;
    --ca-file | --dns) worker_flags+=("$1" "$2") ;;
    --log-level)
      worker_flags+=("$1" "$2")
      coordinator_flags=("$1" "$2" "${coordinator_flags[@]}")
      ;;
  esac
}

# ---- The job and its folder ----

# Checks the flags, and sets job, out and redis_url: a flag beats the file, the file the default.
name_job() {
  local checked named given_job=$job
  local check=("$BIN/trawl-coordinator" "${question:---print-job}")
  if [[ -n $job ]]; then check+=(--job "$job"); fi
  if [[ -n $config ]]; then check+=(--config "$config"); fi
  if [[ -n $question ]]; then exec "${check[@]}" "${coordinator_flags[@]}"; fi
  checked=$("${check[@]}" "${coordinator_flags[@]}") || exit $?

  if [[ -n $config ]]; then
    given_job=${given_job:-$(config_value job)}
    out=${out:-$(config_value out)}
    redis_url=${redis_url:-$(config_value redis)}
    if [[ $(config_value resume) == true ]]; then resume=1; fi
  fi
  job=$checked
  if ((resume)); then
    named=$(resumed_folder "$given_job") || exit $?
    out=$named
    job=$(<"$out/run/job")
    if [[ -n $given_job && $given_job != "$job" ]]; then
      fail 2 "--job: $out holds the job $job, not $given_job"
    fi
  elif [[ -z $out ]]; then
    out=$(new_folder "$given_job") || exit $?
    job=${out##*/}
  fi
  out=$(realpath -m -- "$out")
}

config_value() {
  python3 - "$config" "$1" <<'PYTHON'
import sys, tomllib
with open(sys.argv[1], "rb") as file:
    value = tomllib.load(file).get(sys.argv[2], "")
print(str(value).lower() if isinstance(value, bool) else value)
PYTHON
}

# Prints the folder to go on with: --out, that of --job, or the newest of the first seed's host.
resumed_folder() {
  local given_job=$1 folder host
  if [[ -n $out ]]; then
    folder=$out
  elif [[ -n $given_job ]]; then
    folder=crawls/$given_job
  else
    host=$(job_prefix "$job")
    folder=$(newest_folder "$host-$STAMP")
    [[ -n $folder ]] ||
      fail 2 "--resume: no job of $host in $PWD/crawls; name its folder with --out"
  fi
  [[ -s $folder/run/job ]] || fail 2 "--resume: $folder holds no job; start it without --resume"
  printf '%s\n' "$folder"
}

# The name that the coordinator makes ends with the date and the time, which are cut off here.
job_prefix() {
  if [[ $1 =~ ^(.*)-[0-9]{8}-[0-9]{6}$ ]]; then
    printf '%s\n' "${BASH_REMATCH[1]}"
  else
    printf '%s\n' "$1"
  fi
}

# Makes crawls/JOB. Two crawls of a host that start in the same second get different names.
new_folder() {
  local given_job=$1 name=$job count=1
  if ! make_writable crawls; then
    fail 1 "cannot write to $PWD/crawls: name another folder with --out"
  fi
  until mkdir "crawls/$name" 2>/dev/null; do
    if [[ -n $given_job ]]; then break; fi
    count=$((count + 1))
    name=$job-$count
  done
  printf 'crawls/%s\n' "$name"
}

IN_USE="holds a job's data already: choose another --out, or add --resume to go on"

# A folder with results is not mixed with another job's.
refuse_used_folder() {
  local file
  if ((resume)); then return; fi
  for file in run/job redis pages.jsonl redirects.jsonl errors.jsonl; do
    if [[ -e $out/$file ]]; then fail 2 "$out $IN_USE"; fi
  done
  if [[ -n $(ls -A -- "$out/parts" 2>/dev/null) ]]; then fail 2 "$out $IN_USE"; fi
}

folder_is_new=0
lock_fd=''

# Makes the folder and takes its lock, which the job's processes inherit: the folder is in use until
# the last of them has ended, even if the script is killed.
claim_folder() {
  refuse_used_folder
  if [[ ! -e $out ]] || [[ -z $(ls -A -- "$out") ]]; then folder_is_new=1; fi
  if ! make_writable "$out" "$out/parts" "$out/logs" "$out/run"; then
    fail 1 "cannot write to $out: choose another --out"
  fi
  lock_folder
  refuse_used_folder
  printf 'script %d\n' "$$" >"$out/run/pids"
}

lock_folder() {
  local fd wait_seconds=0
  exec {fd}>"$out/run/lock"
  # The processes of a script that was killed are ending.
  if [[ -s $out/run/pids ]] && ! alive "$(sed -n 's/^script //p' "$out/run/pids")"; then
    wait_seconds=$STOP_SECONDS
  fi
  flock --wait "$wait_seconds" "$fd" || fail 1 "$out is in use by a crawl that is running"
  lock_fd=$fd
}

# ---- The private Redis ----

redis_pid='' short_folder=''

# Starts it and sets redis_url, unless --redis named one. The path of a Unix socket has at most 107
# bytes: the server takes a relative one, the coordinator one through a link in a short folder.
start_redis() {
  if [[ -n $redis_url ]]; then return; fi
  mkdir -p -- "$out/redis"
  short_folder=$(mktemp -d "$(short_tmp)/trawl.XXXXXX")
  ln -s -- "$out/run" "$short_folder/run"
  redis_url=unix://$short_folder/run/redis.sock
  launch_redis
  await_redis
}

launch_redis() {
  spawn redis-server --port 0 --dir "$out/redis" --unixsocket ../run/redis.sock --unixsocketperm 700 \
    --appendonly yes --save '' --set-max-intset-entries 1024 >>"$out/logs/redis.log" 2>&1
  redis_pid=$!
  note_pid redis "$redis_pid"
}

# TMPDIR, unless a socket's path or a URL cannot have it.
short_tmp() {
  if [[ ${TMPDIR:-} =~ ^/[A-Za-z0-9._/-]{1,60}$ ]]; then printf '%s\n' "$TMPDIR"; else echo /tmp; fi
}

await_redis() {
  local answer deadline=$((SECONDS + REDIS_START_SECONDS))
  until answer=$(private_redis "$out" ping) && [[ $answer == PONG ]]; do
    if ! alive "$redis_pid"; then
      redis_pid=''
      fail 1 "Redis did not start: $(last_line "$out/logs/redis.log")"
    fi
    # A big job takes its time to be read from the disk.
    if [[ $answer == LOADING* ]]; then deadline=$((SECONDS + REDIS_START_SECONDS)); fi
    if ((SECONDS >= deadline)); then fail 1 "Redis does not answer: see $out/logs/redis.log"; fi
    pause
  done
}

# ---- The coordinator and the workers ----

coordinator_pid='' coordinator_code='' endpoint=''

# Not even a full disk ends a script: the file is for people.
note_pid() { printf '%s %d\n' "$1" "$2" >>"$out/run/pids" || true; }

# Starts it and waits until workers can connect. Ends the script with the coordinator's exit code
# when it does not come so far.
start_coordinator() {
  rm -f -- "$out/run/endpoint"
  launch_coordinator "$resume"
  until [[ -s $out/run/endpoint ]]; do
    if ! alive "$coordinator_pid"; then
      reap_coordinator
      if ((coordinator_code != 0)); then exit "$(crawl_code)"; fi
      break
    fi
    pause
  done
  # One that is started again listens where the workers look for it.
  listen=$(cat -- "$out/run/endpoint" 2>/dev/null || true)
  # Every local address is no address to connect to.
  endpoint=${listen/0.0.0.0/127.0.0.1}
  printf '%s\n' "$job" >"$out/run/job"
}

launch_coordinator() {
  local resume=$1
  local flags=(--job "$job" --out "$out" --redis "$redis_url" --endpoint-file "$out/run/endpoint")
  if [[ -n $listen ]]; then flags+=(--listen "$listen"); fi
  if ((resume)); then flags+=(--resume); fi
  if ((quiet)); then flags+=(--quiet); fi
  if [[ -n $config ]]; then flags+=(--config "$config"); fi
  spawn "$BIN/trawl-coordinator" "${flags[@]}" "${coordinator_flags[@]}"
  coordinator_pid=$!
  coordinator_code=''
  note_pid coordinator "$coordinator_pid"
}

reap_coordinator() {
  coordinator_code=0
  wait "$coordinator_pid" 2>/dev/null || coordinator_code=$?
  coordinator_pid=''
}

# The crawl's exit code is the coordinator's, but for one that a signal has ended.
crawl_code() {
  if ((coordinator_code > 128)); then printf '1\n'; else printf '%d\n' "$coordinator_code"; fi
}

worker_command=()

start_workers() {
  local number
  worker_command=("$BIN/trawl-worker" --coordinator "$endpoint" --out "$out" "${worker_flags[@]}")
  if [[ -n $concurrency ]]; then worker_command+=(--concurrency "$concurrency"); fi
  if [[ -n $config ]]; then worker_command+=(--config "$config"); fi
  for ((number = 1; number <= workers; number++)); do launch_worker "$number"; done
}

launch_worker() {
  local number=$1
  spawn "${worker_command[@]}" >>"$out/logs/worker-$number.log" 2>&1
  worker_pids[$number]=$!
  note_pid "worker-$number" "$!"
}

# ---- The end ----

# Ends what runs: the coordinator sends its workers home and has all they report stored; Redis is
# last, and writes all it has to the disk.
stop_job() {
  stopping=1
  end_step TERM
  stop_coordinator
  stop_workers
  if [[ -n $redis_pid ]]; then end_within 60 "$redis_pid"; fi
  tidy_folder
}

stop_coordinator() {
  if [[ -z $coordinator_pid ]]; then return; fi
  # Once only: at a second signal it does not drain any longer.
  send TERM "$coordinator_pid"
  if ! ended_within 2 "$coordinator_pid"; then
    say "waiting up to $STOP_SECONDS s for requests in flight (Ctrl-C: not any longer)"
    ended_within "$STOP_SECONDS" "$coordinator_pid" || send KILL "$coordinator_pid"
  fi
  reap_coordinator
}

stop_workers() {
  if ((${#worker_pids[@]} == 0)); then return; fi
  # The coordinator has sent them home, but for one that had not even come.
  if [[ $coordinator_code == 0 ]] && ended_within 3 "${worker_pids[@]}"; then return; fi
  end_within "$GOODBYE_SECONDS" "${worker_pids[@]}"
}

# At the second signal.
end_at_once() {
  send KILL ${coordinator_pid:+"$coordinator_pid"} "${worker_pids[@]}"
  if [[ -n $redis_pid ]]; then end_within 5 "$redis_pid"; fi
  tidy_folder
}

tidy_folder() {
  if [[ -n $short_folder ]]; then rm -rf -- "$short_folder"; fi
  if [[ -z $lock_fd ]]; then return; fi
  rm -f -- "$out/run/pids" "$out/run/endpoint" "$out/run/redis.sock"
  if ((folder_is_new)) && [[ ! -e $out/run/job ]]; then discard_folder; fi
}

# The coordinator has not come so far as to begin: the same command is to work once more. Logs stay
# if it was Redis that failed.
discard_folder() {
  if [[ -n $coordinator_code ]]; then rm -f -- "$out/logs/redis.log"; fi
  rm -rf -- "$out/redis" "$out/run"
  find "$out/parts" -type f -empty -delete
  rmdir --ignore-fail-on-non-empty -- "$out/parts" "$out/logs" "$out"
}

# Whether the job waits to be gone on with.
is_resumable() { [[ -n $lock_fd && -s $out/run/job ]]; }

# Prints the command that goes on with the job.
resume_command() {
  local named=$1 command=("$0")
  shift
  if ((!resume)); then command+=(--resume); fi
  if [[ -z $named ]]; then command+=(--out "$out"); fi
  printf '%q' "${command[0]}"
  printf ' %q' "${command[@]:1}" "$@"
}
