#!/usr/bin/env python3
"""What tests/bench/broad_crawl.sh makes of a crawl's results and of what the web has seen.

  broad_report.py check MODE OUTPUT COUNTS  prints what is wrong with a crawl, if anything: it is to
                                            fetch every page once, without an error, and politely
  broad_report.py table RUNS                prints the table of the runs, one a line: mode,
                                            measure.py's result and the web's counts, between tabs.
                                            A run of one host is for what a worker takes by itself
                                            in those that follow
"""

import collections
import json
import sys
from pathlib import Path

NOTES = """
A host is in flight while a connection to it is open; KB a host are of the worker's greatest resident
set, less that of a crawl of one host, over the most hosts in flight. "Early" are requests that came
to a host sooner than a second (less 50 ms, for the web's own lag) after the one before, or while
another waited for its answer."""

COLUMNS = (
    "mode", "pages", "hosts", "wall s", "CPU s", "pages per CPU-s", "worker's peak MB",
    "hosts in flight", "KB a host", "DNS queries a host", "connections a host",
    "handshakes full, resumed, broken off", "early",
)  # fmt: skip


def lines(path):
    with path.open("rb") as file:
        return sum(1 for _ in file)


def check(mode, output, counts):
    """Returns what is wrong, in words."""
    wanted = {
        "pages.jsonl": (lines(output / "pages.jsonl"), counts["expected_pages"]),
        "errors.jsonl": (lines(output / "errors.jsonl"), 0),
        "redirects.jsonl": (lines(output / "redirects.jsonl"), 0),
        "pages served": (counts["pages"], counts["expected_pages"]),
        "robots.txt served": (counts["robots"], counts["hosts"] + 1),
        "answers 404": (counts["missing"], 0),
        "requests before the host's delay had passed": (counts["early_requests"], 0),
        "requests while another was under way": (counts["concurrent_requests"], 0),
    }
    return [
        f"{mode}: {what}: {is_now}, not {expected}"
        for what, (is_now, expected) in wanted.items()
        if is_now != expected
    ]


def row(mode, alone, result, counts):
    pages, hosts = counts["pages"], counts["hosts"]
    in_flight = counts["peak_connections"]
    peak_mb = result["peak_mb_by_name"]["trawl-worker"]
    grown_kb = (peak_mb - alone["peak_mb_by_name"]["trawl-worker"]) * 1000
    return (
        mode, f"{pages:,}", f"{hosts:,}", f"{result['wall_s']:.1f}", f"{result['cpu_s']:.1f}",
        f"{pages / result['cpu_s']:,.0f}", f"{peak_mb:.0f}", f"{in_flight:,}",
        f"{grown_kb / in_flight:.1f}", f"{counts['dns_queries'] / hosts:.2f}",
        f"{counts['connections'] / hosts:.2f}",
        f"{counts['full_handshakes']:,}, {counts['resumed_handshakes']:,}, "
        f"{counts['failed_handshakes']:,}",
        counts["early_requests"] + counts["concurrent_requests"],
    )  # fmt: skip


def table(runs):
    yield "| " + " | ".join(COLUMNS) + " |"
    yield "|" + "---|" * len(COLUMNS)
    costs = []
    for mode, result, counts in runs:
        if counts["hosts"] == 1:
            alone = result
            continue
        yield "| " + " | ".join(map(str, row(mode, alone, result, counts))) + " |"
        names = collections.Counter(result["cpu_s_by_name"])
        spent = ", ".join(f"{name} {cpu:.2f}" for name, cpu in names.most_common() if cpu >= 0.05)
        name = f"{mode}, {counts['pages']:,} pages"
        costs.append(f"CPU seconds, {name}: {spent}.")
        costs.append(
            f"The web, {name}: {counts['bytes'] / counts['pages'] / 1000:.1f} KB a page, at most "
            f"{counts['peak_requests']:,} requests at a time, least time between two of a host "
            f"{counts['least_gap_ms']} ms."
        )
    yield NOTES
    yield from costs


def main():
    if sys.argv[1] == "check":
        counts = json.loads(Path(sys.argv[4]).read_text(encoding="utf-8"))
        for problem in check(sys.argv[2], Path(sys.argv[3]), counts):
            print(problem)
        return
    runs = []
    for line in Path(sys.argv[2]).read_text(encoding="utf-8").splitlines():
        mode, result, counts = line.split("\t")
        runs.append((mode, json.loads(result), json.loads(counts)))
    print("\n".join(table(runs)))


main()
