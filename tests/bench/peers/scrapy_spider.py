"""scrapy runspider scrapy_spider.py -a url=URL -o FILE.jsonl: crawls URL's host, without delays."""

import urllib.parse

import scrapy
from scrapy.http import HtmlResponse

IN_FLIGHT = 200


class Site(scrapy.Spider):
    name = "site"
    custom_settings = {
        "CONCURRENT_REQUESTS": IN_FLIGHT,
        "CONCURRENT_REQUESTS_PER_DOMAIN": IN_FLIGHT,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "LOG_LEVEL": "ERROR",
    }

    def __init__(self, url):
        super().__init__()
        self.start_urls = [url]
        self.allowed_domains = [urllib.parse.urlsplit(url).hostname]

    def parse(self, response):
        if not isinstance(response, HtmlResponse):
            return
        yield {"url": response.url, "title": response.css("title::text").get()}
        yield from response.follow_all(css="a")
