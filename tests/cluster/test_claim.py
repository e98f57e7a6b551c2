"""Only one worker at a time has a partition, whatever dies or sleeps."""
import threading
import time

import pytest

from fetcher.cluster.folder import Folder
from fetcher.cluster.claim import try_claim, wait_until_free
from fetcher.cluster.place import records_name
from fetcher.cluster.state import DONE, RELEASED, RUNNING, State
from fetcher.options import RequestOptions

GET = RequestOptions()
RECORD = b'{"url":"http://host/%d","line":%d,"ok":true,"status":200,"error":null}\n'
INTERRUPTED = b'{"url":"http://host/%d","line":%d,"ok":false,"status":null,"error":"interrupted"}\n'


def state(phase=RUNNING, reported=1.0, lease_seconds=0.5):
    return State(phase, "worker", reported, lease_seconds, 0.0, 0, (), {})


def published(place):
    """Return the output of `cat out/*.jsonl`."""
    turns = range(1, 20)
    return b"".join(place.read(records_name(0, turn)) or b"" for turn in turns)


def end(*claims):
    for claim in claims:
        claim.output.close()
        claim.lease.close()


def test_a_partition_that_nobody_had_is_free(place):
    assert wait_until_free(place, 0, 0, 60.0)
    claim = try_claim(place, 0, 0, GET)
    assert (claim.lease.epoch, claim.journal.final) == (1, 0)
    claim.report(state())
    assert place.last_epochs() == {0: 1}
    end(claim)


def test_of_many_who_claim_it_one_succeeds(place):
    for epoch in range(3):
        claims, begin = [], threading.Barrier(8)

        def compete():
            begin.wait()
            claims.append(try_claim(place, 0, epoch, GET))

        threads = [threading.Thread(target=compete) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = [claim for claim in claims if claim is not None]
        assert place.last_epoch(0) == winner.lease.epoch == epoch + 1
        end(winner)


def test_it_is_not_free_while_its_worker_shows_signs_of_life(place):
    claim = try_claim(place, 0, 0, GET)
    claim.report(state())
    beats = iter(range(2, 100))
    assert not wait_until_free(place, 0, 1, 60.0, lambda: claim.report(state(reported=next(beats))))
    claim.report(state(DONE))
    end(claim)


def test_a_sign_of_life_is_as_old_as_its_beginning(place, monkeypatch):
    began = time.monotonic()
    claim = try_claim(place, 0, 0, GET)
    claimed = time.monotonic()
    replace = place.replace
    monkeypatch.setattr(place, "replace", lambda *content: (replace(*content), time.sleep(0.5)))
    assert began < claim.reported < claimed
    claim.report(state())
    assert claimed < claim.reported < time.monotonic() - 0.5
    end(claim)


def test_it_is_free_when_its_worker_is_silent_for_its_lease(place):
    claim = try_claim(place, 0, 0, GET)
    assert wait_until_free(place, 0, 1, 0.3)
    claim.report(state(lease_seconds=0.3))
    assert wait_until_free(place, 0, 1, 60.0)
    end(claim)


def test_it_is_free_at_once_when_its_worker_gave_it_back(place):
    claim = try_claim(place, 0, 0, GET)
    claim.report(state(RELEASED))
    assert wait_until_free(place, 0, 1, 60.0, lambda: pytest.fail("it waits"))
    end(claim)


def test_it_is_not_free_for_who_finds_that_another_was_quicker(place):
    first = try_claim(place, 0, 0, GET)
    second = []
    assert not wait_until_free(place, 0, 1, 60.0, lambda: second.append(try_claim(place, 0, 1, GET)))
    end(first, *second)


def test_who_takes_over_goes_on_with_the_records_that_are_final(place):
    first = try_claim(place, 0, 0, GET)
    for line in RECORD % (1, 1), INTERRUPTED % (2, 2), RECORD % (3, 3), (RECORD % (4, 4))[:20]:
        first.output.write(line)
    first.output.close()
    assert first.lease.commit()
    second = try_claim(place, 0, 1, GET)
    assert second.journal.final == 2
    assert published(place) == RECORD % (1, 1) + RECORD % (3, 3)
    end(first, second)


def test_what_a_worker_writes_that_was_only_asleep_goes_nowhere(place):
    asleep = try_claim(place, 0, 0, GET)
    asleep.output.write(RECORD % (1, 1))
    asleep.output._flush()
    assert asleep.lease.commit()
    awake = try_claim(place, 0, asleep.lease.epoch, GET)
    awake.output.write(RECORD % (2, 2))
    asleep.output.write(RECORD % (2, 2))
    asleep.output._flush()
    assert not asleep.lease.commit() and not asleep.lease.finish()
    asleep.report(state(DONE))
    awake.output._flush()
    assert awake.lease.finish()
    end(asleep, awake)
    assert published(place) == RECORD % (1, 1) + RECORD % (2, 2)
    assert wait_until_free(place, 0, awake.lease.epoch, 0.3)        # what the other one says about it does not count


def test_nothing_can_be_published_late_under_a_name_that_was_taken(place):
    for epoch in range(3):
        end(try_claim(place, 0, epoch, GET))
    assert [try_claim(place, 0, epoch, GET) for epoch in range(3)] == [None, None, None]


def test_a_copy_that_was_never_published_is_taken_away(fetcher):
    folder = Folder(str(fetcher.home / "out"))
    folder.make()
    end(try_claim(folder, 0, 0, GET))
    assert try_claim(folder, 0, 0, GET) is None
    assert [path.name for path in (fetcher.home / "out" / ".fetcher").iterdir() if path.is_file()] == []
