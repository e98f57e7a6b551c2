import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fetcher.transport.authentication.netrc import Netrc


@pytest.fixture
def path(tmp_path):
    return tmp_path / "netrc"


def found(path, text, host="a.example", login=None, default=True):
    path.write_text(text, encoding="utf-8")
    entry = Netrc(str(path)).find(host, login, default)
    return entry and (entry.login, entry.password)


@pytest.mark.parametrize("text", [
    "machine a.example login me password secret",
    "machine A.Example\n\tlogin me\n\tpassword secret\n",
    "machine a.example password secret login me",
    "machine a.example login me account x password secret",
    "machine b.example login you password p\nmachine a.example login me password secret\n",
    "machine a.example login me password secret\nmachine a.example login you password p\n",
    "# machine a.example login you password p\nmachine a.example login me password secret # password p\n",
    'machine a.example login "me" password "secret"',
    "macdef init\nmachine a.example login you password p\n\nmachine a.example login me password secret",
    "what is this\nmachine a.example nonsense login me password secret secret",
    "\ufeffmachine a.example login me password secret\r\n",
    "default login me password secret",
    "default login me password secret\nmachine a.example login you password p",
    "machine a.example login me password secret default login you password p",
    "MACHINE a.example Login me PASSWORD secret",
    "MacDef init\nmachine a.example login you password p\n\nmachine a.example LOGIN me Account x password secret",
])
def test_the_first_entry_for_a_host_counts(path, text):
    assert found(path, text) == ("me", "secret")


def test_what_stands_in_quotation_marks_may_be_anything(path):
    assert found(path, 'machine a.example login "a b#\\"" password "\\\\ \\t#\u00fc"') == ('a b#"', "\\ \t#\u00fc")


@pytest.mark.parametrize(("login", "password"), [("me", "1"), ("you", "2"), ("who", "3"), (None, "1")])
def test_an_entry_is_for_its_login(path, login, password):
    text = ("machine a.example login me password 1\nmachine a.example login you password 2\n"
            "machine a.example password 3\ndefault login all password 4\n")
    assert found(path, text, login=login)[1] == password


def test_the_default_is_not_for_all(path):
    text = "machine b.example login you password p\ndefault login me password secret"
    assert found(path, text, default=False) is None
    assert found(path, text, host="b.example", default=False) == ("you", "p")


@pytest.mark.parametrize("text", ["", "machine", "machine a.example", "machine a.example login", "password x", "\0"])
def test_what_is_not_there_is_not_found(path, text):
    assert found(path, text) is None


@pytest.mark.parametrize(("content", "problem"), [
    (b'# \xff\nmachine a login "me', "line 2 has a quotation mark without its partner"),
    (b"machine a login me password \xff", "line 1 is not UTF-8")])
def test_a_file_that_cannot_be_understood_says_where(path, content, problem):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{path} {problem}$"):
        Netrc(str(path))


pieces = st.sampled_from([b"machine", b"login", b"password", b"default", b"macdef", b" ", b"\n", b"\"", b"\\", b"#",
                          b"a",
                          b"\xff", b"\0", b"account", b"\r"])


@given(st.lists(pieces).map(b"".join) | st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_is_one_line_says_what_is_wrong(path, content):
    path.write_bytes(content)
    try:
        Netrc(str(path)).find("a", "a", True)
    except ValueError as error:
        assert str(path) in str(error) and "\n" not in str(error)
