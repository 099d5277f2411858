#!/usr/bin/env bash
# Runs fuzz targets for a while each, from their seeds.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: tests/fuzz/run.sh [SECONDS] [TARGET...]

Runs each target (url, robots, ...) for so many seconds [15]; without TARGET, all that are built.
Ends with 1 if one has found a bug, and tells where the input is and how to run it again.
To build them: cmake --preset fuzz && cmake --build --preset fuzz

Environment: TRAWL_BIN, the folder of the targets [build-fuzz/bin].
TEXT
}

fail() {
  local code=$1
  shift
  printf 'run.sh: %s\n' "$*" >&2
  exit "$code"
}

# Fuzzes one target from a copy of its seeds: libFuzzer adds to the folder what it finds.
run() {
  local target=$1 program=$BIN/$1_fuzz seeds=$HERE/corpus/$1 found=$BIN/found log=$work/log options
  [[ -x $program ]] || fail 2 "there is no target '$target' in $BIN (see --help)"
  mkdir -p "$work/$target" "$found"
  if [[ -d $seeds ]]; then cp -- "$seeds"/* "$work/$target"; fi
  options=("-max_total_time=$seconds" "-artifact_prefix=$found/$target-" -print_final_stats=1
    -print_funcs=0)
  # Time and memory of one input, far above what any needs on a machine under load.
  options+=(-timeout=60 -rss_limit_mb=2048)
  if [[ -f $HERE/$target.dict ]]; then options+=("-dict=$HERE/$target.dict"); fi
  if ! "$program" "${options[@]}" "$work/$target" >"$log" 2>&1; then
    grep --text --invert-match '^#' "$log"
    printf 'run.sh: %s found a bug; to see it again: %s %s\n' "$target" "$program" \
      "$(sed -n 's/.*Test unit written to //p' "$log")" >&2
    return 1
  fi
  printf '%s: %s inputs\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
}

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=${TRAWL_BIN:-${HERE%/tests/fuzz}/build-fuzz/bin}
seconds=15

main() {
  local targets target code=0
  case ${1:-} in
    --help | -h) usage && exit 0 ;;
    -*) fail 2 "unknown flag '$1' (see --help)" ;;
  esac
  if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    seconds=$1
    shift
  fi
  targets=("$@")
  if ((${#targets[@]} == 0)); then mapfile -t targets < <(compgen -G "$BIN/*_fuzz" | sort); fi
  ((${#targets[@]} > 0)) || fail 1 "there are no targets in $BIN (see --help)"
  work=$(mktemp -d)
  trap 'rm -rf -- "$work"' EXIT
  for target in "${targets[@]}"; do
    target=${target##*/}
    run "${target%_fuzz}" || code=1
  done
  return "$code"
}

main "$@"
