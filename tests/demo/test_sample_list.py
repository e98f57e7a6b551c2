from pathlib import Path

from fetcher.demo import PORT, sample_list
from fetcher.demo.routes import ROUTES
from fetcher.model import Target

TOP_LEVEL = Path(__file__).parents[2] / "sample_urls.txt"


def targets(text):
    return [Target.read(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_list_at_the_top_level_is_the_one_that_is_installed():
    assert TOP_LEVEL.read_text("utf-8") == sample_list()


def test_another_port_takes_the_place_of_the_usual_one_and_of_no_other():
    text = sample_list(12345)
    assert str(PORT) not in text
    assert text.replace("12345", str(PORT)) == sample_list()
    assert "http://localhost:9/" in text


def test_each_url_of_the_server_has_a_route():
    for target in targets(sample_list()):
        if target.parsed and target.parsed.port == PORT:
            assert target.parsed.target.split("?")[0].split("/")[1] in ROUTES, target.url


def test_nothing_leaves_this_machine():
    for target in targets(sample_list()):
        assert not target.parsed or target.host.endswith(("localhost", "127.0.0.1", ".invalid"))


def test_each_group_says_what_it_shows():
    for group in sample_list().strip().split("\n\n"):
        assert group.startswith("# ")
