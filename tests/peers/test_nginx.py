from tests.peers.clients import differences

ODD = [
    "/redirect/relative", "/redirect/query", "/redirect/space", "/redirect/fragment", "/redirect/fragment#mine",
    "/redirect/origin", "/redirect/loop", "/redirect/refused", "/redirect/ftp",
    "/status/204", "/status/304", "/status/418", "/status/500", "/status/503",
    "/reset", "/close/1k", "/close/1m", "/close/empty", "/stored/text.txt", "/slow/64k",
]


def test_odd_answers_are_understood_as_by_curl(nginx):
    assert not differences([nginx.url(path) for path in ODD])


def test_heads_of_odd_answers_too(nginx):
    assert not differences([nginx.url(path) for path in ODD], "-X", "HEAD")


def test_connections_that_are_not_kept_alive_cost_no_answer(nginx):
    urls = [nginx.url(path, "close") for path in ("/empty", "/1", "/1k", "/64k+1", "/1m", "/text.txt", "/directory")]
    assert not differences(urls * 5)
