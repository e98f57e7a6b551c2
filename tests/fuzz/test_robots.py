from fetcher import Result, Target
from fetcher.engine.robots import MAX_CRAWL_DELAY_SECONDS, Robots
from tests.fuzz import fuzz

PAGES = [Target.read("http://a.example/private/open?x=1"), Target.read("http://a.example/%7Ea/\u00e9.pdf")]
ORIGIN = PAGES[0].parsed.origin


def test_any_robots_txt_allows_or_forbids_each_page():
    def check(data):
        robots = Robots("fetcher/1.0")
        delay = robots.learn(ORIGIN, Result("http://a.example/robots.txt", 1, None, True, 200, body=data), 0.0)
        assert delay is None or 0 < delay <= MAX_CRAWL_DELAY_SECONDS
        for page in PAGES:
            refusal = robots.refusal(page)
            assert refusal is None or refusal.word == "robots"

    fuzz("robots", check)
