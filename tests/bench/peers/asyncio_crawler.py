#!/usr/bin/env python3
"""asyncio_crawler.py URL FILE: crawls URL's host as the tutorials do, a JSON line a page."""

import asyncio
import json
import sys
import urllib.parse

import aiohttp
import lxml.html

IN_FLIGHT = 200


async def fetch(session, url, host, seen, queue, pages):
    async with session.get(url) as response:
        if response.status != 200 or response.content_type != "text/html":
            return
        document = lxml.html.document_fromstring(await response.read(), base_url=str(response.url))
    row = {"url": str(response.url), "title": document.findtext(".//title")}
    print(json.dumps(row), file=pages)
    for href in document.xpath("//a/@href"):
        link, _ = urllib.parse.urldefrag(urllib.parse.urljoin(str(response.url), href))
        if link not in seen and urllib.parse.urlsplit(link)[:2] == ("http", host):
            seen.add(link)
            queue.put_nowait(link)


async def work(session, host, seen, queue, pages):
    while True:
        url = await queue.get()
        try:
            await fetch(session, url, host, seen, queue, pages)
        except (aiohttp.ClientError, ValueError) as error:
            print(f"{url}: {error!r}", file=sys.stderr)
        finally:
            queue.task_done()


async def crawl(seed, pages):
    queue, seen = asyncio.Queue(), {seed}
    queue.put_nowait(seed)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:
        host = urllib.parse.urlsplit(seed).netloc
        workers = [
            asyncio.create_task(work(session, host, seen, queue, pages)) for _ in range(IN_FLIGHT)
        ]
        await queue.join()
        for worker in workers:
            worker.cancel()


with open(sys.argv[2], "w", encoding="utf-8") as output:
    asyncio.run(crawl(sys.argv[1], output))
