#!/usr/bin/env python3
"""What tests/bench/compare.sh reads of the crawlers' output, and the tables it prints.

  compare_report.py pages OUTPUT  prints the paths of the HTML pages that a crawl left, sorted: of
                                  its pages.jsonl, or else of the files that wget2 made
  compare_report.py table RUNS    prints the tables of the runs, one a line: site, copies, crawler,
                                  pages and measure.py's result, between tabs
"""

import collections
import json
import statistics
import sys
import urllib.parse
from pathlib import Path

START_SITE = "one-page"
NOTES = """
Medians, with the least and the greatest. Ratios are of pages per CPU-second. "other" is of
processes too short-lived to be sampled: of trawl, its scripts and what they call. Memory is the sum
of resident sets. Pages are HTML pages; wget2 fetches style sheets, scripts and images besides, and
stores all of it (on a tmpfs), where the others write a line of JSON a page."""


def pages(output):
    """Yields each page's path and query, decoded: crawlers differ in what they leave encoded."""
    listed = output / "pages.jsonl"
    if listed.exists():
        for line in listed.open(encoding="utf-8"):
            url = urllib.parse.urlsplit(json.loads(line)["url"])
            yield urllib.parse.unquote(url._replace(scheme="", netloc="").geturl().lstrip("/"))
        return
    for file in output.glob("*/**/*"):
        if file.name.partition("?")[0].endswith((".html", ".htm")) and file.is_file():
            yield urllib.parse.unquote(str(file.relative_to(output)).partition("/")[2])


def spread(values, digits):
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def by_process(runs):
    """Of the median run."""
    run = sorted(runs, key=lambda run: run["cpu_s"])[(len(runs) - 1) // 2]
    names = collections.Counter(run["cpu_s_by_name"])
    return ", ".join(f"{name} {cpu:.2f}" for name, cpu in names.most_common() if cpu >= 0.01)


def rates(runs):
    return [run["pages"] / run["cpu_s"] for run in runs]


def ratio(ours, peers):
    """Of each of our runs to each of the peer's."""
    if not ours or ours is peers:
        return ""
    return spread([our / peer for our in rates(ours) for peer in rates(peers)], 2)


def print_row(*cells):
    print("| " + " | ".join(map(str, cells)) + " |")


def print_heading(*cells):
    print()
    print_row(*cells)
    print_row(*["---"] * len(cells))


def print_tables(path):
    sites = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in path.open(encoding="utf-8"):
        site, copies, crawler, count, result = line.split("\t")
        run = json.loads(result) | {"pages": int(count), "copies": copies}
        sites[site][crawler].append(run)
    start = sites.pop(START_SITE, {})
    print_heading("site", "copies", "crawler", "runs", "pages", "wall s", "CPU s",
                  "pages per CPU-s", "trawl's ratio", "peak MB", "CPU s by process, median run")
    for site, crawlers in sites.items():
        for crawler, runs in crawlers.items():
            print_row(site, runs[0]["copies"], crawler, len(runs), runs[0]["pages"],
                      spread([run["wall_s"] for run in runs], 2),
                      spread([run["cpu_s"] for run in runs], 2), spread(rates(runs), 0),
                      ratio(crawlers.get("trawl"), runs),
                      spread([run["peak_mb"] for run in runs], 0), by_process(runs))
    print_heading("start-up (a site of one page)", "runs", "wall s", "CPU s",
                  "CPU s by process, median run")
    for crawler, runs in start.items():
        print_row(crawler, len(runs), spread([run["wall_s"] for run in runs], 2),
                  spread([run["cpu_s"] for run in runs], 3), by_process(runs))
    print(NOTES)


def main():
    command, path = sys.argv[1], Path(sys.argv[2])
    if command == "pages":
        print("\n".join(sorted(set(pages(path)))))
    else:
        print_tables(path)


main()
