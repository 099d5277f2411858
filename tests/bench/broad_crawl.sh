#!/usr/bin/env bash
# Crawls a synthetic web of many polite hosts, with plain HTTP and with TLS, checks that all was
# fetched and every host's delay kept, and prints what it cost.
set -euo pipefail
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"

usage() {
  cat <<'TEXT'
Usage: tests/bench/broad_crawl.sh [--hosts N] [--pages LIST] [--workers N] [--concurrency N]
                                  [--modes LIST]

Prints a Markdown table of what a broad crawl costs: CPU seconds of all of Trawl's processes and
scripts, memory, DNS queries, TLS handshakes. Fails if a page is missing, anything went wrong, or a
host was asked sooner than it may be. One connection to each host, and a second between requests.

The web (synthetic_web) is on loopback addresses, one a host, in a network namespace of its own,
and runs on core 1; the crawler runs on core 0. Hosts answer after 50 to 500 ms, names have to be
asked for from its DNS server, and pages are as large as the HTTP Archive says (lognormal, median 27
KB), with 40 links. Takes some minutes; other work on the machine makes the figures worthless.

  --hosts N        hosts of the web [10000]
  --pages LIST     a crawl for each of these mean numbers of pages of a host, which may have from 1
                   to twice this less 1 [5,1]
  --workers N      worker processes [1]
  --concurrency N  requests in flight, each worker [1000]
  --modes LIST     of http,https [http,https]

Environment: TRAWL_BIN, as in deploy/crawl.sh.
TEXT
}

PROGRAMS+=(synthetic_web)
CRAWLER_CORE=0
SERVER_CORE=1
HOST_DELAY_MS=1000
BENCH=$TOP/tests/bench

hosts=10000
all_pages=(5 1)
concurrency=1000
workers=1
modes=(http https)
work='' server_pid=''

parse_flags() {
  local mode pages
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --hosts | --pages | --workers | --concurrency | --modes)
        [[ -n ${2:-} ]] || usage_error "$1 needs a value"
        ;;
      *) usage_error "unknown argument '$1'" ;;
    esac
    case $1 in
      --hosts) require_number "$1" "$2" 100000 && hosts=$2 ;;
      --pages) IFS=, read -ra all_pages <<<"$2" ;;
      --workers) require_number "$1" "$2" 1000 && workers=$2 ;;
      --concurrency) require_number "$1" "$2" 100000 && concurrency=$2 ;;
      --modes) IFS=, read -ra modes <<<"$2" ;;
    esac
    shift 2
  done
  for pages in "${all_pages[@]}"; do require_number --pages "$pages" 1000; done
  for mode in "${modes[@]}"; do
    [[ $mode == http || $mode == https ]] || usage_error "--modes: there is no '$mode'"
  done
}

# Runs the script again where all ports are free and nothing of the machine can be reached.
enter_namespace() {
  local flags=(--net)
  if ((EUID != 0)); then flags=(--user --map-root-user --net); fi
  if ! unshare "${flags[@]}" true 2>/dev/null; then
    fail 1 "cannot make a network namespace of its own here: run it as root"
  fi
  TRAWL_BROAD_CRAWL=inside exec unshare "${flags[@]}" -- "$0" "$@"
}

finish() {
  local code=$?
  set +e
  stopping=1 # A signal has no more to interrupt.
  stop_server
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
  exit "$code"
}

end_at_once() { finish; }

# ---- The web ----

start_server() {
  local mode=$1 hosts=$2 pages=$3 log=$work/server.log
  local flags=(--hosts "$hosts" --pages "$pages" --host-delay "$HOST_DELAY_MS"
    --counts "$work/counts" --authority "$work/authority.pem")
  if [[ $mode == https ]]; then flags+=(--tls); fi
  rm -f -- "$work/authority.pem" "$work/counts"
  spawn taskset -c "$SERVER_CORE" "$BIN/synthetic_web" "${flags[@]}" 2>"$log"
  server_pid=$!
  until [[ -s $work/authority.pem ]]; do
    alive "$server_pid" || fail 1 "synthetic_web $(describe_end 1 "$log")"
    pause
  done
}

stop_server() {
  if [[ -n $server_pid ]]; then end_within 5 "$server_pid"; fi
  server_pid=''
}

# ---- The crawls ----

# Crawls a web of so many hosts with so many pages each, measured, and adds it to the runs.
crawl() {
  local mode=$1 hosts=$2 pages=$3 code=0 out=$work/out
  local command=("$TOP/deploy/crawl.sh" "$mode://hub.test/" --depth 1000 --scope any --rounds free
    --host-connections 1 --host-delay "$HOST_DELAY_MS" --workers "$workers"
    --concurrency "$concurrency" --allow-private --dns 127.0.0.1 --ca-file "$work/authority.pem" --out . --quiet)
  rm -rf -- "$out"
  mkdir "$out"
  start_server "$mode" "$hosts" "$pages"
  (cd "$out" && taskset -c "$SERVER_CORE" python3 "$BENCH/measure.py" "$work/result" \
    taskset -c "$CRAWLER_CORE" "${command[@]}") >"$work/log" 2>&1 || code=$?
  leave_if_signalled
  if ((code != 0)); then fail 1 "the crawl $(describe_end "$code" "$work/log")"; fi
  stop_server
  printf '%s\t%s\t%s\n' "$mode" "$(<"$work/result")" "$(<"$work/counts")" >>"$work/runs"
  python3 "$BENCH/broad_report.py" check "$mode" "$out" "$work/counts" >>"$work/problems"
}

main() {
  local mode pages
  parse_flags "$@"
  (($(nproc) > SERVER_CORE)) || fail 1 "two cores are needed: one for the web, one to crawl"
  if [[ ${TRAWL_BROAD_CRAWL:-} != inside ]]; then
    find_programs
    TRAWL_BIN=$(realpath -- "$BIN")
    export TRAWL_BIN
    enter_namespace "$@"
  fi
  trap finish EXIT
  catch_signals
  find_programs
  command -v ip >/dev/null || fail 1 "there is no ip: run deploy/install-packages.sh --bench"
  ip link set lo up
  ulimit -n "$(ulimit -H -n)"
  work=$(mktemp -d /dev/shm/trawl-broad.XXXXXX)
  for mode in "${modes[@]}"; do
    say "$mode: one host" # what a worker takes by itself
    crawl "$mode" 1 1
    for pages in "${all_pages[@]}"; do
      say "$mode: $hosts hosts, $pages pages each"
      crawl "$mode" "$hosts" "$pages"
    done
  done
  python3 "$BENCH/broad_report.py" table "$work/runs"
  if [[ -s $work/problems ]]; then fail 1 "$(<"$work/problems")"; fi
}

main "$@"
