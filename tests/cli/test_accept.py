"""`--accept`: which statuses are ok, in every output."""
import json
from time import monotonic

from tests.state.site import Page, Site


def outcomes(done):
    return {record["url"].rpartition("/")[2]: record["ok"] for record in done.records}


def test_it_makes_bad_statuses_good_and_good_ones_bad(fetcher, server):
    urls = [server.url(f"/status/{status}") for status in (200, 204, 403, 404)]
    done = fetcher("--accept", "200,403", *urls)
    assert (outcomes(done), done.status) == ({"200": True, "204": False, "403": True, "404": False}, 1)
    assert fetcher("--accept", "2xx,4xx", *urls).status == 0


def test_the_summary_its_file_and_the_metrics_follow_it(fetcher, server):
    urls = [server.url(f"/status/{status}") for status in (200, 403, 403)]
    done = fetcher("-q", "--accept", "403", "--summary", "summary.json", "--metrics", "run.prom", *urls)
    assert "3 URLs   2 ok   1 failed" in done.err
    summary = json.loads((fetcher.home / "summary.json").read_text())
    assert (summary["ok"], summary["errors"]) == (2, {"http": 1})
    assert 'fetcher_run_urls{run="run",result="ok"} 2' in (fetcher.home / "run.prom").read_text()


def test_what_is_accepted_is_not_tried_again_and_what_is_not_can_be(fetcher, server):
    accepted = fetcher("--retries", "2", "--accept", "503", server.url("/status/503")).record
    assert (accepted["ok"], accepted["attempts"]) == (True, 1)
    waiting = fetcher("--retries", "1", "--retry-wait", "10ms", "--retry-on", "202", "--accept", "200",
                      server.url("/status/202")).record
    assert (waiting["error"], waiting["attempts"]) == ("http", 2)


def test_fail_if_counts_what_is_not_accepted(fetcher, server):
    urls = [server.url(f"/status/{status}") for status in (200, 403, 403)]
    assert fetcher("--accept", "200,403", "--fail-if", ">0", *urls).status == 0
    assert fetcher("--accept", "200", "--fail-if", ">1", *urls).status == 1
    assert fetcher("--accept", "200,403", "--fail-if", "403>1", *urls).status == 1     # ok, but there are too many


def test_a_host_that_asks_to_be_left_alone_is_left_alone_though_its_429_is_accepted(fetcher, server, host):
    before = monotonic()
    fetcher.list(*(server.url(f"/retry-after/2/{number}", host) for number in range(2)))
    done = fetcher("--accept", "429,2xx", "--per-host", "1", "list")
    assert [record["ok"] for record in done.records] == [True, True]
    assert monotonic() - before >= 2


def test_resume_takes_a_status_that_is_not_accepted_for_final(fetcher, server):
    command = ["--accept", "2xx", "--resume", "-o", "out.jsonl", server.url("/redirect/1"), "--no-follow"]
    fetcher(*command)
    assert "1 records that are final, of which 1 failed" in fetcher(*command).err


def test_the_environment_and_the_configuration_have_it(fetcher, server):
    assert fetcher(server.url("/status/404"), FETCHER_ACCEPT="4xx").status == 0
    (fetcher.home / "run.toml").write_text('accept = "404"\n')
    assert fetcher("--config", "run.toml", server.url("/status/404")).status == 0


def test_a_state_asks_whether_it_was_modified_only_for_what_is_accepted_now(fetcher):
    """The first run accepts a page with status 403, and the next one does not: "not modified" would not be enough."""
    with Site() as site:
        site.pages["/"] = Page("Keep out.", status=403)
        for accept, told in ("403", (True, 403)), ("403", (True, 304)), ("2xx", (False, 403)):
            record = fetcher("--state", "seen.db", "--accept", accept, site.url("/")).record
            assert (record["ok"], record["status"]) == told
        assert [bool(fields["If-None-Match"]) for _, fields in site.asked] == [False, True, False]
