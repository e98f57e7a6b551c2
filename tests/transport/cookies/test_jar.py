import time

import pytest

from fetcher.transport.cookies.cookie import Cookie
from fetcher.transport.cookies.jar import MAX_COOKIES, MAX_OF_DOMAIN, Jar
from fetcher.url import parse


def told(jar, url, *fields, now=0.0):
    jar.set(list(fields), parse(url), now)


def sent(jar, url, now=0.0):
    return jar.value_for(parse(url), now)


@pytest.fixture
def jar():
    return Jar()


def test_cookies_go_back_to_their_host(jar):
    told(jar, "http://a.example/", "a=b", "c=d")
    assert sent(jar, "http://a.example/") == "a=b; c=d"
    assert sent(jar, "http://b.a.example/") is None and sent(jar, "http://example/") is None


def test_cookies_of_a_domain_go_to_all_hosts_in_it(jar):
    told(jar, "http://b.a.example/", "a=b; Domain=a.example")
    assert [sent(jar, f"http://{host}/") for host in ("a.example", "c.a.example", "d.c.a.example", "ba.example")] == [
        "a=b", "a=b", "a=b", None]


@pytest.mark.parametrize(("path", "matches"), [
    ("/x", True), ("/x/", True), ("/x/y", True), ("/x?y", True), ("/xy", False), ("/", False), ("/?/x", False)])
def test_cookies_stay_on_their_path(jar, path, matches):
    told(jar, "http://a.example/", "a=b; Path=/x")
    assert (sent(jar, f"http://a.example{path}") is not None) == matches


def test_the_longest_path_comes_first(jar):
    told(jar, "http://a.example/", "a=1; Path=/", "a=2; Path=/x", "b=3; Path=/x/y", "c=4; Path=/x")
    assert sent(jar, "http://a.example/x/y") == "b=3; a=2; c=4; a=1"


def test_a_cookie_replaces_the_one_of_its_name_domain_and_path(jar):
    told(jar, "http://a.example/", "a=1", "b=2", "a=3", "a=4; Path=/x")
    assert sent(jar, "http://a.example/") == "a=3; b=2"


def test_cookies_expire(jar):
    told(jar, "http://a.example/", "a=1; Max-Age=10", "b=2; Max-Age=10", "c=3")
    told(jar, "http://a.example/", "b=; Max-Age=0")
    assert sent(jar, "http://a.example/", now=9.0) == "a=1; c=3"
    assert sent(jar, "http://a.example/", now=10.0) == "c=3"
    assert len(jar) == 1


def test_secure_cookies_go_over_tls_and_nothing_else_hides_them(jar):
    told(jar, "https://a.example/x/", "a=1; Secure")
    told(jar, "http://a.example/x/", "a=2")
    told(jar, "http://b.a.example/x/", "a=3; Domain=a.example; Path=/")
    assert sent(jar, "https://a.example/x/") == "a=1; a=3"
    assert sent(jar, "http://a.example/x/") == "a=3"


def test_a_domain_has_so_many_cookies_and_the_oldest_goes(jar):
    for number in range(MAX_OF_DOMAIN + 10):
        told(jar, "http://a.example/", f"c{number}=x")
    assert len(jar) == MAX_OF_DOMAIN and "c9=" not in sent(jar, "http://a.example/")
    assert sent(jar, "http://a.example/").startswith("c10=x; ")


def test_a_jar_has_so_many_cookies_and_the_oldest_goes(jar):
    told(jar, "http://kept.example/", "a=b")
    for number in range(MAX_COOKIES + 10):
        told(jar, f"http://h{number}.example/", "a=b")
        told(jar, "http://kept.example/", "a=c")
    assert len(jar) == MAX_COOKIES
    assert sent(jar, "http://h9.example/") is None and sent(jar, "http://kept.example/") == "a=c"


def test_a_file_may_hold_more_than_servers_may_set():
    jar = Jar(Cookie("a", "b", f"h{number}.example") for number in range(2 * MAX_COOKIES))
    assert len(jar) == 2 * MAX_COOKIES
    told(jar, "http://new.example/", "a=b")
    assert len(jar) == 2 * MAX_COOKIES and sent(jar, "http://h0.example/") is None
    assert sent(jar, "http://h1.example/") == "a=b"


def test_a_cookie_field_is_no_longer_than_others_take_it():
    jar = Jar([*(Cookie(f"a{number}", "x" * 3000, "a.example") for number in range(5)), Cookie("z", "1", "a.example")])
    assert sent(jar, "http://a.example/")[-4:] == " z=1"
    assert len(sent(jar, "http://a.example/")) < 8190
    many = Jar(Cookie(f"a{number}", "", "a.example") for number in range(1000))
    assert sent(many, "http://a.example/").count(";") == 149


def cpu_of_lookups(jar, hosts):
    urls = [parse(f"http://www.h{number}.example/a/b") for number in hosts]
    jar.value_for(urls[0], 0.0)
    begin = time.process_time()
    for url in urls:
        jar.value_for(url, 0.0)
    return time.process_time() - begin


@pytest.mark.slow
def test_a_look_up_costs_the_same_however_many_cookies_there_are():
    few = Jar(Cookie("a", "b", f"www.h{number}.example") for number in range(10))
    many = Jar(Cookie("a", "b", f"www.h{number}.example") for number in range(20_000))
    hosts = [number % 10 for number in range(5000)]
    assert min(cpu_of_lookups(many, hosts) for _ in range(5)) < 3 * min(cpu_of_lookups(few, hosts) for _ in range(5))
