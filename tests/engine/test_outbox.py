import pytest

from fetcher import Result, green
from fetcher.engine.outbox import MAX_UNREAD_BYTES, LocalOutbox
from fetcher.engine.processes.outbox import RemoteOutbox

BODY = b"x" * (MAX_UNREAD_BYTES // 4)
FIT = 4                 # so many of them are as much as may wait


def put_all(outbox, numbers, body=BODY):
    """Have a green thread each put a result. Return the numbers of those that have not been held up."""
    done = []

    def put(number):
        outbox.put(Result(f"http://a.example/{number}", number, body=body), number)
        done.append(number)

    for number in numbers:
        green.spawn_n(put, number)
    settle()
    return done


def settle():
    for _ in range(3):
        green.sleep(0)


def local(ordered=False):
    return LocalOutbox(green.Signal(), ordered)


def remote():
    return RemoteOutbox(green.Signal(), encodes=False)


@pytest.mark.parametrize("make", [local, remote])
def test_bodies_that_wait_are_counted_by_their_bytes(make):
    outbox = make()
    done = put_all(outbox, range(10))
    assert done == list(range(FIT - 1))
    outbox.open()
    settle()
    assert sorted(done) == list(range(10))


def test_whoever_is_held_up_goes_on_when_there_is_room_again():
    outbox = local()
    done = put_all(outbox, range(10))
    urls = []
    while result := outbox.pop():
        urls.append(result.url)
        settle()
    assert urls == [f"http://a.example/{number}" for number in range(10)]
    assert sorted(done) == list(range(10))


def test_results_without_a_body_are_counted_one_by_one():
    assert put_all(local(), range(1200), body=None) == list(range(999))
    assert len(put_all(remote(), range(1200), body=None)) == 1200      # the parent bounds them


def test_in_order_no_more_is_read_while_too_many_bytes_wait_for_the_first():
    outbox = local(ordered=True)
    assert put_all(outbox, range(1, 9)) == list(range(1, 9))        # what would hold them up comes before them
    assert outbox.is_far_ahead(9)
    assert not outbox.is_far_ahead(0)
    put_all(outbox, [0], body=None)
    while outbox.pop():
        settle()
    assert not outbox.is_far_ahead(9)


def test_many_bytes_go_to_the_parent_in_several_batches():
    outbox = remote()
    put_all(outbox, range(3))
    put_all(outbox, range(3, 100), body=b"")
    batches = [list(batch) for batch in outbox.batches()]
    assert batches == [[0], [1], [2], list(range(3, 100))]
