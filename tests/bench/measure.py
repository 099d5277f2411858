#!/usr/bin/env python3
"""measure.py RESULT COMMAND...: runs a command and writes what it and all its descendants cost.

RESULT becomes one line of JSON:
  wall_s           until the command itself ended
  cpu_s            user and system seconds of all processes, daemons too, up to the last one's end
  cpu_s_by_name    the same by process name, as sampled; "other" is what no sample saw: processes
                   that lived between two samples, and the last moments of the others
  peak_mb          greatest sum of resident sets, as sampled; shared pages count once per process
  peak_mb_by_name  greatest resident set of one process by name, as sampled
Exits with the command's code, or 128 and the signal.
"""

import collections
import ctypes
import glob
import json
import os
import resource
import signal
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
SAMPLE_SECONDS = 0.05
TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


def children(pid):
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path, encoding="ascii") as file:
                yield from map(int, file.read().split())
        except OSError:  # It has ended since.
            continue


def children_cpu_s():
    """Not 0 at the start if this is the heir, by exec, of a script that had children."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Sampler(threading.Thread):
    """Follows this process's descendants until `ended` is set."""

    def __init__(self):
        super().__init__()
        self.ended = threading.Event()
        self.peak_mb = 0
        self.peak_mb_by_name = collections.Counter()
        self.cpu_s = {}  # (pid, name) -> seconds: a process has another name after an exec

    def run(self):
        while not self.ended.wait(SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, sum(map(self.sample, list(children(os.getpid())))))

    def sample(self, pid):
        """Takes note of a process and of those under it; returns their resident megabytes."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                stat = file.read()
        except OSError:
            return 0
        name = stat[stat.index("(") + 1 : stat.rindex(")")]
        fields = stat[stat.rindex(")") + 2 :].split()  # From "state", the third of proc(5), on.
        before = sum(s for (p, n), s in self.cpu_s.items() if p == pid and n != name)
        self.cpu_s[pid, name] = (int(fields[11]) + int(fields[12])) * TICK_SECONDS - before
        resident_mb = int(fields[21]) * PAGE_MB
        self.peak_mb_by_name[name] = max(self.peak_mb_by_name[name], resident_mb)
        return resident_mb + sum(map(self.sample, list(children(pid))))


def main():
    result, command = sys.argv[1], sys.argv[2:]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    sampler = Sampler()
    before_s = children_cpu_s()
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # A terminal's Ctrl-C ends the command.
    sampler.start()
    while True:
        try:
            ended, status, _ = os.wait4(-1, 0)
        except ChildProcessError:
            break
        if ended == pid:
            wall_s = time.monotonic() - start
            code = os.waitstatus_to_exitcode(status)
    sampler.ended.set()
    sampler.join()

    cpu_s = children_cpu_s() - before_s
    by_name = collections.Counter()
    for (_, name), seconds in sampler.cpu_s.items():
        by_name[name] += seconds
    by_name["other"] = max(0, cpu_s - by_name.total())
    with open(result, "w", encoding="utf-8") as file:
        row = {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": sampler.peak_mb}
        row |= {"cpu_s_by_name": by_name, "peak_mb_by_name": sampler.peak_mb_by_name}
        json.dump(row, file)
    sys.exit(code if code >= 0 else 128 - code)


main()
