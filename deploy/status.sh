#!/usr/bin/env bash
# Shows a job as its Redis knows it.
set -euo pipefail
# shellcheck source=deploy/job_redis.sh
source "$(dirname "${BASH_SOURCE[0]}")/job_redis.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/status.sh [JOB] [--out DIR | --redis URL]

Shows a job: its state, counters, rounds and workers. Without JOB: the job that runs in crawls/, a
list if several do, or what became of the newest.

  --out DIR     the job's folder [crawls/JOB]
  --redis URL   the Redis that the job was given, if it has no private one
TEXT
}

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

show_folder() {
  open_folder
  print_job "$job"
}

show_given_redis() {
  local name
  require_answer
  if [[ -n $job ]]; then print_job "$job" && return; fi
  list_given_jobs
  if ((${#jobs[@]} == 1)); then print_job "${jobs[0]}" && return; fi
  for name in "${jobs[@]}"; do print_summary "$name"; done
}

show_crawls() {
  list_running_folders
  if ((${#folders[@]} > 1)); then
    for out in "${folders[@]}"; do print_summary "$(<"$out/run/job")"; done
    return
  fi
  choose_folder
  show_folder
}

main() {
  parse_arguments "$@"
  require_redis_cli
  if [[ -n $redis_url ]]; then
    show_given_redis
  elif [[ -n $job || -n $out ]]; then
    show_folder
  else
    show_crawls
  fi
}

main "$@"
