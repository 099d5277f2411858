#!/usr/bin/env bash
# Crawls on one machine: installs and builds what is missing, starts a private Redis, a coordinator
# and the workers, waits for the crawl's end and leaves the results.
set -euo pipefail
# shellcheck source=deploy/job.sh
source "$(dirname "${BASH_SOURCE[0]}")/job.sh"

usage() {
  cat <<'TEXT'
Usage: deploy/crawl.sh URL... [flags]

Crawls from the URLs on this machine and leaves pages.jsonl, redirects.jsonl and errors.jsonl.

  --depth N             greatest depth fetched; the URLs given are depth 0 [3]
  --max-pages N         stop after N fetched pages; 0: no limit [0]
  --workers N           worker processes [number of cores]
  --concurrency N       requests in flight, each worker [200]
  --host-connections N  connections to one host, over all workers [2]
  --host-delay MS       least time between two requests to one host; a longer Crawl-delay wins [250]
  --scope KIND          host, domain, prefix (under the seed's folder) or any [host]
  --include RE          only URLs that match; repeatable
  --exclude RE          no URLs that match; repeatable, and wins
  --sitemaps            also crawl what the sitemaps list that the hosts' robots.txt name
  --sitemap URL         also crawl what this sitemap lists; repeatable
  --rounds MODE         exact (depth by depth) or free (without waiting) [exact]
  --ignore-robots       do not ask for robots.txt: for one's own sites
  --allow-private       let public seeds lead to addresses that are not public
  --user-agent S        its product token is what robots.txt is matched with
  --header HEADER       send 'NAME: VALUE' to the seeds' origins; repeatable
  --auth USER:PASSWORD  send this user and password to the seeds' origins
  --cookies             send a host's cookies back while a worker has URLs of it in hand
  --proxy URL           send requests by this proxy: http://[USER:PASSWORD@]HOST:PORT
  --insecure            do not verify certificates
  --dns SERVERS         ask these DNS servers: ADDRESS[:PORT],... [the system's]
  --out DIR             folder of the results; new, or empty [crawls/JOB]
  --job NAME            the job's name in Redis [the first URL's host and the time]
  --redis URL           use this Redis (redis:// or unix://) in place of a private one
  --config FILE         read flags from this TOML file
  --resume              go on with a stopped or crashed job: --out's, --job's, or the host's newest
  --quiet               no progress, only the summary
  --version             print the version

`trawl-coordinator --help` lists further flags, all of which may be used here. What dies meanwhile
is started again. Ctrl-C stops the crawl when the requests in flight have ended, a second one at
once; --resume goes on.

Environment:
  TRAWL_BIN             folder of another build's programs; nothing is installed or built then
  TRAWL_STOP_SECONDS    longest wait for requests in flight when stopping [30]
  TRAWL_RESTARTS        how often within a minute a part that dies (coordinator, Redis, a worker) is
                        started again, before the crawl ends, to be resumed [10]
TEXT
}

interrupted=1

# The only way out: every exit passes here.
finish() {
  local code=$?
  set +e
  stop_job
  # What a stopped coordinator has not stored, a resumed job fetches again: only a drained one's
  # results are whole rows.
  if [[ $coordinator_code == 0 ]] && is_resumable; then "$BIN/trawl-export" "$out" || code=1; fi
  if ((interrupted && code != 0 && code != 2)) && is_resumable; then
    say "stopped; go on with: $(resume_command "$given_folder" "${arguments[@]}")"
  fi
  exit "$code"
}

main() {
  if (($# == 0)); then usage_error "no URL given: name at least one to begin with"; fi
  arguments=("$@")
  parse_flags "$@"
  given_folder=$out$job
  if [[ -z $workers && -n $config ]]; then workers=$(config_value workers); fi
  workers=${workers:-$(nproc)}

  trap finish EXIT
  catch_signals
  find_programs
  name_job
  claim_folder
  start_redis
  start_coordinator
  if [[ -n $coordinator_pid ]]; then
    start_workers
    watch_job
  fi
  interrupted=0
  return "$(crawl_code)"
}

main "$@"
