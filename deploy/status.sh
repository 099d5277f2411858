#!/usr/bin/env bash
# Shows a job as its Redis knows it.
set -euo pipefail
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/status.sh [JOB] [--out DIR | --redis URL]

Shows a job: its state, counters, rounds and workers. Without JOB: the job that runs in crawls/, a
list if several do, or what became of the newest.

  --out DIR     the job's folder [crawls/JOB]
  --redis URL   the Redis that the job was given, if it has no private one
TEXT
}

job='' out='' redis_url=''

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

# Runs redis-cli on the Redis of --redis, or on the private one of the folder.
ask() {
  case $redis_url in
    '') private_redis "$out" "$@" ;;
    unix://*) redis-cli -s "${redis_url#unix://}" "$@" 2>/dev/null ;;
    *) redis-cli -u "$redis_url" --no-auth-warning "$@" 2>/dev/null ;;
  esac
}

answers() { [[ $(ask ping) == PONG ]]; }

# One call, so that all numbers are of one moment.
REPORT=$(
  cat <<'LUA'
local prefix, lines = 'trawl:{' .. ARGV[1] .. '}:', {}
local function hash(name)
  local flat, fields = redis.call('HGETALL', prefix .. name), {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end
local function line(...) lines[#lines + 1] = string.format(...) end
local function sorted(fields)
  local names = {}
  for name in pairs(fields) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local job, stats, workers = hash('job'), hash('stats'), hash('workers')
local function stat(name) return tonumber(stats[name] or 0) end
if not job.state then return {} end
line('job       %s', ARGV[1])
line('state     %s', job.state)
line('seeds     %s', job.seeds or '')
if (job.sitemaps or '') ~= '' then line('sitemaps  %s', job.sitemaps) end
line('started   %s', job.started or '')
if job.finished and job.finished ~= '' then line('finished  %s', job.finished) end
line('frontier  %d URLs wait or are in flight',
     stat('admitted') - stat('fetched') - stat('redirected') - stat('failed'))

line('')
for _, name in ipairs(sorted(stats)) do line('%-26s %14s', name, stats[name]) end

line('')
local columns = { 'admitted', 'leased', 'fetched', 'redirected', 'failed' }
line('%5s %11s %11s %11s %11s %11s', 'depth', unpack(columns))
local depth = 0
while redis.call('EXISTS', prefix .. 'round:' .. depth) == 1 do
  local round = hash('round:' .. depth)
  local row = {}
  for i, column in ipairs(columns) do row[i] = round[column] or '0' end
  line('%5d %11s %11s %11s %11s %11s', depth, unpack(row))
  depth = depth + 1
end

line('')
line('workers: %d', #sorted(workers))
for _, name in ipairs(sorted(workers)) do
  local fields, words = cjson.decode(workers[name]), {}
  for _, field in ipairs(sorted(fields)) do
    words[#words + 1] = string.gsub(field, '_', ' ') .. ' ' .. tostring(fields[field])
  end
  line('  %s: %s', name, table.concat(words, ', '))
end
return lines
LUA
)

print_job() {
  local report
  report=$(ask EVAL_RO "$REPORT" 1 "trawl:{$1}:job" "$1")
  [[ -n $report ]] || fail 1 "there is no job $1 in this Redis"
  printf '%s\n' "$report"
}

# One line a job: NAME STATE FETCHED of ADMITTED.
print_summary() {
  printf '%-45s %-9s %s of %s URLs fetched\n' "$1" "$(ask HGET "trawl:{$1}:job" state)" \
    "$(ask HGET "trawl:{$1}:stats" fetched)" "$(ask HGET "trawl:{$1}:stats" admitted)"
}

show_given_redis() {
  local jobs name
  answers || fail 1 "the Redis of --redis does not answer: is it running?"
  if [[ -n $job ]]; then print_job "$job" && return; fi
  mapfile -t jobs < <(ask SMEMBERS trawl:jobs | sort)
  case ${#jobs[@]} in
    0) fail 1 "there is no job in this Redis" ;;
    1) print_job "${jobs[0]}" ;;
    *) for name in "${jobs[@]}"; do print_summary "$name"; done ;;
  esac
}

show_folder() {
  local name
  [[ -s $out/run/job ]] || fail 1 "$out holds no job"
  name=$(<"$out/run/job")
  if [[ -n $job && $job != "$name" ]]; then fail 2 "$out holds the job $name, not $job"; fi
  if answers; then
    print_job "$name"
  elif [[ ! -d $out/redis ]]; then
    fail 1 "the job $name has no private Redis: name the one it was given with --redis URL"
  else
    fail 1 "the job $name is not running; go on with: deploy/crawl.sh URL... --resume --out $out"
  fi
}

show_crawls() {
  local running=() socket
  while read -r socket; do
    out=${socket%/run/redis.sock}
    if answers; then running+=("$out"); fi
  done < <(compgen -G 'crawls/*/run/redis.sock')
  if ((${#running[@]} > 1)); then
    for out in "${running[@]}"; do print_summary "$(<"$out/run/job")"; done
    return
  fi
  out=${running[0]:-$(newest_folder '*')}
  [[ -n $out ]] || fail 1 "there is no job in $PWD/crawls: name its folder with --out"
  show_folder
}

main() {
  parse_arguments "$@"
  command -v redis-cli >/dev/null || fail 1 "there is no redis-cli: run deploy/install-packages.sh"
  if [[ -n $redis_url ]]; then
    show_given_redis
  elif [[ -n $job || -n $out ]]; then
    out=${out:-crawls/$job}
    show_folder
  else
    show_crawls
  fi
}

main "$@"
