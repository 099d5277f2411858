#!/usr/bin/env bash
# Installs what is needed, checks the scripts and the format, builds, and runs every test.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/test.sh [PRESET...]

Runs every check and test. PRESET is one of release, debug, asan, tsan, fuzz; default: fuzz release
asan. The tests of fuzz are short runs of the fuzz targets.
TEXT
}

fail() {
  local code=$1
  shift
  printf 'test.sh: %s\n' "$*" >&2
  exit "$code"
}

check_scripts() {
  echo '== shellcheck'
  shellcheck --external-sources deploy/*.sh .ci/run tests/deploy/fake/* tests/fuzz/run.sh tests/e2e/chaos.sh \
    tests/bench/broad_crawl.sh tests/bench/compare.sh
}

check_format() {
  local sources
  echo '== clang-format'
  mapfile -d '' -t sources < <(
    find common proto coordinator worker tests \( -name '*.h' -o -name '*.cc' \) -print0
  )
  clang-format --dry-run --Werror "${sources[@]}"
}

build() {
  echo "== build: $1"
  cmake --preset "$1"
  cmake --build --preset "$1" --parallel "$(nproc)"
}

run_tests() {
  echo "== tests: $1"
  ctest --preset "$1" --parallel "$(nproc)"
}

main() {
  local presets=("$@") preset
  for preset in "${presets[@]}"; do
    case $preset in
      release | debug | asan | tsan | fuzz) ;;
      --help | -h) usage && exit 0 ;;
      *) fail 2 "unknown preset '$preset' (see --help)" ;;
    esac
  done
  if ((${#presets[@]} == 0)); then presets=(fuzz release asan); fi

  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  deploy/install-packages.sh --test
  check_scripts
  check_format
  for preset in "${presets[@]}"; do build "$preset"; done
  for preset in "${presets[@]}"; do run_tests "$preset"; done
}

main "$@"
