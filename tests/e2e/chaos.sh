#!/usr/bin/env bash
# Kills processes of a crawl at random, with SIGKILL, and expects the pages of one that was left
# alone. Needs a build in build/.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/e2e/chaos.sh [--kills N] [--pages N] [--seed N]

Crawls a site of its own with deploy/crawl.sh, three workers and a private Redis, and kills a random
one of {worker, coordinator, redis-server}, N times at random instants. Prints the seed.

  --kills N   [100]
  --pages N   [20000]
  --seed N    [a random one]

Environment: TRAWL_BIN, as in deploy/crawl.sh.
TEXT
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TRAWL_CHAOS_KILLS=100 TRAWL_CHAOS_PAGES=20000
while (($# > 0)); do
  case $1 in
    --help) usage && exit 0 ;;
    --kills) export TRAWL_CHAOS_KILLS=${2:?} ;;
    --pages) export TRAWL_CHAOS_PAGES=${2:?} ;;
    --seed) export TRAWL_CHAOS_SEED=${2:?} ;;
    *) usage >&2 && exit 2 ;;
  esac
  shift 2
done
exec "${TRAWL_BIN:-$top/build/bin}/e2e_tests" --gtest_filter='Chaos.*'
