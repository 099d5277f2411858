#!/usr/bin/env python3
"""What Trawl computes, once more and as plainly as can be: every page of a site with its depth.

    oracle.py URL... [--depth N] [--threads N] [--write FILE] [--results DIR]
    oracle.py --compare FILE DIR

Crawls from the URLs, breadth first, in scope `host`, and compares what it finds with
DIR/pages.jsonl: exactly the same URLs, each once, each at its exact depth. Or saves what it finds,
and compares with that later without crawling again. Ends with 0 when all is the same, 1 when not,
2 on bad usage.

The rules:

- A page's depth is its shortest distance from a seed in links. A redirect costs nothing: its target
  has the depth of the URL that redirects.
- A page is an answer 2xx of type text/html or application/xhtml+xml.
- Links are a[href], area[href], iframe[src], frame[src] and meta refresh, against <base href>.
- In scope is what has host and port of a seed; http and https on their default ports count as one.

It asks for no robots.txt and waits for nobody: it is for one's own site. It does not count
redirects in a row, and takes a page's text for UTF-8 unless the server says otherwise.

Nothing but Python's standard library, and nothing of Trawl.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import html.parser
import http.client
import json
import os
import re
import sys
import threading
import urllib.parse

PAGE_TYPES = ("text/html", "application/xhtml+xml")
REDIRECTS = (301, 302, 303, 307, 308)
DEFAULT_PORTS = {"http": 80, "https": 443}
TIMEOUT_SECONDS = 60
MOST_SHOWN = 10


# ---- URLs ----


def canonical(base, href):
    """The canonical URL of `href` on a page at `base`, or None if it is nothing to crawl."""
    href = re.sub(r"[\t\n\r]", "", href.strip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r "))
    if href.partition("#")[0] == "?":  # urljoin takes an empty query for none
        base = base.partition("?")[0]
    try:
        parts = urllib.parse.urlsplit(urllib.parse.urljoin(base, backslashes_turned(href)))
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        if scheme not in DEFAULT_PORTS or not host:
            return None
        host = host.encode("idna").decode() if not host.isascii() else host
    except ValueError:
        return None
    if ":" in host:
        host = f"[{host}]"
    if port not in (None, DEFAULT_PORTS[scheme]):
        host += f":{port}"
    path = without_dot_segments(escaped(parts.path, "!$&'()*+,;=:@/%|[]"))
    query = escaped(parts.query, "!$&()*+,;=:@/?%|[]^`{}\\")
    return f"{scheme}://{host}{path}" + (f"?{query}" if query else "")


def backslashes_turned(href):
    """A backslash before query and fragment is a slash, as in a browser."""
    end = re.search(r"[?#]", href)
    end = end.start() if end else len(href)
    return href[:end].replace("\\", "/") + href[end:]


def escaped(text, allowed):
    """Percent-escapes what is not allowed, and unescapes what needs no escape."""

    def tidy(match):
        character = chr(int(match[1], 16))
        if character.isascii() and (character.isalnum() or character in "-._~"):
            return character
        return match[0].upper()

    return re.sub("%([0-9A-Fa-f]{2})", tidy, urllib.parse.quote(text, safe=allowed))


def without_dot_segments(path):
    segments = []
    parts = path.split("/")[1:] or [""]
    for number, segment in enumerate(parts):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment != ".":
            segments.append(segment)
            continue
        if number == len(parts) - 1:
            segments.append("")
    return "/" + "/".join(segments)


def origin(url):
    """What must be equal for two URLs to be in each other's scope."""
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


# ---- Pages ----


class LinkParser(html.parser.HTMLParser):
    """Collects a page's links as they are written."""

    LINKS = {"a": "href", "area": "href", "iframe": "src", "frame": "src"}
    # Text, or a document of their own: a tag inside is none of the page's.
    OPAQUE = {"template", "textarea", "title", "xmp", "iframe", "noembed", "noframes"}

    def __init__(self):
        super().__init__()
        self.hrefs = []
        self.base = None
        self.opaque = []

    def handle_starttag(self, tag, attrs):
        if self.opaque:
            if tag == "template" == self.opaque[-1]:
                self.opaque.append(tag)
            return
        attributes = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        if attributes.get(self.LINKS.get(tag)) is not None:
            self.hrefs.append(attributes[self.LINKS[tag]])
        elif tag == "base" and self.base is None:
            self.base = attributes.get("href")
        elif tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
            self.add_refresh(attributes.get("content", ""))
        if tag in self.OPAQUE:
            self.opaque.append(tag)

    def handle_startendtag(self, tag, attrs):
        # In HTML, the slash of <a/> says nothing.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if self.opaque and tag == self.opaque[-1]:
            self.opaque.pop()

    def add_refresh(self, content):
        pattern = r"\s*[\d.]+\s*[;,\s]\s*(?:url\s*=\s*)?(?:(['\"])(.*?)(?:\1.*)?|(.*))"
        match = re.fullmatch(pattern, content, re.I | re.S)
        if match and (match[2] or match[3]):
            self.hrefs.append(match[2] or match[3])


def links_of(url, text):
    """The canonical URLs that the page at `url` links to."""
    parser = LinkParser()
    parser.feed(text)
    parser.close()
    base = url
    if parser.base is not None:
        base = urllib.parse.urljoin(url, parser.base.strip())
    return {link for href in parser.hrefs if (link := canonical(base, href))}


# ---- HTTP ----


class Fetcher:
    """Fetches over connections that are kept alive: one for each thread and origin."""

    def __init__(self):
        self.local = threading.local()
        self.opened = []

    def close(self):
        for connection in self.opened:
            connection.close()

    def fetch(self, url):
        """("page", links), ("redirect", target or None), or ("other", reason)."""
        try:
            response, body = self.exchange(url)
        except (OSError, http.client.HTTPException) as error:
            return "other", repr(error)
        if response.status in REDIRECTS and response.getheader("Location"):
            # http.client takes a header for Latin-1; what is in it are bytes, UTF-8 if anything.
            location = response.getheader("Location").encode("latin-1").decode(errors="replace")
            return "redirect", canonical(url, location)
        content_type = ""
        if "Content-Type" in response.headers:
            content_type = response.headers.get_content_type()
        if not 200 <= response.status < 300 or content_type not in PAGE_TYPES:
            return "other", f"{response.status} {content_type}"
        charset = response.headers.get_content_charset("utf-8")
        try:
            text = body.decode(charset, errors="replace")
        except LookupError:
            text = body.decode(errors="replace")
        return "page", links_of(url, text)

    def exchange(self, url):
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connections = self.local.__dict__.setdefault("connections", {})
        key = parts.scheme, parts.netloc
        for is_last in (False, True):
            connection = connections.get(key)
            if connection is None:
                kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
                connection = kind[parts.scheme](parts.netloc, timeout=TIMEOUT_SECONDS)
                connections[key] = connection
                self.opened.append(connection)
            try:
                connection.request("GET", target, headers={"User-Agent": "oracle"})
                response = connection.getresponse()
                return response, response.read()
            except (OSError, http.client.HTTPException):
                # The server may close a connection that it kept alive: once more on a new one.
                connection.close()
                del connections[key]
                if is_last:
                    raise


# ---- The crawl ----


def crawl(seeds, greatest_depth, threads):
    """{url: depth} of all pages."""
    origins = {origin(seed) for seed in seeds}
    depths = {}
    seen = set()
    found = list(seeds)
    with (
        contextlib.closing(Fetcher()) as fetcher,
        concurrent.futures.ThreadPoolExecutor(threads) as pool,
    ):
        for depth in range(greatest_depth + 1):
            links = []
            # `found` is all that may have this depth. Redirects lead on within it; only when they
            # have come to their ends is it known what is farther away.
            while found:
                todo = [u for u in dict.fromkeys(found) if u not in seen and origin(u) in origins]
                seen.update(todo)
                found = []
                for url, (kind, result) in zip(todo, pool.map(fetcher.fetch, todo)):
                    if kind == "page":
                        depths[url] = depth
                        links.extend(result)
                    elif kind == "redirect" and result:
                        found.append(result)
            found = links
    return depths


# ---- The comparison ----


def read_pages(folder):
    """[(url, depth)] of the rows of pages.jsonl."""
    with open(os.path.join(folder, "pages.jsonl"), encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [(row["url"], row["depth"]) for row in rows]


def summary(depths):
    return f"{len(depths)} pages, greatest depth {max(depths.values(), default=0)}"


def compare(expected, folder):
    """Prints a verdict and the first differences; returns whether there are none."""
    rows = read_pages(folder)
    times = collections.Counter(url for url, _ in rows)
    actual = dict(rows)
    missing = sorted(expected.keys() - actual.keys())
    surplus = sorted(actual.keys() - expected.keys())
    differences = {
        "missing": [f"{u} (depth {expected[u]})" for u in missing],
        "not expected": [f"{u} (depth {actual[u]})" for u in surplus],
        "more than once": [f"{u} ({n} times)" for u, n in sorted(times.items()) if n > 1],
        "at another depth": [
            f"{u} (depth {actual[u]}, not {expected[u]})"
            for u in sorted(expected.keys() & actual.keys())
            if actual[u] != expected[u]
        ],
    }
    if not any(differences.values()):
        print(f"the same: {summary(expected)}")
        return True
    counts = ", ".join(f"{len(urls)} {what}" for what, urls in differences.items() if urls)
    print(f"different: {counts}; {len(expected)} pages expected, {len(rows)} rows found")
    for what, urls in differences.items():
        for url in urls[:MOST_SHOWN]:
            print(f"  {what}: {url}")
    return False


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="*", metavar="URL")
    parser.add_argument("--depth", type=int, default=3, help="greatest depth fetched [3]")
    parser.add_argument("--threads", type=int, default=8, help="requests in flight [8]")
    parser.add_argument("--write", metavar="FILE", help="save what is found, as JSON")
    parser.add_argument("--results", metavar="DIR", help="compare with DIR/pages.jsonl")
    parser.add_argument("--compare", nargs=2, metavar=("FILE", "DIR"), help="what was saved")
    options = parser.parse_args()
    if bool(options.urls) == bool(options.compare):
        parser.error("give URLs to crawl from, or --compare FILE DIR")

    try:
        if options.compare:
            file, folder = options.compare
            with open(file, encoding="utf-8") as saved:
                depths = json.load(saved)
        else:
            folder = options.results
            seeds = [canonical(url, url) for url in options.urls]
            if None in seeds:
                parser.error(f"not a URL that can be crawled: {options.urls[seeds.index(None)]}")
            depths = crawl(seeds, options.depth, options.threads)
            if options.write:
                with open(options.write, "w", encoding="utf-8") as saved:
                    json.dump(depths, saved, indent=0, sort_keys=True)
        if folder:
            return 0 if compare(depths, folder) else 1
        print(summary(depths))
        return 0
    except (OSError, ValueError, KeyError) as error:
        print(f"oracle.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
