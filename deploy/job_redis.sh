# shellcheck shell=bash
# Which job a script is to look into or to steer, and the Redis that holds it. Sourced, not run; the
# script defines usage.
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

job='' out='' redis_url=''

# [JOB] [--out DIR | --redis URL]
parse_arguments() {
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --out=*) out=${1#*=} ;;
      --redis=*) redis_url=${1#*=} ;;
      --out | --redis)
        if (($# < 2)); then usage_error "$1 needs a value"; fi
        if [[ $1 == --out ]]; then out=$2; else redis_url=$2; fi
        shift
        ;;
      -*) usage_error "unknown flag '$1'" ;;
      *)
        if [[ -n $job ]]; then usage_error "one job is enough: '$1'"; fi
        job=$1
        ;;
    esac
    shift
  done
  if [[ -n $out && -n $redis_url ]]; then usage_error "--out and --redis: give one of them"; fi
}

require_redis_cli() {
  command -v redis-cli >/dev/null || fail 1 "there is no redis-cli: run deploy/install-packages.sh"
}

# Runs redis-cli on the Redis of --redis, or on the private one of the folder.
ask() {
  case $redis_url in
    '') private_redis "$out" "$@" ;;
    unix://*) redis-cli -s "${redis_url#unix://}" "$@" 2>/dev/null ;;
    *) redis-cli -u "$redis_url" --no-auth-warning "$@" 2>/dev/null ;;
  esac
}

answers() { [[ $(ask ping) == PONG ]]; }

# Of --redis.
require_answer() {
  answers || fail 1 "the Redis of --redis does not answer: is it running?"
}

# Sets jobs to the names of all jobs in the Redis of --redis; there is at least one.
list_given_jobs() {
  mapfile -t jobs < <(ask SMEMBERS trawl:jobs | sort)
  if ((${#jobs[@]} == 0)); then fail 1 "there is no job in this Redis"; fi
}

# Sets folders to those in crawls/ whose Redis runs, and out to each of them meanwhile.
list_running_folders() {
  local socket
  folders=()
  while read -r socket; do
    out=${socket%/run/redis.sock}
    if answers; then folders+=("$out"); fi
  done < <(compgen -G 'crawls/*/run/redis.sock')
}

# Sets out to the one folder that runs, or to the newest.
choose_folder() {
  out=${folders[0]:-$(newest_folder '*')}
  [[ -n $out ]] || fail 1 "there is no job in $PWD/crawls: name its folder with --out"
}

# Sets job to that of --out, or out to that of the job, whose Redis runs.
open_folder() {
  local name
  out=${out:-crawls/$job}
  [[ -s $out/run/job ]] || fail 1 "$out holds no job"
  name=$(<"$out/run/job")
  if [[ -n $job && $job != "$name" ]]; then fail 2 "$out holds the job $name, not $job"; fi
  job=$name
  if answers; then return; fi
  if [[ ! -d $out/redis ]]; then
    fail 1 "the job $name has no private Redis: name the one it was given with --redis URL"
  elif [[ -s $out/run/pids ]] && alive "$(sed -n 's/^script //p' "$out/run/pids")"; then
    fail 1 "the Redis of the job $name does not answer; its crawl waits for it"
  fi
  fail 1 "the job $name is not running; go on with: deploy/crawl.sh URL... --resume --out $out"
}
