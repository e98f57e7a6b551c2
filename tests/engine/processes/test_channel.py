"""Messages between processes are whole and in order, and end when the other end is gone."""
from __future__ import annotations

from collections.abc import Iterator
from socket import socketpair

import pytest

from fetcher import green
from fetcher.engine.processes.channel import Channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    here, there = map(Channel, socketpair())
    yield here, there
    here.close()
    there.close()


def test_messages_arrive_as_they_were_sent_and_in_order(ends):
    here, there = ends
    messages = [("kind", number, 0.5, None, True, "Zoë \udcff", b"\x00\xff", [1, (2, [3])], {"a": {"b": []}})
                for number in range(100)]
    for message in messages:
        here.send(message)
    assert [there.receive() for _ in messages] == messages


def test_both_ends_send_at_once(ends):
    here, there = ends
    body = b"x" * 3_000_000     # more than the socket holds
    senders = [green.spawn(end.send, body) for end in ends]
    receivers = [green.spawn(end.receive) for end in ends]
    assert [receiver.wait() for receiver in receivers] == [body, body]
    assert [sender.wait() for sender in senders] == [None, None]


def test_who_waits_for_a_message_lets_others_go_on(ends):
    here, there = ends
    receiver = green.spawn(there.receive)
    green.sleep(0.01)
    here.send("at last")
    assert receiver.wait() == "at last"


def test_an_end_that_is_gone_ends_the_other_after_its_last_message(ends):
    here, there = ends
    here.send("good-bye")
    here.close()
    assert there.receive() == "good-bye"
    with pytest.raises(EOFError):
        there.receive()
    with pytest.raises(OSError):
        there.send("too late")


def test_a_message_that_breaks_off_is_none():
    here, there = socketpair()
    here.send((100).to_bytes(8, "little") + b"half")
    here.close()
    channel = Channel(there)
    with pytest.raises(EOFError):
        channel.receive()
    channel.close()
