#!/usr/bin/env bash
# Installs the Debian packages that Trawl needs to be built and run, if any is missing.
set -euo pipefail

PACKAGES=(
  ca-certificates cmake cppzmq-dev g++ libbenchmark-dev libboost-json1.81-dev libboost1.81-dev
  libbrotli-dev libc-ares-dev libcli11-dev libgmock-dev libgtest-dev libhiredis-dev libicu-dev
  libmimalloc-dev libprotobuf-dev libpsl-dev libre2-dev libspdlog-dev libssl-dev libtomlplusplus-dev libxml2-dev
  libxxhash-dev libzmq3-dev libzstd-dev ninja-build pkg-config procps protobuf-compiler python3
  redis-server util-linux zlib1g-dev
)
TEST_PACKAGES=(
  clang clang-format cppreference-doc-en-html libclang-rt-dev llvm postgresql-doc-15 python3.11-doc
  shellcheck
)
BENCH_PACKAGES=(
  cppreference-doc-en-html iproute2 nginx-light postgresql-doc-15 python3-aiohttp python3-lxml python3-scrapy
  python3.11-doc wget2 wrk
)
LOCK_TIMEOUT_SECONDS=300

usage() {
  cat <<'TEXT'
Usage: deploy/install-packages.sh [--test | --bench]

Installs the Debian packages that Trawl needs and that are missing, with sudo unless it is root.
  --test   also what the tests need
  --bench  also what the scripts of tests/bench need
TEXT
}

fail() {
  local code=$1
  shift
  printf 'install-packages.sh: %s\n' "$*" >&2
  exit "$code"
}

# Prints those of its arguments that are not installed.
missing_packages() {
  local package state
  local -A installed=()
  while read -r state package; do
    if [[ $state == installed ]]; then installed[$package]=1; fi
  done < <(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
  for package in "$@"; do
    if [[ -z ${installed[$package]:-} ]]; then printf '%s\n' "$package"; fi
  done
}

apt() {
  local command=(env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet
    -o "DPkg::Lock::Timeout=$LOCK_TIMEOUT_SECONDS" "$@")
  if ((EUID != 0)); then command=(sudo "${command[@]}"); fi
  "${command[@]}"
}

# apt waits for dpkg's lock by itself, but not for the locks of its lists and its archive.
apt_when_unlocked() {
  local deadline=$((SECONDS + LOCK_TIMEOUT_SECONDS))
  until apt "$@" >"$log" 2>&1; do
    if ! grep --quiet 'Could not get lock' "$log" || ((SECONDS >= deadline)); then return 1; fi
    sleep 1
  done
}

install() {
  log=$(mktemp)
  trap 'rm -f -- "$log"' EXIT
  # Lists that cannot be refreshed may still do: the installation itself tells.
  apt_when_unlocked update || true
  # Without --no-remove, Boost 1.81 would silently put out another version of Boost.
  if ! apt_when_unlocked install --no-install-recommends --no-remove "$@"; then
    cat "$log" >&2
    if grep --quiet 'remove is disabled' "$log"; then
      fail 1 "a package above is in the way: remove it, or install these by hand: $*"
    fi
    fail 1 "apt-get could not install: $*"
  fi
}

main() {
  local wanted=("${PACKAGES[@]}") missing
  case ${1:-} in
    '') ;;
    --test) wanted+=("${TEST_PACKAGES[@]}") ;;
    --bench) wanted+=("${BENCH_PACKAGES[@]}") ;;
    --help | -h) usage && exit 0 ;;
    *) fail 2 "unknown argument '$1' (see --help)" ;;
  esac
  if (($# > 1)); then fail 2 "too many arguments (see --help)"; fi
  if ! command -v dpkg-query apt-get >/dev/null; then
    fail 1 "this is no Debian: install the like of ${PACKAGES[*]}, build, and set TRAWL_BIN"
  fi

  mapfile -t missing < <(missing_packages "${wanted[@]}")
  if ((${#missing[@]} == 0)); then exit 0; fi
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    fail 1 "neither root nor sudo: as root, run: apt-get install ${missing[*]}"
  fi
  printf 'installing %d packages: %s\n' "${#missing[@]}" "${missing[*]}" >&2
  install "${missing[@]}"
}

main "$@"
