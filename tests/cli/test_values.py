import click
import pytest

from fetcher.cli import hosts, side_files, values


@pytest.mark.parametrize(("type", "text", "value"), [
    (values.Number(1), "1", 1), (values.Number(0, 65_535), "65535", 65_535),
    (values.Size(), "0", 0), (values.Size(), "500k", 512_000), (values.Size(), "1.5M", 1_572_864),
    (values.Size(), "2 GiB", 2 * 1024 ** 3), (values.Size(), "1024", 1024),
    (values.Duration(), "500ms", 0.5), (values.Duration(), "10", 10), (values.Duration(), "10 s", 10),
    (values.Duration(), "1.5m", 90), (values.Duration(), "2h", 7200), (values.Duration(), "1d", 86_400),
    (side_files.Header(), "A:b", (("A", "b"),)), (side_files.Header(), "A: b: c ", (("A", "b: c"),)),
    (side_files.Header(), "A:", (("A", ""),)),
    (side_files.Data(), "größe", "größe".encode()), (values.Method(), "purge", "purge"),
    (values.ByteRange(), "0-0,-1", "0-0,-1"),
    (values.AcceptedStatuses(), "200-299, 304,4xx", ((200, 299), (304, 304), (400, 499))),
    (hosts.Resolved(), "A.b:1:[::1],127.0.0.1", ("a.b", 1, ("::1", "127.0.0.1"))),
    (hosts.Resolved(), "*:443:127.0.0.1", ("*", 443, ("127.0.0.1",))),
    (hosts.Resolved(), "+a:443:127.0.0.1", ("a", 443, ("127.0.0.1",))),
    (hosts.Resolved(), "-a:443", ("a", 443, ())),
    (hosts.HostRule(), "*.example.com", ("*.example.com",)),
    (values.Several("a", "b", "c"), "c, a", (True, False, True)), (values.Several("a"), "", (False,)),
])
def test_values_are_read_as_they_are_typed(type, text, value):
    assert type.convert(text, None, None) == value


@pytest.mark.parametrize(("type", "text"), [
    (values.Number(1), "0"), (values.Number(0), "-1"), (values.Number(0, 5), "6"), (values.Number(0), "1e3"),
    (values.Number(0), "٣"), (values.Number(0), "1_000"),
    (values.Size(), "-1"), (values.Size(), "1X"), (values.Size(), ""), (values.Size(), "k"),
    (values.Duration(), "0"), (values.Duration(), "-1s"), (values.Duration(), "0ms"), (values.Duration(), "inf"),
    (values.Duration(), "1 week"), (side_files.Header(), "A"), (values.Method(), ""), (values.Method(), "CONNECT"),
    (values.AcceptedStatuses(), ""), (values.AcceptedStatuses(), "200,"), (values.AcceptedStatuses(), "299-200"),
    (values.AcceptedStatuses(), "99"), (values.AcceptedStatuses(), "0xx"), (values.AcceptedStatuses(), "200-2xx"),
    (values.AcceptedStatuses(), "ok"), (values.AcceptedStatuses(), "1000"), (values.AcceptedStatuses(), "٢٠٠"),
    (values.ByteRange(), "-"), (values.ByteRange(), "bytes=0-1"), (values.ByteRange(), ""),
    (hosts.Resolved(), "a:b:127.0.0.1"), (hosts.Resolved(), "a:1:b"), (hosts.Resolved(), "a:1:"),
    (values.Several("a"), "a,b"),
])
def test_what_is_no_such_value_is_refused(type, text):
    with pytest.raises(click.BadParameter):
        type.convert(text, None, None)


def test_data_can_come_from_a_file(tmp_path):
    (tmp_path / "data").write_bytes(b"\xff\n")
    assert side_files.Data().convert(f"@{tmp_path}/data", None, None) == b"\xff\n"
    with pytest.raises(click.BadParameter, match="missing cannot be read: No such file or directory."):
        side_files.Data().convert("@missing", None, None)


def test_rules_for_hosts_can_stand_in_a_file(tmp_path):
    file = tmp_path / "hosts"
    file.write_text("\ufeff# those of the house\n10.0.0.0/8   # all of them\n\n*.example.com\n", encoding="utf-8")
    assert hosts.HostRule().convert(f"@{file}", None, None) == ("10.0.0.0/8", "*.example.com")


def test_a_side_file_may_begin_with_a_byte_order_mark_and_hold_comments(tmp_path):
    (tmp_path / "fields").write_bytes(b"\xef\xbb\xbfA: b\r\n\n# of the other site\nC: d\n")
    assert side_files.Header().convert(f"@{tmp_path}/fields", None, None) == (("A", "b"), ("C", "d"))
    (tmp_path / "user").write_bytes(b"\xef\xbb\xbfme:secret\n")
    assert side_files.User().convert(f"@{tmp_path}/user", None, None) == "me:secret"


def test_a_bad_line_of_a_side_file_is_named_and_not_shown(tmp_path):
    (tmp_path / "fields").write_text("A: b\nsecret\n")
    with pytest.raises(click.BadParameter, match="fields, line 2: There is no colon in it; ") as caught:
        side_files.Header().convert(f"@{tmp_path}/fields", None, None)
    assert "secret" not in caught.value.message
