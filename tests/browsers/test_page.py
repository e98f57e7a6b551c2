"""The page of `fetcher report --html` in a browser: quiet, usable and accessible, wide and narrow, light and dark."""
from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from fetcher.report.diff import difference
from tests.report.pages import failed, hostile, page, record

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

_PATIENCE = 120_000     # milliseconds that only a hang takes
VIEWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
RECORDS = [
    *(record(f"https://host-{number % 7}.example/{number}", line=number, time_total=number / 10, time_appconnect=0.05,
             timestamp=f"2026-03-01T12:{number:02}:00.000Z",
             tls={"not_after": "2026-03-09T00:00:00.000Z", "subject": "CN=x", "issuer": "CN=R3"})
      for number in range(1, 40)),
    *(failed("dns", f"http://none-{number}.example/", line=number) for number in range(9, 21)),
    failed("http", "http://a.example/gone", status=404, line=100),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=_PATIENCE)
        yield browser
        browser.close()


class Opened:
    """A page, and what it said and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.noise: list[str] = []
        page.on("console", lambda message: self.noise.append(message.text))
        page.on("pageerror", lambda error: self.noise.append(str(error)))
        page.on("dialog", lambda dialog: self.noise.append(dialog.message))
        page.on("request", lambda request: self.noise.append(request.url))

    def column(self, table: str, number: int) -> list[str]:
        """The text of the cells of a column of `table` that are seen."""
        return self.page.locator(f"#{table} tbody tr:visible > :nth-child({number})").all_inner_texts()


@pytest.fixture
def opened(browser, tmp_path):
    """Open HTML in a new window."""
    contexts = []

    def open_page(text: str, width: int = 1280, scheme: str = "light", **options) -> Opened:
        (tmp_path / "page.html").write_text(text)
        contexts.append(browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options))
        contexts[-1].set_default_timeout(_PATIENCE)
        opened = Opened(contexts[-1].new_page())
        opened.page.goto((tmp_path / "page.html").as_uri())
        assert opened.noise.pop(0).startswith("file:")
        return opened

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_axe_finds_no_fault_and_nothing_is_asked_for(opened, width, scheme):
    found = difference([record(f"http://a.example/{number}") for number in range(9)], RECORDS)
    at = opened(page(RECORDS, "status", found), width, scheme)
    assert at.page.evaluate("document.documentElement.scrollWidth") == width
    at.page.locator("summary").click()
    at.page.locator("#failures-filter").fill("dns")
    at.page.locator("#hosts th button").first.click()
    result = Axe().run(at.page)
    assert result.violations_count == 0, result.generate_report()
    assert at.noise == []


def test_tables_are_sorted_by_their_headers(opened):
    at = opened(page(RECORDS))
    records = at.page.get_by_role("columnheader", name="Records", exact=True).and_(at.page.locator("#hosts th"))
    records.get_by_role("button").click()
    assert records.get_attribute("aria-sort") == "descending"
    counts = [int(text) for text in at.column("hosts", 2)]
    assert counts == sorted(counts, reverse=True)
    records.get_by_role("button").press("Enter")
    assert records.get_attribute("aria-sort") == "ascending"
    assert at.column("hosts", 2) == [str(count) for count in sorted(counts)]
    at.page.locator("#failures th", has_text="Line").get_by_role("button").click()
    assert at.column("failures", 2) == [str(number) for number in [*range(9, 21), 100]]
    assert at.page.locator("#hosts [aria-sort]").count() == 1


def test_rows_are_filtered_by_words(opened):
    at = opened(page(RECORDS))
    at.page.get_by_label("Filter").first.fill("GONE 404")
    assert at.column("failures", 3) == ["http://a.example/gone"]
    assert at.page.locator("output").first.inner_text() == "1 of 13 rows"
    at.page.get_by_label("Filter").first.fill("")
    assert len(at.column("failures", 3)) == 13


def test_a_hundred_rows_of_what_is_left_are_printed(opened):
    at = opened(page([*RECORDS, *(failed("dns", f"http://{number}.example/", line=number) for number in range(200))]))
    at.page.emulate_media(media="print")
    assert len(at.column("failures", 1)) == 100
    assert at.page.get_by_text("Only the first 100 rows of this table are printed.").first.is_visible()
    at.page.emulate_media(media="screen")
    at.page.get_by_label("Filter").first.fill("gone")
    at.page.emulate_media(media="print")
    assert at.column("failures", 3) == ["http://a.example/gone"]


def test_it_is_read_without_scripts(opened):
    at = opened(page(RECORDS), java_script_enabled=False)
    assert len(at.column("failures", 1)) == 13
    assert at.page.get_by_role("button").count() == 0
    assert not at.page.get_by_label("Filter").first.is_visible()
    assert at.page.locator("#course svg.plot rect").first.is_visible()


def test_hostile_records_do_nothing(opened):
    at = opened(page(hostile(), "content_type"))
    for place in at.page.locator("section").all():
        place.hover()
    assert at.page.evaluate("typeof harm") == "undefined"
    assert at.noise == []
    assert at.page.locator("script").count() == 1
    assert at.page.locator("#failures tbody tr").count() == len(hostile())
    assert Axe().run(at.page).violations_count == 0


def test_the_policy_stops_a_script_that_would_get_in(opened):
    text = page(RECORDS).replace("</main>", "<script>document.title = 'harmed'</script></main>")
    at = opened(text)
    assert "harmed" not in at.page.title()
    assert len(at.noise) == 1 and "Content Security Policy" in at.noise[0]
