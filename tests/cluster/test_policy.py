"""What the operator of a worker allows and forbids."""
import os
from dataclasses import replace

import pytest

from fetcher.cli import options as command_line
from fetcher.cluster.folder import Folder
from fetcher.cluster.key import own_key, read_key
from fetcher.cluster.orders import Order
from fetcher.cluster.place import RUN
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import ClusterRun, NotUnderstood
from fetcher.errors import InputError
from fetcher.options import (
    BodyOptions, GuardOptions, HostOptions, Limits, NetworkOptions, Options, RequestOptions, SaveOptions, TlsOptions,
)

KEY = b"0123456789abcdef"


@pytest.fixture
def home(tmp_path):
    """A directory with a private file, and a link to it."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path)
    return tmp_path


def order_for(path, options=Options(), name="run", **fields):
    """Return an order for a run with these options at `path`."""
    place = Folder(str(path))
    place.make()
    ClusterRun(name, (1,), options, 0.0, (), (), ()).write(place)
    return Order("run", str(path), 0, **fields)


def allows(policy, order):
    try:
        policy.find(order)
        return True
    except Refused:
        return False


@pytest.mark.parametrize(("root", "out", "is_allowed"), [
    ("/runs", "/runs", True), ("/runs", "/runs/a/b", True), ("/runs/", "/runs/a/", True), ("/", "/runs", True),
    ("/runs", "file:///runs/a", True), ("file:///runs", "/runs/a", True), ("/runs", "/runs/../runs/a", True),
    ("/runs", "/run", False), ("/runs", "/runs2", False), ("/runs", "/runs/../etc", False), ("/runs", "runs", False),
    ("/runs", "/", False), ("/runs", "", False), ("/runs", "s3://runs", False), ("/runs", "file:///etc", False),
    ("s3://b/r", "s3://b/r", True), ("s3://b/r/", "s3://b/r/a/b", True), ("s3://b", "s3://b/r", True),
    ("s3://b/r", "s3://b/r2", False), ("s3://b/r", "s3://b", False), ("s3://b/r", "s3://b/r/../a", False),
    ("s3://b/r", "s3://b/r/./a", False), ("s3://b/r", "s3://b/r//a", False), ("s3://b/r", "gs://b/r", False),
    ("s3://b/r", "s3://b/r/a::file:///etc", False), ("s3://b/r", "s3://b/r/a?versionId=1", False),
    ("s3://b/r", "simplecache::s3://b/r/a", False), ("s3://b/r", "s3://b/r/%2e%2e", False), ("s3://b/r", "/r", False),
])
def test_an_order_is_for_a_place_of_the_worker_or_under_one(root, out, is_allowed):
    policy = Policy(places=(root,))
    try:
        policy._root(out)
        assert is_allowed
    except Refused:
        assert not is_allowed


def test_a_link_out_of_a_place_leads_nowhere(home):
    order_for(home / "elsewhere")
    assert not allows(Policy(places=(str(home / "runs"),)), Order("run", str(home / "runs" / "link" / "elsewhere"), 0))


@pytest.mark.parametrize("options", [
    Options(tls=TlsOptions(cacert="secret")), Options(tls=TlsOptions(cert="secret")),
    Options(tls=TlsOptions(cert="secret", key="secret")), Options(request=RequestOptions(cookie="secret")),
    Options(request=RequestOptions(netrc=True)),
])
def test_a_run_reads_only_the_files_that_are_allowed(home, monkeypatch, options):
    monkeypatch.chdir(home)
    monkeypatch.setenv("NETRC", str(home / "secret"))
    order = order_for(home / "runs" / "run", options)
    runs = (str(home / "runs"),)
    assert not allows(Policy(places=runs), order)
    assert not allows(Policy(places=runs, files=(str(home / "runs"), str(home / "secre"))), order)
    assert allows(Policy(places=runs, files=(str(home / "secret"),)), order)
    assert allows(Policy(places=runs, files=(str(home),)), order)


@pytest.mark.parametrize(("directory", "is_allowed"), [
    ("runs/run/bodies", True), ("runs/bodies", True), ("more/bodies", True),
    ("elsewhere", False), ("runs/link/elsewhere", False), ("runs/../elsewhere", False),
    ("runs/run", False), ("runs", False), (".", False), ("runs/run/.fetcher", False), ("runs/other/.fetcher/x", False),
])
def test_bodies_are_saved_under_places_of_the_worker_and_over_no_run(home, monkeypatch, directory, is_allowed):
    monkeypatch.chdir(home)
    order = order_for(home / "runs" / "run", Options(body=BodyOptions(save=SaveOptions(directory))))
    assert allows(Policy(places=(str(home / "runs"), str(home / "more"))), order) is is_allowed


def test_a_run_wants_nothing_that_submit_cannot_ask_for(home):
    """A worker refuses a run with a field that only options of `fetcher SOURCE...` set, and not `fetcher submit`."""
    local = {field for option in command_line.ALL if option.local for field in option.to}
    wanted = [options for field in local for options in _with(Options(body=BodyOptions(save=SaveOptions(""))), field)]
    assert len(wanted) >= 3
    for options in [*wanted, Options(body=BodyOptions(exchanges="/")), Options(limits=Limits(concurrency=10 ** 6))]:
        assert not allows(Policy(places=(str(home),)), order_for(home / "run", options)), options
        assert not allows(Policy(KEY), order_for(home / "run", options)), options


def _with(options, field):
    """Yield the options with another value in that field, if they have it."""
    if field.__objclass__ is type(options):
        before = getattr(options, field.__name__)
        yield replace(options, **{field.__name__: not before if type(before) is bool else "other"})
        return
    for name in options.__slots__:
        inner = getattr(options, name)
        if hasattr(inner, "__slots__"):
            yield from (replace(options, **{name: changed}) for changed in _with(inner, field))


def test_a_worker_that_blocks_private_addresses_does_so_for_every_run(home):
    policy = Policy(places=(str(home),), block_private=True)
    _place, run, _content = policy.find(order_for(home / "run", Options(guard=GuardOptions(deny=("a.example",)))))
    assert run.options.guard == GuardOptions(block_private=True, deny=("a.example",))
    for options in (Options(guard=GuardOptions(allow=("*",))), Options(network=NetworkOptions(proxy="http://10.0.0.1")),
                    Options(hosts=(HostOptions("a", proxy="http://10.0.0.1"),)),
                    Options(network=NetworkOptions(dns_servers=("10.0.0.1",)))):
        assert allows(replace(policy, block_private=False), order_for(home / "run", options))
        assert not allows(policy, order_for(home / "run", options))


def test_a_signature_is_of_the_order_and_of_the_run(home):
    policy = Policy(KEY, (str(home),))
    order = order_for(home / "run")
    content = (home / "run" / RUN).read_bytes()
    signed = order.signed(KEY, content)
    assert allows(policy, signed)
    assert allows(policy, replace(signed, tries=3))
    for forged in (order, order.signed(KEY + b"x", content), order.signed(KEY, content + b" "),
                   replace(signed, partition=1), replace(signed, signature=""), replace(signed, signature="é"),
                   replace(signed, out=f"{home}/./run"), replace(signed, run="other")):
        assert not allows(policy, forged), forged
    order_for(home / "run", Options(tls=TlsOptions(insecure=True)))
    assert not allows(policy, signed)


def test_the_run_must_be_the_one_that_is_ordered(home):
    assert not allows(Policy(places=(str(home),)), order_for(home / "run", name="other"))
    with pytest.raises(Refused, match="There is no run in"):
        Policy(places=(str(home),)).find(Order("run", str(home / "nothing"), 0))


@pytest.mark.parametrize("is_made", [False, True])
def test_a_place_that_is_empty_or_missing_may_come_back(home, is_made):
    if is_made:
        (home / "mount").mkdir()
    with pytest.raises(InputError, match="may not be mounted"):
        Policy(places=(str(home / "mount"),)).find(Order("run", str(home / "mount" / "run"), 0))


def test_a_run_of_another_version_is_not_understood(home):
    order = order_for(home / "run")
    path = home / "run" / RUN
    path.write_bytes(path.read_bytes().replace(b'"version":2', b'"version":99'))
    with pytest.raises(NotUnderstood, match="version 99"):
        Policy(places=(str(home),)).find(order)


def test_a_key_is_long_enough_and_white_space_around_it_does_not_count(tmp_path):
    (tmp_path / "key").write_bytes(KEY + b"\n")
    assert read_key(str(tmp_path / "key")) == KEY
    (tmp_path / "key").write_bytes(KEY[:-1] + b"\n")
    with pytest.raises(InputError, match="shorter than 16 bytes"):
        read_key(str(tmp_path / "key"))


def test_a_directory_broker_has_one_key_which_is_its_owners_alone(tmp_path):
    broker = str(tmp_path / "broker")
    key = own_key(broker)
    assert key is not None and own_key(broker) == key and len(key) >= 32
    assert os.stat(f"{broker}/key").st_mode & 0o777 == 0o600
    os.chmod(f"{broker}/key", 0o640)
    assert own_key(broker) is None
    os.unlink(f"{broker}/key")
    os.symlink(__file__, f"{broker}/key")
    with pytest.raises(Exception, match="cannot be used"):
        own_key(broker)
