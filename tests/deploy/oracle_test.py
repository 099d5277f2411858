"""Tests of tests/e2e/oracle.py, which the end-to-end tests believe."""

import contextlib
import http.server
import io
import json
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))
import oracle

HTML = {"Content-Type": "text/html; charset=utf-8"}
SITE = {
    "/": (200, HTML, '<a href="one">1</a><a href="/far#x"><a href=/image><a href="http://else/">'),
    "/one": (200, HTML, '<iframe src="/to-three"></iframe><a href="two"><a href="gone">'),
    "/two": (200, HTML, '<a href="three"><meta http-equiv=refresh content="0; url=\'five\'">'),
    "/to-three": (302, {"Location": "/to-three-2"}, ""),
    "/to-three-2": (301, {"Location": "three"}, ""),
    "/three": (200, {"Content-Type": "Application/XHTML+xml"}, '<base href="/d/"><a href="e"/>'),
    "/far": (307, {"Location": "/two"}, ""),
    "/image": (200, {"Content-Type": "image/png"}, ""),
    "/five": (200, HTML, ""),
    "/d/e": (200, HTML, '<!-- <a href="/five"> --><script>"<a href=/no>"</script>'),
}
DEPTHS = {"/": 0, "/one": 1, "/two": 1, "/three": 2, "/five": 2, "/d/e": 3}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, headers, body = SITE.get(self.path, (404, HTML, ""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class CrawlTest(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def test_a_redirect_costs_nothing(self):
        depths = oracle.crawl([self.origin + "/"], 9, 4)
        self.assertEqual({self.origin + path: depth for path, depth in DEPTHS.items()}, depths)

    def test_stops_at_the_greatest_depth(self):
        depths = oracle.crawl([self.origin + "/"], 1, 4)
        self.assertEqual({self.origin + path for path in ("/", "/one", "/two")}, set(depths))


class CanonicalTest(unittest.TestCase):
    def test_canonical(self):
        for href, url in [
            ("", "http://h/a/b?q"),
            ("#f", "http://h/a/b?q"),
            ("c", "http://h/a/c"),
            ("../../x/./y/..", "http://h/x/"),
            ("?", "http://h/a/b"),
            ("HTTP://EXAMPLE.com:80", "http://example.com/"),
            ("https://e.com:443/%7ea%2fb%c3", "https://e.com/~a%2Fb%C3"),
            ("//e.com:81/ö b", "http://e.com:81/%C3%B6%20b"),
            (" \\x\ny ", "http://h/xy"),
            ("http://u:p@e.com/", "http://e.com/"),
            ("http://[::1]:8/", "http://[::1]:8/"),
            ("mailto:a@b", None),
            ("http://e.com:99999/", None),
        ]:
            with self.subTest(href=href):
                self.assertEqual(url, oracle.canonical("http://h/a/b?q", href))


class CompareTest(unittest.TestCase):
    def verdict(self, rows):
        with tempfile.TemporaryDirectory() as folder, io.StringIO() as output:
            with open(folder + "/pages.jsonl", "w") as file:
                for url, depth in rows:
                    file.write(json.dumps({"url": url, "depth": depth, "status": 200}) + "\n")
            with contextlib.redirect_stdout(output):
                same = oracle.compare({"a": 0, "b": 1}, folder)
            return same, output.getvalue()

    def test_the_same(self):
        self.assertEqual((True, "the same: 2 pages, greatest depth 1\n"),
                         self.verdict([("b", 1), ("a", 0)]))

    def test_each_difference(self):
        for rows, line in [
            ([("a", 0)], "missing: b (depth 1)"),
            ([("a", 0), ("b", 1), ("c", 1)], "not expected: c (depth 1)"),
            ([("a", 0), ("b", 1), ("b", 1)], "more than once: b (2 times)"),
            ([("a", 0), ("b", 2)], "at another depth: b (depth 2, not 1)"),
        ]:
            with self.subTest(line=line):
                same, output = self.verdict(rows)
                self.assertFalse(same)
                self.assertIn(line, output)


if __name__ == "__main__":
    unittest.main()
