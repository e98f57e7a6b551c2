import click
import pytest

from fetcher.cli import values


@pytest.mark.parametrize(("type", "text", "value"), [
    (values.Number(1), "1", 1), (values.Number(0, 65_535), "65535", 65_535),
    (values.Size(), "0", 0), (values.Size(), "500k", 512_000), (values.Size(), "1.5M", 1_572_864),
    (values.Size(), "2 GiB", 2 * 1024 ** 3), (values.Size(), "1024", 1024),
    (values.Duration(), "500ms", 0.5), (values.Duration(), "10", 10), (values.Duration(), "10 s", 10),
    (values.Duration(), "1.5m", 90), (values.Duration(), "2h", 7200), (values.Duration(), "1d", 86_400),
    (values.Header(), "A:b", (("A", "b"),)), (values.Header(), "A: b: c ", (("A", "b: c"),)),
    (values.Header(), "A:", (("A", ""),)),
    (values.Data(), "größe", "größe".encode()), (values.Method(), "purge", "purge"),
    (values.ByteRange(), "0-0,-1", "0-0,-1"),
    (values.Resolved(), "A.b:1:[::1],127.0.0.1", ("a.b", 1, ("::1", "127.0.0.1"))),
    (values.Several("a", "b"), "b, a", ("b", "a")), (values.Several("a"), "", ()),
])
def test_values_are_read_as_they_are_typed(type, text, value):
    assert type.convert(text, None, None) == value


@pytest.mark.parametrize(("type", "text"), [
    (values.Number(1), "0"), (values.Number(0), "-1"), (values.Number(0, 5), "6"), (values.Number(0), "1e3"),
    (values.Number(0), "٣"), (values.Number(0), "1_000"),
    (values.Size(), "-1"), (values.Size(), "1X"), (values.Size(), ""), (values.Size(), "k"),
    (values.Duration(), "0"), (values.Duration(), "-1s"), (values.Duration(), "0ms"), (values.Duration(), "inf"),
    (values.Duration(), "1 week"), (values.Header(), "A"), (values.Method(), ""), (values.Method(), "CONNECT"),
    (values.ByteRange(), "-"), (values.ByteRange(), "bytes=0-1"), (values.ByteRange(), ""),
    (values.Resolved(), "a:b:127.0.0.1"), (values.Resolved(), "a:1:b"), (values.Resolved(), "a:1:"),
    (values.Several("a"), "a,b"),
])
def test_what_is_no_such_value_is_refused(type, text):
    with pytest.raises(click.BadParameter):
        type.convert(text, None, None)


def test_data_can_come_from_a_file(tmp_path):
    (tmp_path / "data").write_bytes(b"\xff\n")
    assert values.Data().convert(f"@{tmp_path}/data", None, None) == b"\xff\n"
    with pytest.raises(click.BadParameter, match="missing cannot be read: No such file or directory."):
        values.Data().convert("@missing", None, None)
