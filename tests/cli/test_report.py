"""`fetcher report`: the outcome of a run, from its records."""
from pathlib import Path

import pytest
from xmlschema import XMLSchema

from tests.cli.command import Command


@pytest.fixture
def fetcher(tmp_path) -> Command:
    """The command, in one process."""
    return Command(tmp_path, FETCHER_PROCESSES="1")


@pytest.fixture
def run(fetcher, server):
    """A list's records are in out.jsonl."""
    fetcher.list(server.url("/bytes/1000"), server.url("/status/404"), name="list")
    assert fetcher("-o", "out.jsonl", "list").status == 1
    return fetcher


def test_the_summary_comes_back(run):
    done = run("report", "out.jsonl")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("2 URLs   1 ok   1 failed\n")
    assert "line 2  http://" in done.out
    assert "p50" in done.out and "━" in done.out


def test_groups(run):
    assert "By status" in run("report", "--by", "status", "out.jsonl", "out.jsonl").out


def test_half_a_last_line_is_no_error(run):
    with (run.home / "out.jsonl").open("a") as file:
        file.write('{"url":"http')
    assert run("report", "out.jsonl").out.startswith("2 URLs")


def test_it_knows_no_other_key(run):
    done = run("report", "--by", "hosts", "out.jsonl")
    assert (done.status, "did you mean host?" in done.err) == (2, True), done.err


def test_a_list_is_no_run(run):
    done = run("report", "list")
    assert (done.status, done.out) == (2, "")
    assert "not a file of records" in done.err


def test_two_runs_are_compared(run, server):
    run.list(server.url("/bytes/1000"), server.url("/bytes/5"), name="list")
    run("-o", "new.jsonl", "list")
    better = run("report", "--diff", "out.jsonl", "new.jsonl")
    assert (better.status, "1 came   1 went" in better.out) == (0, True)
    records = (run.home / "out.jsonl").read_text().replace('false,"status":404', 'true,"status":404')
    (run.home / "old.jsonl").write_text(records)
    worse = run("report", "--diff", "old.jsonl", "out.jsonl")
    assert (worse.status, "1 failing" in worse.out) == (1, True), worse.out


@pytest.mark.parametrize("arguments", [[], ["--diff", "out.jsonl", "out.jsonl", "out.jsonl"]])
def test_either_files_or_two_of_them(run, arguments):
    done = run("report", *arguments)
    assert (done.status, "two of them with --diff" in done.err) == (2, True)


@pytest.mark.parametrize(("format", "beginning"), [("md", "## 2 URLs: 1 ok, 1 failed\n"), ("json", '{\n  "started": '),
                                                   ("junit", "<?xml ")])
def test_for_issues_programs_and_ci(run, format, beginning):
    done = run("report", "-f", format, "out.jsonl")
    assert (done.status, done.err, done.out.startswith(beginning)) == (0, "", True)
    compared = run("report", "-f", format, "--diff", "out.jsonl", "out.jsonl")
    assert (compared.status, compared.err, bool(compared.out)) == (0, "", True)


@pytest.mark.parametrize(("arguments", "beginning"), [
    (["-f", "junit"], "<?xml"), (["-f", "md"], "## 2 URLs"), (["-o", "out.md"], "## 2 URLs")])
def test_at_the_end_of_a_run(run, arguments, beginning):
    done = run("-q", *arguments, "list")
    text = done.out or (run.home / "out.md").read_text()
    assert (done.status, text[:len(beginning)]) == (1, beginning)


def test_both_commands_write_junit_that_its_schema_allows(run):
    schema = XMLSchema(str(Path(__file__).parents[1] / "report" / "junit.xsd"))
    schema.validate(run("-f", "junit", "list").out)
    schema.validate(run("report", "-f", "junit", "out.jsonl").out)
    schema.validate(run("report", "-f", "junit", "--diff", "out.jsonl", "out.jsonl").out)


def test_a_report_cannot_be_gone_on_with(run):
    assert run("-o", "out.md", "--resume", "list").status == 2


def test_a_page(run):
    done = run("report", "out.jsonl", "--by", "status", "--html", "page.html")
    assert (done.status, done.out, done.err) == (0, "", "")
    page = (run.home / "page.html").read_text()
    assert "<h1>2 URLs: 1 ok, 1 failed</h1>" in page
    assert "By status" in page


def test_a_page_beside_another_format(run):
    done = run("report", "-f", "md", "--html", "page.html", "out.jsonl")
    assert done.out.startswith("## 2 URLs")
    assert (run.home / "page.html").exists()


def test_a_page_of_what_changed(run):
    records = (run.home / "out.jsonl").read_text().replace('false,"status":404', 'true,"status":404')
    (run.home / "old.jsonl").write_text(records)
    done = run("report", "--diff", "old.jsonl", "out.jsonl", "--html", "page.html")
    assert (done.status, done.out) == (1, "")
    page = (run.home / "page.html").read_text()
    assert "Compared with an earlier run: 1 fails now and did not." in page
    assert "<h1>2 URLs: 1 ok, 1 failed</h1>" in page


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_a_page_goes_to_stdout(run, name):
    done = run("report", "--html", name, "out.jsonl")
    assert (done.status, done.out[:15], done.out[-8:]) == (0, "<!doctype html>", "</html>\n")


def test_a_page_is_as_private_as_its_records(run):
    (run.home / "out.jsonl").chmod(0o600)
    run("report", "--html", "page.html", "out.jsonl")
    assert (run.home / "page.html").stat().st_mode & 0o777 == 0o600


def test_a_page_replaces_no_records_and_no_page_by_half(run):
    done = run("report", "--html", "./out.jsonl", "out.jsonl")
    assert (done.status, "would replace the records" in done.err) == (2, True)
    (run.home / "page.html").write_text("old")
    assert run("report", "--html", "page.html", "list").status == 2
    assert (run.home / "page.html").read_text() == "old"
    assert [path.name for path in run.home.iterdir() if path.name.endswith(".new")] == []
    missing = run("report", "--html", "missing/page.html", "out.jsonl")
    assert (missing.status, missing.err.count("\n")) == (74, 1)
    assert "missing/page.html cannot be written" in missing.err


def test_a_page_without_its_packages(run):
    (run.home / "jinja2.py").write_text("raise ImportError")
    done = run("report", "--html", "page.html", "out.jsonl",
               PYTHONPATH=f"{run.home}:{run.environment['PYTHONPATH']}")
    assert (done.status, "--html needs more packages: " in done.err, "jinja2" in done.err) == (2, True, True)
