"""Tests of deploy/*.sh, with stand-ins for the programs and a real Redis.

Every process that a script starts inherits a mark in its environment, by which a test finds out
whether one was left running.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TOP = TESTS.parent.parent
SEED = "http://127.0.0.1:8000/"
LONG = 60  # seconds; a limit for what should take a moment, on a machine under load


def eventually(condition):
    """Waits for a true value of `condition` and returns it, or the last one in the end."""
    deadline = time.monotonic() + LONG
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


class ScriptTest(unittest.TestCase):
    def setUp(self):
        self.mark = uuid.uuid4().hex
        self.folder = Path(tempfile.mkdtemp(prefix="trawl test "))
        self.tmp = tempfile.mkdtemp(prefix="trawl-test-")
        self.arguments = self.folder / "arguments"
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for pid in self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.tmp, ignore_errors=True)

    def running(self):
        """The processes that carry the mark."""
        marked = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if self.mark.encode() in (entry / "environ").read_bytes():
                    marked.append(int(entry.name))
        return marked

    def start(self, script, *args, **environment):
        return subprocess.Popen(
            [TOP / "deploy" / script, *args],
            cwd=self.folder,
            env={
                **os.environ,
                "TRAWL_BIN": str(TESTS / "fake"),
                "TRAWL_STOP_SECONDS": "2",
                "TMPDIR": self.tmp,
                "TEST_MARK": self.mark,
                "FAKE_ARGUMENTS": str(self.arguments),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A parent in the background of a shell hands down an ignored SIGINT.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def finish(self, process):
        """The script's exit code, standard output and standard error; checks what it leaves."""
        out, err = process.communicate(timeout=LONG)
        self.assertEqual([], self.running(), "left running; " + err)
        self.assertEqual([], os.listdir(self.tmp))
        return process.returncode, out, err

    def run_script(self, script, *args, **environment):
        return self.finish(self.start(script, *args, **environment))

    def assert_refused(self, code, pattern, script, *args, **environment):
        actual, out, err = self.run_script(script, *args, **environment)
        self.assertEqual((code, ""), (actual, out), err)
        self.assertEqual(1, err.count("\n"), err)
        self.assertRegex(err, pattern)

    def jobs(self):
        crawls = self.folder / "crawls"
        return sorted(crawls.iterdir()) if crawls.exists() else []

    def started_crawl(self, *args, **environment):
        """A crawl that goes on until it is stopped, with its workers at work."""
        environment = {"FAKE_COORDINATOR": "wait", **environment}
        process = self.start("crawl.sh", SEED, "--workers", "2", *args, **environment)
        self.assertTrue(eventually(lambda: len(list(self.folder.glob("**/run/here-*"))) == 2))
        return process


class CrawlTest(ScriptTest):
    def test_leaves_results_and_a_tidy_folder(self):
        code, out, err = self.run_script("crawl.sh", SEED, "--workers", "2", FAKE_WORKERS="2")
        self.assertEqual((0, ""), (code, err))
        (job,) = self.jobs()
        self.assertRegex(job.name, r"^127\.0\.0\.1-8000-\d{8}-\d{6}$")
        self.assertEqual(f"summary of {job.name}\nexported {job}\n", out)
        self.assertEqual("{}\n{}\n", (job / "pages.jsonl").read_text())
        self.assertEqual(job.name + "\n", (job / "run/job").read_text())
        self.assertEqual([], list(job.glob("run/*.sock")) + list(job.glob("run/pids")))

    def test_passes_flags_to_the_program_that_knows_them(self):
        code, _, err = self.run_script(
            "crawl.sh", "--depth", "1", "--depth=2", SEED, "--concurrency=7", "--workers=1",
            "--user-agent", "a b", "--auth", "u:p", "--dns", "::1", "--ca-file=c", "--out", "re sults", "--job", "mine", "--quiet",
        )
        self.assertEqual((0, ""), (code, err))
        check, coordinator, worker = self.arguments.read_text().splitlines()
        out = self.folder / "re sults"
        rest = f"--depth 1 --depth=2 {SEED} --user-agent a b --auth u:p"
        self.assertEqual(f"--print-job --job mine {rest}", check)
        self.assertRegex(coordinator, f"^--job mine --out {out} --redis unix://.* --endpoint-file ")
        self.assertTrue(coordinator.endswith(f" --quiet {rest}"))
        self.assertEqual(f"--coordinator tcp://127.0.0.1:7000 --out {out} --dns ::1 --ca-file c "
                         "--concurrency 7", worker)

    def test_a_configuration_file_names_job_folder_and_redis(self):
        (self.folder / "c.toml").write_text('job = "mine"\nout = "there"\nredis = "redis://r"\n')
        code, _, err = self.run_script("crawl.sh", SEED, "--config", "c.toml", "--workers", "1")
        self.assertEqual((0, ""), (code, err))
        _, coordinator, worker = self.arguments.read_text().splitlines()
        self.assertRegex(coordinator, f"--job mine --out {self.folder}/there --redis redis://r ")
        self.assertIn("--config c.toml", worker)
        self.assertFalse((self.folder / "there/redis").exists())

    def test_uses_the_redis_that_it_is_given(self):
        code, _, _ = self.run_script("crawl.sh", SEED, "--redis", "redis://r", "--workers", "1")
        self.assertEqual(0, code)
        self.assertIn("--redis redis://r ", self.arguments.read_text())
        self.assertFalse((self.jobs()[0] / "redis").exists())

    def test_a_folder_of_any_length_holds_a_redis(self):
        out = "-" * 100 + "/" + "ö" * 60
        code, _, err = self.run_script("crawl.sh", SEED, "--out", "x/" + out, "--workers", "1")
        self.assertEqual((0, ""), (code, err))
        self.assertTrue((self.folder / "x" / out / "redis/appendonlydir").is_dir())

    def test_refuses_bad_usage_before_it_starts_anything(self):
        for args, pattern in [
            ((SEED, "--workers", "0"), "--workers: .*'0'"),
            ((SEED, "--workers", "many"), "--workers: .*'many'"),
            ((SEED, "--concurrency=1e3"), "--concurrency: .*'1e3'"),
            ((SEED, "--out"), "--out needs a value"),
            ((SEED, "--out="), "--out needs a value"),
            ((SEED, "--job", "--quiet"), "--job needs a value"),
            ((SEED, "--warc"), "--warc is not supported"),
            ((SEED, "--wrong"), "unknown flag --wrong"),
            ((), "no URL"),
            (("--depth", "2"), "no URL"),
            ((SEED, "--resume"), "--resume: no job of 127.0.0.1-8000"),
            ((SEED, "--resume", "--job", "mine"), "--resume: crawls/mine holds no job"),
            ((SEED, "--resume", "--out", "there"), "--resume: there holds no job"),
        ]:
            with self.subTest(args=args):
                self.assert_refused(2, pattern, "crawl.sh", *args)
                self.assertEqual([], [p.name for p in self.folder.iterdir() if p.is_dir()])

    def test_refuses_a_folder_with_a_jobs_data(self):
        self.run_script("crawl.sh", SEED, "--out", "there", "--workers", "1")
        self.assert_refused(2, "there holds a job's data", "crawl.sh", SEED, "--out", "there")
        (self.folder / "old").mkdir()
        (self.folder / "old/pages.jsonl").touch()
        self.assert_refused(2, "old holds a job's data", "crawl.sh", SEED, "--out", "old")

    def test_refuses_a_folder_that_it_cannot_write(self):
        (self.folder / "file").touch()
        self.assert_refused(1, "cannot write to .*file/x", "crawl.sh", SEED, "--out", "file/x")

    def test_two_crawls_of_a_host_in_the_same_second_do_not_meet(self):
        both = [self.start("crawl.sh", SEED, "--workers", "1") for _ in range(2)]
        results = [process.communicate(timeout=LONG) for process in both]
        self.assertEqual([0, 0], [process.returncode for process in both], results)
        self.assertEqual(2, len(self.jobs()))

    def test_the_coordinators_refusal_leaves_nothing_in_the_way(self):
        args = ("crawl.sh", SEED, "--out", "there", "--workers", "1")
        self.assert_refused(1, "cannot listen", *args, FAKE_COORDINATOR="refuse")
        self.assertFalse((self.folder / "there").exists())
        self.assertEqual(0, self.run_script(*args)[0])

    def test_starts_a_worker_that_died_again_but_not_too_often(self):
        for restarts, words in [("1", "; started again\n"),
                                ("0", "; too often to be started again; the others go on\n")]:
            with self.subTest(restarts=restarts):
                process = self.start("crawl.sh", SEED, "--workers", "3", "--out", restarts,
                                     FAKE_WORKER="die-one", FAKE_COORDINATOR="wait",
                                     TRAWL_RESTARTS=restarts)
                self.assertRegex(process.stderr.readline(),
                                 "worker [123] ended with code 3: out of luck" + words)
                process.send_signal(signal.SIGINT)
                code, out, err = self.finish(process)
                self.assertEqual(130, code, err)
                self.assertIn("summary", out)

    def test_a_workers_bad_usage_is_the_crawls(self):
        code, _, err = self.run_script("crawl.sh", SEED, "--workers", "2", "--dns", "x",
                                       FAKE_WORKER="usage", FAKE_COORDINATOR="wait")
        self.assertEqual(2, code)
        self.assertRegex(err, "worker [12] ended with code 2: .*--dns: 'x' is no address")
        self.assertNotIn("started again", err)

    def test_ends_when_no_worker_is_left(self):
        code, _, err = self.run_script("crawl.sh", SEED, "--workers", "2", TRAWL_RESTARTS="3",
                                       FAKE_WORKER="die", FAKE_COORDINATOR="wait")
        self.assertEqual(1, code)
        self.assertEqual(6, err.count("; started again"), err)
        self.assertRegex(err, "no worker is left; worker [12] ended with code 3: out of luck")
        self.assertRegex(err, "go on with: .*--resume --out")

    def test_ends_when_the_coordinator_dies_too_often(self):
        code, out, err = self.run_script("crawl.sh", SEED, "--workers", "2", TRAWL_RESTARTS="2",
                                         FAKE_COORDINATOR="die")
        self.assertEqual((1, ""), (code, out))
        self.assertEqual(2, err.count("the coordinator was ended by signal 9; started again"), err)
        self.assertRegex(err, "signal 9; too often to be started again\n"
                              ".*go on with: .*--resume")

    def pid_of(self, part):
        pids = (self.folder / "there/run/pids").read_text()
        return int(re.findall(rf"^{part} (\d+)$", pids, re.M)[-1])

    def test_starts_again_what_was_killed_in_its_place(self):
        process = self.started_crawl("--out", "there", "--listen", "tcp://127.0.0.1:*",
                                     TRAWL_RESTARTS="1")
        endpoint = self.folder / "there/run/endpoint"
        endpoint.unlink()
        for part, words in [("redis", "Redis"), ("worker-1", "worker 1"),
                            ("coordinator", "the coordinator")]:
            old = self.pid_of(part)
            os.kill(old, signal.SIGKILL)
            line = process.stderr.readline()
            self.assertRegex(line, f"{words} was ended by signal 9.*; started again")
            self.assertTrue(eventually(lambda: self.pid_of(part) != old))
        self.assertTrue(eventually(endpoint.exists))  # it listens
        coordinators = [line for line in self.arguments.read_text().splitlines()
                        if line.startswith("--job")]
        self.assertRegex(coordinators[0], r"--listen tcp://127.0.0.1:\* ")
        self.assertRegex(coordinators[1], "--listen tcp://0.0.0.0:7000 .*--resume ")
        process.send_signal(signal.SIGINT)
        code, out, err = self.finish(process)
        self.assertEqual(130, code, err)
        self.assertIn("summary of", out)

    def test_ends_when_redis_dies_too_often(self):
        process = self.started_crawl("--out", "there", TRAWL_RESTARTS="0")
        os.kill(self.pid_of("redis"), signal.SIGKILL)
        code, _, err = self.finish(process)
        self.assertEqual(1, code)
        self.assertIn("Redis was ended by signal 9", err)
        self.assertRegex(err, "too often to be started again\n.*go on with: .*--resume")


class StopTest(ScriptTest):
    def test_a_signal_drains_and_tells_how_to_go_on(self):
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]:
            with self.subTest(signal=number):
                process = self.started_crawl("--out", f"there{code}")
                # A terminal's Ctrl-C goes to all of the script's group.
                os.killpg(process.pid, number)
                actual, out, err = self.finish(process)
                self.assertEqual(code, actual, err)
                self.assertIn("summary of", out)
                self.assertIn("exported", out)
                self.assertEqual(1, err.count("\n"), err)
                self.assertRegex(err, "stopped; go on with: .*crawl.sh --resume http.*--out there")
                shutil.rmtree(self.folder / f"there{code}")

    def test_a_signal_before_the_crawl_leaves_nothing(self):
        process = self.start("crawl.sh", SEED, "--out", "there", FAKE_COORDINATOR="wait")
        self.assertTrue(eventually((self.folder / "there/redis").exists))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(143, self.finish(process)[0])

    def test_the_second_signal_ends_all_at_once(self):
        process = self.started_crawl(FAKE_COORDINATOR="deaf", TRAWL_STOP_SECONDS="1000")
        os.killpg(process.pid, signal.SIGINT)
        line = process.stderr.readline()
        self.assertIn("waiting up to 1000 s", line)
        os.killpg(process.pid, signal.SIGINT)
        code, _, _ = self.finish(process)
        self.assertEqual(130, code)

    def test_a_coordinator_that_drains_is_given_the_time(self):
        process = self.started_crawl(FAKE_COORDINATOR="slow", TRAWL_STOP_SECONDS="30")
        process.send_signal(signal.SIGTERM)
        code, out, _ = self.finish(process)
        self.assertEqual(143, code)
        self.assertIn("summary of", out)

    def test_a_coordinator_that_does_not_drain_is_killed(self):
        process = self.started_crawl(FAKE_COORDINATOR="deaf")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(143, self.finish(process)[0])

    def test_resumes_the_newest_job_of_the_host(self):
        process = self.started_crawl()
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process)[0])
        (job,) = self.jobs()
        (self.folder / "crawls" / "127.0.0.1-8000-other").mkdir()
        code, out, err = self.run_script("crawl.sh", SEED, "--resume", "--workers", "1")
        self.assertEqual((0, ""), (code, err))
        self.assertIn(f"summary of {job.name}", out)

    def test_a_refusal_to_resume_tells_no_way_to(self):
        process = self.started_crawl("--out", "there")
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process)[0])
        self.assert_refused(2, "--resume: other rules", "crawl.sh", SEED, "--resume", "--out",
                            "there", FAKE_COORDINATOR="rules")

    def test_the_command_it_prints_resumes_the_job(self):
        process = self.started_crawl("--user-agent", "it's me")
        process.send_signal(signal.SIGINT)
        _, _, err = self.finish(process)
        command = re.search("go on with: (.*)", err)[1]
        done = subprocess.run(
            ["bash", "-c", command], cwd="/", capture_output=True, text=True, timeout=LONG,
            env={**os.environ, "TRAWL_BIN": str(TESTS / "fake")},
        )
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn(f"summary of {self.jobs()[0].name}", done.stdout)

    def test_after_sigkill_nothing_stays_and_the_job_resumes(self):
        process = self.started_crawl("--out", "there")
        process.kill()
        process.communicate(timeout=LONG)
        shutil.rmtree(self.tmp)
        os.mkdir(self.tmp)
        code, _, err = self.run_script("crawl.sh", SEED, "--resume", "--out", "there",
                                       "--workers", "1")
        self.assertEqual((0, ""), (code, err))
        self.assertTrue(eventually(lambda: not self.running()))

    def test_refuses_to_resume_what_is_running(self):
        process = self.started_crawl("--out", "there")
        other = self.start("crawl.sh", SEED, "--resume", "--out", "there")
        _, err = other.communicate(timeout=LONG)
        self.assertEqual(1, other.returncode)
        self.assertIn("is in use by a crawl that is running", err)
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, self.finish(process)[0])


class PartsTest(ScriptTest):
    def test_a_coordinator_and_workers_crawl_together(self):
        coordinator = self.start("coordinator.sh", SEED, "--out", "there", FAKE_WORKERS="3")
        self.assertTrue(eventually((self.folder / "there/run/job").exists))
        code, _, err = self.run_workers("3", "--coordinator", "tcp://h:1", "--out", "there")
        self.assertEqual((0, ""), (code, err))
        code, out, err = self.finish(coordinator)
        self.assertEqual(0, code, err)
        self.assertIn("summary of", out)
        self.assertIn("workers.sh N --coordinator tcp://127.0.0.1:7000", err)

    def run_workers(self, *args):
        process = self.start("workers.sh", *args)
        out, err = process.communicate(timeout=LONG)
        return process.returncode, out, err

    def test_a_drained_coordinator_is_a_success(self):
        process = self.start("coordinator.sh", SEED, "--out", "there", FAKE_COORDINATOR="wait")
        self.assertTrue(eventually((self.folder / "there/run/job").exists))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.finish(process)[0])

    def test_the_coordinator_refuses_what_belongs_to_workers(self):
        self.assert_refused(2, "belong to deploy/workers.sh", "coordinator.sh", SEED, "--workers=2")

    def test_drained_workers_are_a_success(self):
        process = self.start("workers.sh", "2", "--coordinator", "tcp://h:1", "--concurrency", "9",
                             "--dns", "::1", "--out", "mine")
        here = self.folder / "mine/run"
        self.assertTrue(eventually(lambda: len(list(here.glob("here-*"))) == 2))
        os.killpg(process.pid, signal.SIGINT)
        code, _, err = self.finish(process)
        self.assertEqual((0, ""), (code, err))
        self.assertIn("--concurrency 9 --dns ::1", self.arguments.read_text())

    def test_dead_workers_are_a_failure(self):
        code, _, err = self.run_script("workers.sh", "1", "--coordinator", "tcp://h:1",
                                       FAKE_WORKER="die", TRAWL_RESTARTS="2")
        self.assertEqual(1, code)
        self.assertEqual(2, err.count("worker 1 ended with code 3; started again"), err)
        self.assertIn("worker 1 ended with code 3; too often to be started again; 0 go on", err)

    def test_workers_refuse_bad_usage(self):
        for args, pattern in [
            ((), "how many workers"),
            (("0", "--coordinator", "tcp://h:1"), "N: a whole number"),
            (("2",), "--coordinator tcp://HOST:PORT is needed"),
            (("2", "--coordinator", "h:1"), "--coordinator tcp://HOST:PORT is needed"),
            (("2", "3", "--coordinator", "tcp://h:1"), "one number"),
            (("2", "--coordinator", "tcp://h:1", "--name", "x"), "--name"),
        ]:
            with self.subTest(args=args):
                self.assert_refused(2, pattern, "workers.sh", *args)
        code, _, err = self.run_script("workers.sh", "1", "--coordinator", "tcp://h:1", "--bad")
        self.assertEqual(2, code, err)


class ControlTest(ScriptTest):
    def test_refuses_what_it_cannot_steer(self):
        for args, code, pattern in [
            ((), 2, "Give pause, resume or stop first"),
            (("halt",), 2, "Give pause, resume or stop first"),
            (("pause", "a", "b"), 2, "one job is enough"),
            (("pause",), 1, "there is no job in .*/crawls"),
            (("stop", "mine"), 1, "crawls/mine holds no job"),
            (("stop", "--redis", "unix:///nowhere"), 1, "does not answer"),
        ]:
            with self.subTest(args=args):
                self.assert_refused(code, pattern, "control.sh", *args)

    def test_says_so_when_nobody_obeys(self):
        process = self.started_crawl("--out", "there", "--job", "mine")
        redis = ["redis-cli", "-s", "redis.sock"]
        run = self.folder / "there/run"
        control = self.start("control.sh", "pause", "--out", "there")
        _, err = control.communicate(timeout=LONG)
        self.assertEqual(1, control.returncode)
        self.assertIn("there is no job mine in this Redis", err)  # the fake one makes none
        for state, pattern in [("running", "has not obeyed yet"), ("finished", "it is finished")]:
            subprocess.run([*redis, "HSET", "trawl:{mine}:job", "state", state], cwd=run,
                           check=True, stdout=subprocess.DEVNULL)
            control = self.start("control.sh", "pause", "mine", "--out", "there",
                                 TRAWL_STOP_SECONDS="1")
            _, err = control.communicate(timeout=LONG)
            self.assertEqual(1, control.returncode)
            self.assertIn(pattern, err)
        process.send_signal(signal.SIGINT)
        self.finish(process)


class StatusTest(ScriptTest):
    def redis(self, *args):
        subprocess.run(["redis-cli", "-s", "redis.sock", *args], check=True, timeout=LONG,
                       cwd=next(self.folder.glob("**/run")), stdout=subprocess.DEVNULL)

    def fill(self, job):
        key = "trawl:{" + job + "}:"
        self.redis("SADD", "trawl:jobs", job)
        self.redis("HSET", key + "job", "state", "running", "seeds", SEED, "started", "2026-01-02")
        self.redis("HSET", key + "stats", "admitted", "10", "fetched", "4", "failed", "1",
                   "dropped:scope", "3")
        self.redis("HSET", key + "round:0", "admitted", "1", "fetched", "1")
        self.redis("HSET", key + "round:1", "admitted", "9", "leased", "2", "fetched", "3")
        self.redis("HSET", key + "workers", "h-1", '{"host": "h", "in_flight": 2}')

    def stop(self, process):
        process.send_signal(signal.SIGINT)
        self.finish(process)

    def status(self, *args):
        process = self.start("status.sh", *args)
        out, err = process.communicate(timeout=LONG)
        return process.returncode, out, err

    def test_shows_the_job_that_runs(self):
        process = self.started_crawl()
        (job,) = self.jobs()
        self.fill(job.name)
        for args in [(), (job.name,), ("--out", f"crawls/{job.name}")]:
            code, out, err = self.status(*args)
            self.assertEqual((0, ""), (code, err))
            self.assertRegex(out, f"job +{job.name}\nstate +running\nseeds +{SEED}\n")
            self.assertIn("frontier  5 URLs", out)
            self.assertRegex(out, r"\ndropped:scope +3\n")
            self.assertNotIn("sitemaps", out)
            self.assertRegex(out, r"\n +0 +1 +0 +1 +0 +0\n +1 +9 +2 +3 +0 +0\n")
            self.assertIn("h-1: host h, in flight 2", out)
        self.redis("HSET", f"trawl:{{{job.name}}}:job", "sitemaps", "http://a.test/map.xml")
        self.assertIn("sitemaps  http://a.test/map.xml\n", self.status()[1])
        self.stop(process)
        code, out, err = self.status()
        self.assertEqual((1, ""), (code, out))
        self.assertRegex(err, f"{job.name} is not running; .*--resume --out crawls/{job.name}")

    def test_lists_the_jobs_of_a_given_redis(self):
        process = self.started_crawl("--out", "there", "--job", "one")
        self.fill("one")
        self.fill("two")
        with tempfile.TemporaryDirectory() as short:
            os.symlink(self.folder / "there/run", short + "/run")
            url = f"unix://{short}/run/redis.sock"
            code, out, err = self.status("--redis", url)
            self.assertEqual((0, ""), (code, err))
            self.assertRegex(out, "^one +running +4 of 10 URLs fetched\ntwo +running ")
            self.assertIn("job       two", self.status("two", "--redis", url)[1])
            self.assertEqual(1, self.status("three", "--redis", url)[0])
        self.stop(process)

    def test_refuses_what_is_not_there(self):
        self.assert_refused(1, "there is no job in", "status.sh")
        self.assert_refused(1, "crawls/mine holds no job", "status.sh", "mine")
        self.assert_refused(1, "does not answer", "status.sh", "--redis", "unix:///nowhere")
        self.assert_refused(2, "unknown flag '--x'", "status.sh", "--x")


class InstallTest(ScriptTest):
    """With stand-ins for dpkg-query and apt-get, and for sudo in case that it is not root."""

    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.log = self.folder / "apt.log"
        self.write("sudo", 'exec "$@"')
        self.write("dpkg-query", 'for p in "$@"; do echo "installed $p"; done | grep -v "^.* lib"')
        self.write("apt-get", f'echo "$DEBIAN_FRONTEND $*" >>"{self.log}"')

    def write(self, program, text):
        (self.bin / program).write_text("#!/usr/bin/env bash\n" + text + "\n")
        (self.bin / program).chmod(0o755)

    def install(self, *args):
        return self.run_script("install-packages.sh", *args,
                               PATH=f"{self.bin}:{os.environ['PATH']}")

    def test_does_nothing_when_all_is_there(self):
        self.write("dpkg-query", 'for p in "$@"; do echo "installed $p"; done')
        self.assertEqual((0, "", ""), self.install("--test"))
        self.assertFalse(self.log.exists())

    def test_installs_what_is_missing_and_no_more(self):
        code, out, err = self.install()
        self.assertEqual((0, ""), (code, out), err)
        update, install = self.log.read_text().splitlines()
        self.assertRegex(update, "^noninteractive .* update$")
        self.assertRegex(install, " install --no-install-recommends --no-remove (lib[^ ]+ ?)+$")
        self.assertIn(" libboost-json1.81-dev ", install)

    def test_waits_for_another_apt(self):
        self.write("apt-get", f"""
            echo "$*" >>"{self.log}"
            if (($(wc -l <"{self.log}") < 3)); then
              echo "E: Could not get lock /var/lib/apt/lists/lock."
              exit 100
            fi""")
        code, _, err = self.install()
        self.assertEqual(0, code, err)
        self.assertEqual(4, len(self.log.read_text().splitlines()))

    def test_shows_why_apt_failed(self):
        self.write("apt-get", 'echo "E: the disk is full"; exit 100')
        code, _, err = self.install()
        self.assertEqual(1, code)
        self.assertRegex(err, "the disk is full\ninstall-packages.sh: apt-get could not install: ")


class FuzzTest(ScriptTest):
    """With stand-ins for the fuzz targets."""

    def setUp(self):
        super().setUp()
        self.write("good", 'echo "$*" >>"$FAKE_ARGUMENTS"; echo "stat::number_of_executed_units: 7"')
        self.write("url", 'ls "${@: -1}" >"$FAKE_ARGUMENTS"; touch "${@: -1}/new"')

    def write(self, target, text):
        program = self.folder / f"{target}_fuzz"
        program.write_text("#!/usr/bin/env bash\n" + text + "\n")
        program.chmod(0o755)

    def fuzz(self, *args):
        return self.run_script("../tests/fuzz/run.sh", *args, TRAWL_BIN=str(self.folder))

    def test_runs_one_target_for_so_many_seconds(self):
        self.assertEqual((0, "good: 7 inputs\n", ""), self.fuzz("9", "good"))
        self.assertIn("-max_total_time=9 ", self.arguments.read_text())

    def test_leaves_the_seeds_as_they_are(self):
        seeds = TOP / "tests/fuzz/corpus/url"
        before = sorted(os.listdir(seeds))
        self.assertEqual(0, self.fuzz("1", "url")[0])
        self.assertEqual(before, self.arguments.read_text().split())
        self.assertEqual(before, sorted(os.listdir(seeds)))

    def test_tells_what_found_a_bug_after_running_all(self):
        self.write("bad", 'echo "#1 NEW"; echo "a rule"; echo "Test unit written to /x/crash"; exit 77')
        code, out, err = self.fuzz()
        self.assertEqual(1, code)
        self.assertEqual("a rule\nTest unit written to /x/crash\ngood: 7 inputs\nurl:  inputs\n", out)
        self.assertRegex(err, "bad found a bug; to see it again: .*/bad_fuzz /x/crash\n$")

    def test_refuses_what_is_not_there(self):
        name = "../tests/fuzz/run.sh"
        self.assert_refused(2, "no target 'none' in ", name, "none", TRAWL_BIN=str(self.folder))
        self.assert_refused(1, "no targets in /nowhere", name, TRAWL_BIN="/nowhere")
        self.assert_refused(2, "unknown flag '--x'", name, "--x")


if __name__ == "__main__":
    unittest.main()
