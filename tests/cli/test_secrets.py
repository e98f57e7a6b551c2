"""No secret appears in any output where nobody asked for it, whether the run succeeds or not."""
import gzip
import json
import os
import stat
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from fetcher.url import recordable
from tests.cli.command import PATIENCE, eventually

# One for each place. If one appears in an output, its name says where it came from.
PLACES = ("url", "slashurl", "badurl", "baseurl", "location", "badlocation", "user", "field", "token", "cookie",
          "setcookie", "proxy", "netrc", "ping", "pingpath", "data", "row", "rowdata")
SECRETS = {place: f"canary{place}X" for place in PLACES}
SENT_BY_THE_SERVER = ("setcookie", "location", "badlocation")
# Secrets that the user asked for: the fields of answers and, in an archive, everything that was sent, except
# the fields with credentials.
MAY_HOLD = {**dict.fromkeys(("out.jsonl", "out.db", "out.db-wal"), SENT_BY_THE_SERVER),
            "out.warc.gz": (*SENT_BY_THE_SERVER, "token", "data", "row", "rowdata")}
JAR = "jar"


class Site(ThreadingHTTPServer):
    """Answers any request, also as a proxy, with a cookie. Redirects with passwords, and records what it was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SiteHandler)
        self.seen = []
        self.ended = Event()

    def url(self, path="/", userinfo="", host="127.0.0.1"):
        return f"http://{userinfo}{host}:{self.server_port}{path}"


class SiteHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append(f"{self.requestline}\n{self.headers}\n{body.decode()}")
        path = "/" + self.path.removeprefix("http://").partition("/")[2]
        status = {"/redirect": 302, "/bad-redirect": 302, "/loop": 302, "/missing": 404, "/unauthorized": 401}
        if path == "/hang":
            self.server.ended.wait()
        self.send_response(status.get(path, 200))
        self.send_header("Content-Length", "0")
        self.send_header("Set-Cookie", f"session={SECRETS['setcookie']}")
        location = {"/redirect": self.server.url("/there", f"me:{SECRETS['location']}@"),
                    "/bad-redirect": f"http://me:{SECRETS['badlocation']}@host:port/",
                    "/loop": self.server.url("/loop", f"me:{SECRETS['location']}@")}.get(path)
        if location:
            self.send_header("Location", location)
        if path == "/unauthorized":
            self.send_header("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
        self.end_headers()

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
def site():
    site = Site()
    thread = Thread(target=site.serve_forever, args=(0.05,))
    thread.start()
    yield site
    site.ended.set()
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture
def rows(fetcher, site):
    """A list with a secret in every possible place. Some of its lines can be fetched."""
    def url(path, place="url", host="127.0.0.1"):
        return site.url(path, f"me:{SECRETS[place]}@", host)

    lines = [
        {"url": url("/ok")}, {"url": url("/missing")}, {"url": url("/redirect")}, {"url": url("/bad-redirect")},
        {"url": url("/loop")}, {"url": url("/unauthorized", host="digest.localhost")},
        {"url": url("/ok", host="no-such-host.invalid")},
        {"url": f"http://me:{SECRETS['url']}@127.0.0.1:9/"},
        {"url": f"http://me:{SECRETS['slashurl']}/more@127.0.0.1/"},
        {"url": f"http://me:{SECRETS['badurl']}@127.0.0.1:port/"}, {"url": f"htp://me:{SECRETS['badurl']}@127.0.0.1/"},
        {"url": site.url("/netrc", host="localhost")}, {"url": f"//me:{SECRETS['url']}@127.0.0.1:9/"},
        {"url": "/base"},
        {"url": site.url("/row"), "headers": {"X-Row": SECRETS["row"]}, "data": SECRETS["rowdata"], "method": "PUT"},
        {"url": site.url("/row"), "headers": f"X-Row {SECRETS['row']}", "data": SECRETS["rowdata"]},
        {"url": site.url("/row"), "headers": {"X-Row": f"{SECRETS['row']}\n"}},
        {"url": site.url("/row"), "headers": {"X-Row": f"{SECRETS['row']}\nA: b"}},
        {"url": site.url("/row"), "headers": f'{{"X-Row": "{SECRETS["row"]}'},
        {"url": site.url("/row"), "headers": {"X-Row": [[SECRETS["row"]]]}},
    ]
    (fetcher.home / "netrc").write_text(f"machine localhost login me password {SECRETS['netrc']}\n")
    return fetcher.list(*map(json.dumps, lines), name="list.jsonl")


def outputs(*more):
    """Return the arguments that write all outputs."""
    return ["-v", "--debug", "--retries", "0", "--breaker", "0", "--include", "headers,timings", "-o", "out.jsonl",
            "--summary", "summary.json", "--metrics", "run.prom", "--lock", "run.lock", "--cookie-jar", JAR, "--netrc",
            "--state", "state.db", "--sqlite", "out.db", "--warc", "out.warc.gz", "--save-dir", "saved", *more]


def given(site):
    """Return the arguments with secrets."""
    return ["--user", f"me:{SECRETS['user']}", "-H", f"Authorization: Bearer {SECRETS['field']}",
            f"-HX-Token: {SECRETS['token']}", f"--cookie=sid={SECRETS['cookie']}", f"-d{SECRETS['data']}",
            "--base-url", site.url("/", f"me:{SECRETS['baseurl']}@"),
            "--ping-url", site.url(f"/{SECRETS['pingpath']}", f"me:{SECRETS['ping']}@")]


def leaks(text, allowed=()):
    """Return the places whose secrets are in `text`, also as Basic credentials."""
    encoded = {place: b64encode(f"me:{secret}".encode()).decode() for place, secret in SECRETS.items()}
    return {place for place in PLACES if place not in allowed and (SECRETS[place] in text or encoded[place] in text)}


def written(home: Path):
    """Return all files of a run as text, by name, except the list and files that are meant for secrets."""
    files = [path for path in home.rglob("*") if path.is_file() and path.name not in ("list.jsonl", "netrc", JAR)]
    return {str(path.relative_to(home)): content(path).decode("latin-1") for path in files}


def content(path):
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def assert_nothing_leaked(fetcher, done):
    assert leaks(done.out + done.err) == set(), done.err
    for name, text in written(fetcher.home).items():
        assert leaks(text, MAY_HOLD.get(name, ())) == set(), name


def test_nothing_leaks_from_the_list_and_from_answers(fetcher, site, rows):
    done = fetcher(*outputs(), "--base-url", site.url("/", f"me:{SECRETS['baseurl']}@"), rows, NETRC="netrc")
    assert done.status == 1
    assert len((fetcher.home / "out.jsonl").read_text().splitlines()) == 20
    assert_nothing_leaked(fetcher, done)
    sent = leaks("".join(site.seen))
    assert {"url", "location", "baseurl", "netrc", "row", "rowdata"} <= sent


def test_nothing_leaks_from_the_command_line(fetcher, site, rows):
    done = fetcher(*outputs(), *given(site), rows, NETRC="netrc")
    assert done.status == 1
    assert_nothing_leaked(fetcher, done)
    assert {"field", "token", "cookie", "data", "ping", "pingpath"} <= leaks("".join(site.seen))
    shown = json.loads((fetcher.home / "summary.json").read_text())["arguments"]
    assert {"--user", "***", "Authorization: ***", "-HX-Token: ***", "--cookie=***", "-d***",
            site.url("/", "me:***@"), site.url("/***")} <= set(shown)


def test_nothing_leaks_from_a_proxy(fetcher, site, rows):
    for proxy in site.url("/", f"me:{SECRETS['proxy']}@"), f"http://me:{SECRETS['proxy']}@127.0.0.1:9":
        done = fetcher(*outputs("-x", proxy), rows, NETRC="netrc")
        assert_nothing_leaked(fetcher, done)
    assert "proxy" in leaks("".join(site.seen))
    done = fetcher(*outputs(), rows, NETRC="netrc", http_proxy=proxy)
    assert_nothing_leaked(fetcher, done)


@pytest.mark.parametrize("arguments", [
    ["-x", f"http://me:{SECRETS['proxy']}@host:port"], ["-x", f"ftp://me:{SECRETS['proxy']}@host"],
    ["-x", f"http://me:{SECRETS['proxy']}/x@host"], ["-H", f"Authorization Bearer {SECRETS['field']}"],
    ["-H", f"Bad name: {SECRETS['field']}"], ["-H", f"A: {SECRETS['field']}\nB: c"],
    ["-b", f"a={SECRETS['cookie']}\r\n"],
    ["--ping-url", f"http://me:{SECRETS['ping']}@host:port/{SECRETS['pingpath']}"],
    ["--base-url", f"http://me:{SECRETS['baseurl']}@host:port/"], ["--base-url", f"me:{SECRETS['baseurl']}@host"],
    [f"htp://me:{SECRETS['url']}@host/"], [f"me:{SECRETS['url']}@host"], ["--netrc"],
])
def test_no_complaint_quotes_a_secret(fetcher, arguments):
    (fetcher.home / "netrc").write_text(f"machine localhost login me password \"{SECRETS['netrc']}\n")
    done = fetcher("--debug", *arguments, fetcher.list("http://127.0.0.1:9/"), NETRC="netrc")
    assert done.status == 2
    assert leaks(done.out + done.err) == set(), done.err


CRASH = """
import sys
from fetcher.cli import main
from fetcher.cli.delivery import Delivery

def write(self, result):
    raise RuntimeError("a defect")

Delivery.write = write
main()
"""


def test_nothing_leaks_from_a_crash(fetcher, site, rows):
    done = fetcher.python(CRASH, *outputs(), *given(site), rows, NETRC="netrc")
    assert done.status == 1
    assert "Traceback" in done.err and "RuntimeError: a defect" in done.err
    assert_nothing_leaked(fetcher, done)


def test_the_list_of_processes_does_not_show_secrets(fetcher, site):
    process = fetcher.start("-q", *given(site), "-x", site.url("/", f"me:{SECRETS['proxy']}@"), "-o", "out",
                            site.url("/hang", f"me:{SECRETS['url']}@"), stdin=-1)
    eventually(lambda: (fetcher.home / "out").exists())
    shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    process.kill()
    process.communicate(timeout=PATIENCE)
    assert leaks(shown) == set()
    assert "Authorization: ***" in shown and "me:***@127.0.0.1" in shown


def test_an_option_that_is_given_again_is_masked_each_time(fetcher, site):
    said = [
        f"-ume:{SECRETS['user']}1", "-u", f"me:{SECRETS['user']}2", f"--user=me:{SECRETS['user']}3", "-u", "me:last"]
    done = fetcher("--summary", "summary.json", *said, site.url(f"?{SECRETS['url']}"), NETRC=os.devnull)
    assert done.status == 0
    shown = json.loads((fetcher.home / "summary.json").read_text())["arguments"]
    assert shown[2:7] == ["-u***", "-u", "***", "--user=***", "-u"]


@pytest.mark.parametrize(("arguments", "shown"), [
    (["-x", f"http://me:p@{SECRETS['proxy']}#:/{SECRETS['proxy']}@127.0.0.1:9"], "http://me:***@127.0.0.1:9"),
    (["-x", f"me:{SECRETS['proxy']}/x@127.0.0.1:9"], "me:***@127.0.0.1:9"),
    ([f"http://{SECRETS['url']}@127.0.0.1:9/"], "http://***@127.0.0.1:9/"),
])
def test_what_is_no_proper_url_is_masked_too(fetcher, arguments, shown):
    done = fetcher("--debug", "--dry-run", *arguments, NETRC=os.devnull)
    assert leaks(done.out + done.err) == set(), done.err
    assert recordable(arguments[-1]) == shown


@pytest.mark.parametrize(("variable", "place", "value"), [
    ("FETCHER_USER", "user", "me:{}"), ("FETCHER_HEADER", "field", "Authorization: Bearer {}"),
    ("FETCHER_HEADER", "token", "X-Token: {}"), ("FETCHER_COOKIE", "cookie", "sid={}"), ("FETCHER_DATA", "data", "{}"),
])
def test_the_environment_passes_secrets_unseen(fetcher, site, variable, place, value):
    done = fetcher(*outputs(), site.url(), **{variable: value.format(SECRETS[place]), "NETRC": os.devnull})
    assert done.status == 0
    assert_nothing_leaked(fetcher, done)
    assert place in leaks("".join(site.seen))


def test_files_pass_secrets_unseen(fetcher, site):
    folder = fetcher.home.parent / f"{fetcher.home.name}-files"
    folder.mkdir()
    (folder / "user").write_text(f"me:{SECRETS['user']}\n")
    (folder / "fields").write_text(f"Cookie: sid={SECRETS['cookie']}\n\nX-Token: {SECRETS['token']}\n")
    (folder / "data").write_text(SECRETS["data"])
    done = fetcher(*outputs(), "-u", f"@{folder}/user", "-H", f"@{folder}/fields", "-d", f"@{folder}/data",
                   site.url(), NETRC=os.devnull)
    assert done.status == 0
    assert_nothing_leaked(fetcher, done)
    assert {"user", "cookie", "token", "data"} <= leaks("".join(site.seen))


def test_what_holds_credentials_is_for_its_owner_alone(fetcher, site, rows):
    fetcher(*outputs(), rows, NETRC="netrc")
    assert SECRETS["setcookie"] in (fetcher.home / JAR).read_text()
    assert stat.S_IMODE((fetcher.home / JAR).stat().st_mode) == 0o600
