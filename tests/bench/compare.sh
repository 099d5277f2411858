#!/usr/bin/env bash
# Crawls documentation sites with Trawl and with other crawlers, in turn and on one core, checks
# that all fetched the same pages, and prints what each cost.
set -euo pipefail
# shellcheck source=deploy/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib.sh"

usage() {
  cat <<'TEXT'
Usage: tests/bench/compare.sh [--runs N] [--sites LIST] [--crawlers LIST]

Prints Markdown tables of wall and CPU seconds, pages per CPU-second and memory of Trawl (all of its
processes and scripts) and of other crawlers, and fails if two of them fetched different HTML pages.
A private nginx serves the sites on core 1, the crawlers run on core 0. Installs the Debian packages
that are missing. Takes some minutes; other work on the machine makes the figures worthless.

  --runs N         runs of each crawler on each site; the slow ones run once [3]
  --sites LIST     of postgresql,cppreference,python [postgresql,cppreference]
  --crawlers LIST  of trawl,wget2,asyncio,scrapy [trawl,wget2,asyncio,scrapy]

A site is its documentation ten times over, so that a crawler's start hardly counts; for scrapy it
is there once, as ten would take it a quarter of an hour.

Environment: TRAWL_BIN, as in deploy/crawl.sh.
TEXT
}

CRAWLER_CORE=0
SERVER_CORE=1
COPIES=10
WRK_SECONDS=3
START_SITE=one-page
BENCH=$TOP/tests/bench
declare -A FOLDERS=(
  [postgresql]=/usr/share/doc/postgresql-doc-15/html
  [cppreference]=/usr/share/cppreference/doc/html
  [python]=/usr/share/doc/python3.11/html
)
declare -A ENTRIES=([postgresql]=index.html [cppreference]=en/index.html [python]=index.html)
ALL_CRAWLERS=(trawl wget2 asyncio scrapy)
declare -A SLOW=([asyncio]=1 [scrapy]=1)
declare -A COPIES_OF=([scrapy]=1) # for the crawlers that are not given COPIES

runs=3
sites=(postgresql cppreference)
crawlers=("${ALL_CRAWLERS[@]}")
declare -A urls=() # root's name -> its first page
work='' server_pid=''

parse_flags() {
  local name
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --runs | --sites | --crawlers) [[ -n ${2:-} ]] || usage_error "$1 needs a value" ;;
      *) usage_error "unknown argument '$1'" ;;
    esac
    case $1 in
      --runs) require_number "$1" "$2" 100 && runs=$2 ;;
      --sites) IFS=, read -ra sites <<<"$2" ;;
      --crawlers) IFS=, read -ra crawlers <<<"$2" ;;
    esac
    shift 2
  done
  for name in "${sites[@]}"; do
    [[ -n ${FOLDERS[$name]:-} ]] || usage_error "--sites: there is no '$name'"
  done
  for name in "${crawlers[@]}"; do
    [[ " ${ALL_CRAWLERS[*]} " == *" $name "* ]] || usage_error "--crawlers: there is no '$name'"
  done
}

finish() {
  local code=$?
  set +e
  stopping=1 # A signal has no more to interrupt.
  if [[ -n $server_pid ]]; then end_within 5 "$server_pid"; fi
  if [[ -n $work ]]; then rm -rf -- "$work"; fi
  exit "$code"
}

end_at_once() { finish; }

# ---- The sites ----

# Makes a document root whose index.html links to so many copies of a folder.
make_root() {
  local root=$1 folder=$2 entry=$3 copies=$4 number
  mkdir -p "$root"
  {
    printf '<html><body>\n'
    for ((number = 0; number < copies; number++)); do
      ln -s "$folder" "$root/p$number"
      printf '<a href="p%d/%s">%d</a>\n' "$number" "$entry" "$number"
    done
    printf '</body></html>\n'
  } >"$root/index.html"
}

make_roots() {
  local site
  make_root "$work/www/$START_SITE" / '' 0
  for site in "${sites[@]}"; do
    [[ -r ${FOLDERS[$site]}/${ENTRIES[$site]} ]] || fail 1 "there is no ${FOLDERS[$site]}"
    make_root "$work/www/$site-$COPIES" "${FOLDERS[$site]}" "${ENTRIES[$site]}" "$COPIES"
    make_root "$work/www/$site-1" "${FOLDERS[$site]}" "${ENTRIES[$site]}" 1
    # Otherwise the first crawler would be the one that waits for the disk.
    find -L "${FOLDERS[$site]}" -type f -exec cat {} + >/dev/null
  done
}

# Prints so many ports that are free.
free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print("\n".join(str(s.getsockname()[1]) for s in sockets))
PYTHON
}

# Prints nginx's configuration, with a server for each root.
server_config() {
  local root kind
  cat <<TEXT
daemon off;
pid $work/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 16384;
events { worker_connections 4096; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
TEXT
  for kind in client_body proxy fastcgi uwsgi scgi; do
    printf '  %s_temp_path %s;\n' "$kind" "$work/nginx-$kind"
  done
  for root in "${!urls[@]}"; do
    printf '  server { listen %s backlog=1024; root %s; }\n' \
      "$(cut -d / -f 3 <<<"${urls[$root]}")" "$work/www/$root"
  done
  printf '}\n'
}

start_server() {
  local roots=("$work"/www/*) ports=() number log=$work/nginx.log
  mapfile -t ports < <(free_ports "${#roots[@]}")
  for number in "${!roots[@]}"; do
    urls[${roots[number]##*/}]=http://127.0.0.1:${ports[number]}/index.html
  done
  server_config >"$work/nginx.conf"
  PATH=$PATH:/usr/sbin spawn taskset -c "$SERVER_CORE" nginx -e "$log" -c "$work/nginx.conf"
  server_pid=$!
  # nginx writes its pid when it listens.
  until [[ -s $work/nginx.pid ]]; do
    alive "$server_pid" || fail 1 "nginx $(describe_end 1 "$log")"
    pause
  done
}

# ---- The crawls ----

# Sets `command` to what crawls from a URL into the folder it is started in.
set_command() {
  local crawler=$1 url=$2
  case $crawler in
    trawl)
      command=("$TOP/deploy/crawl.sh" "$url" --depth 100 --host-delay 0 --host-connections 200
        --workers 1 --ignore-robots --out . --quiet)
      ;;
    wget2) command=(wget2 -q -r -l inf --max-threads=50 --no-robots --no-hsts "$url") ;;
    asyncio)
      # Debian's Python, which has the packages.
      command=(/usr/bin/python3 "$BENCH/peers/asyncio_crawler.py" "$url" pages.jsonl)
      ;;
    scrapy)
      command=(scrapy runspider "$BENCH/peers/scrapy_spider.py" -a "url=$url" -o pages.jsonl)
      ;;
  esac
}

# Runs a crawler on a root, measured, and adds it to the table of runs.
crawl() {
  local crawler=$1 site=$2 copies=$3 root=$4 code=0 command
  local out=$work/out pages=$work/pages/$2-$1
  rm -rf -- "$out"
  mkdir "$out"
  set_command "$crawler" "${urls[$root]}"
  (cd "$out" && taskset -c "$SERVER_CORE" python3 "$BENCH/measure.py" "$work/result" \
    taskset -c "$CRAWLER_CORE" "${command[@]}") >"$work/log" 2>&1 || code=$?
  leave_if_signalled
  # wget2's 8 tells of a link to a page that is not there.
  if ((code != 0)) && [[ $crawler/$code != wget2/8 ]]; then
    fail 1 "$crawler on $site $(describe_end "$code" "$work/log")"
  fi
  python3 "$BENCH/compare_report.py" pages "$out" >"$pages"
  check_pages "$pages" "$work/pages/$site-${crawlers[0]}" "$copies"
  printf '%s\t%s\t%s\t%s\t%s\n' "$site" "$copies" "$crawler" "$(wc -l <"$pages")" \
    "$(<"$work/result")" >>"$work/runs"
}

# Fails if a crawl's pages are not those of the first crawler, of which the first copies count.
check_pages() {
  local pages=$1 expected=$2 copies=$3
  if ! diff --label "${expected##*/}" --label "${pages##*/}" --unified=0 \
    <(first_copies "$copies" "$expected") <(first_copies "$copies" "$pages") >"$work/diff"; then
    head -n 40 "$work/diff" >&2
    fail 1 "${pages##*/} and ${expected##*/} are not the same pages: $(grep -c '^[+-][^+-]' \
      "$work/diff") differ"
  fi
}

# Prints a crawl's pages without those of further copies.
first_copies() { awk -F / -v copies="$1" '!/^p[0-9]+\// || substr($1, 2) + 0 < copies' "$2"; }

# One turn of all crawlers on a site.
run_round() {
  local round=$1 site=$2 crawler copies root
  for crawler in "${crawlers[@]}"; do
    copies=${COPIES_OF[$crawler]:-$COPIES}
    root=$site-$copies
    if [[ $site == "$START_SITE" ]]; then
      root=$site
    elif ((round > 1)) && [[ -n ${SLOW[$crawler]:-} ]]; then
      continue
    fi
    say "$site, run $round of $runs: $crawler"
    crawl "$crawler" "$site" "$copies" "$root"
  done
}

# ---- The report ----

describe_machine() {
  local load version build="a build in $BIN"
  read -r load _ </proc/loadavg
  version=$("$BIN/trawl-coordinator" --version)
  if [[ $BIN == "$TOP/build/bin" ]]; then
    build="commit $(git -C "$TOP" rev-parse --short HEAD 2>/dev/null || printf unknown)"
  fi
  printf '%s, %s, %s cores, Linux %s, load before %s\n' "$(date '+%F %H:%M')" \
    "$(LC_ALL=C lscpu | sed -n 's/^Model name: *//p')" "$(nproc)" "$(uname -r)" "$load"
  printf 'trawl %s (%s)' "$version" "$build"
  # shellcheck disable=SC2016 # The variables are dpkg-query's.
  dpkg-query --show --showformat ', ${Package} ${Version}' \
    wget2 python3-scrapy python3-aiohttp python3-lxml nginx redis-server
  printf '\nThe server alone: %s requests/s (wrk, 200 connections, a page of %s)\n' \
    "$(server_rate)" "${sites[0]}"
  printf 'Each crawler in turn on core %d, the server on core %d.\n' "$CRAWLER_CORE" "$SERVER_CORE"
}

server_rate() {
  local url=${urls[${sites[0]}-1]%/*}/p0/${ENTRIES[${sites[0]}]}
  taskset -c "$CRAWLER_CORE" wrk -t 1 -c 200 -d "$WRK_SECONDS" "$url" |
    sed -n 's/^Requests.sec: *//p'
}

main() {
  local site round
  parse_flags "$@"
  (($(nproc) > SERVER_CORE)) || fail 1 "two cores are needed: one for the server, one to crawl"
  trap finish EXIT
  catch_signals
  "$TOP/deploy/install-packages.sh" --bench
  find_programs
  TRAWL_BIN=$(realpath -- "$BIN")
  export TRAWL_BIN
  work=$(mktemp -d /dev/shm/trawl-compare.XXXXXX)
  chmod 755 "$work" # for nginx, which serves root's files as another user
  mkdir "$work/pages"
  make_roots
  start_server
  describe_machine
  for site in "$START_SITE" "${sites[@]}"; do
    for ((round = 1; round <= runs; round++)); do run_round "$round" "$site"; done
  done
  python3 "$BENCH/compare_report.py" table "$work/runs"
}

main "$@"
