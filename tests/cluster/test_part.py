"""One worker at a time has a partition, whatever dies or sleeps meanwhile."""
import threading
import time

import pytest

from fetcher.cluster.folder import Folder
from fetcher.cluster.part import claim, is_free
from fetcher.cluster.place import part_name
from fetcher.cluster.state import DONE, RELEASED, RUNNING, State
from fetcher.options import RequestOptions

GET = RequestOptions()
RECORD = b'{"url":"http://host/%d","line":%d,"ok":true,"status":200,"error":null}\n'
INTERRUPTED = b'{"url":"http://host/%d","line":%d,"ok":false,"status":null,"error":"interrupted"}\n'


def told(phase=RUNNING, told=1.0, lease=0.5):
    return State(phase, "worker", told, lease, 0.0, 0, (), {})


def published(place):
    """What `cat out/*.jsonl` gives."""
    turns = range(1, 20)
    return b"".join(place.read(part_name(0, turn)) or b"" for turn in turns)


def end(*parts):
    for part in parts:
        part.output.close()
        part.hold.close()


def test_a_partition_that_nobody_had_is_free(place):
    assert is_free(place, 0, 0, 60.0)
    part = claim(place, 0, 0, GET)
    assert (part.hold.epoch, part.journal.final) == (1, 0)
    part.tell(told())
    assert place.last_epochs() == {0: 1}
    end(part)


def test_of_many_who_claim_it_one_succeeds(place):
    for epoch in range(3):
        parts, begin = [], threading.Barrier(8)

        def compete():
            begin.wait()
            parts.append(claim(place, 0, epoch, GET))

        threads = [threading.Thread(target=compete) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = [part for part in parts if part is not None]
        assert place.last_epoch(0) == winner.hold.epoch == epoch + 1
        end(winner)


def test_it_is_not_free_while_its_worker_shows_signs_of_life(place):
    part = claim(place, 0, 0, GET)
    part.tell(told())
    beats = iter(range(2, 100))
    assert not is_free(place, 0, 1, 60.0, lambda: part.tell(told(told=next(beats))))
    part.tell(told(DONE))
    end(part)


def test_a_sign_of_life_is_as_old_as_its_beginning(place, monkeypatch):
    began = time.monotonic()
    part = claim(place, 0, 0, GET)
    claimed = time.monotonic()
    replace = place.replace
    monkeypatch.setattr(place, "replace", lambda *content: (replace(*content), time.sleep(0.5)))
    assert began < part.alive < claimed
    part.tell(told())
    assert claimed < part.alive < time.monotonic() - 0.5
    end(part)


def test_it_is_free_when_its_worker_is_silent_for_its_lease(place):
    part = claim(place, 0, 0, GET)
    assert is_free(place, 0, 1, 0.3)
    part.tell(told(lease=0.3))
    assert is_free(place, 0, 1, 60.0)
    end(part)


def test_it_is_free_at_once_when_its_worker_gave_it_back(place):
    part = claim(place, 0, 0, GET)
    part.tell(told(RELEASED))
    assert is_free(place, 0, 1, 60.0, lambda: pytest.fail("it waits"))
    end(part)


def test_it_is_not_free_for_who_finds_that_another_was_quicker(place):
    first = claim(place, 0, 0, GET)
    second = []
    assert not is_free(place, 0, 1, 60.0, lambda: second.append(claim(place, 0, 1, GET)))
    end(first, *second)


def test_who_takes_over_goes_on_with_the_records_that_are_final(place):
    first = claim(place, 0, 0, GET)
    for line in RECORD % (1, 1), INTERRUPTED % (2, 2), RECORD % (3, 3), (RECORD % (4, 4))[:20]:
        first.output.write(line)
    first.output.close()
    assert first.hold.keep()
    second = claim(place, 0, 1, GET)
    assert second.journal.final == 2
    assert published(place) == RECORD % (1, 1) + RECORD % (3, 3)
    end(first, second)


def test_what_a_worker_writes_that_was_only_asleep_goes_nowhere(place):
    asleep = claim(place, 0, 0, GET)
    asleep.output.write(RECORD % (1, 1))
    asleep.output._flush()
    assert asleep.hold.keep()
    awake = claim(place, 0, asleep.hold.epoch, GET)
    awake.output.write(RECORD % (2, 2))
    asleep.output.write(RECORD % (2, 2))
    asleep.output._flush()
    assert not asleep.hold.keep() and not asleep.hold.finish()
    asleep.tell(told(DONE))
    awake.output._flush()
    assert awake.hold.finish()
    end(asleep, awake)
    assert published(place) == RECORD % (1, 1) + RECORD % (2, 2)
    assert is_free(place, 0, awake.hold.epoch, 0.3)        # what the other one says of it does not count


def test_nothing_can_be_published_late_under_a_name_that_was_taken(place):
    for epoch in range(3):
        end(claim(place, 0, epoch, GET))
    assert [claim(place, 0, epoch, GET) for epoch in range(3)] == [None, None, None]


def test_a_copy_that_was_never_published_is_taken_away(fetcher):
    folder = Folder(str(fetcher.home / "out"))
    folder.make()
    end(claim(folder, 0, 0, GET))
    assert claim(folder, 0, 0, GET) is None
    assert [path.name for path in (fetcher.home / "out" / ".fetcher").iterdir() if path.is_file()] == []
