import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.transport.authentication.challenge import Challenge, parse_challenges
from fetcher.transport.authentication.digest import strongest

DIGEST = Challenge("digest", {"realm": "s", "nonce": "n"})


@pytest.mark.parametrize(("fields", "challenges"), [
    (['Basic realm="s", Digest realm="s", nonce="n"'], [Challenge("basic", {"realm": "s"}), DIGEST]),
    (['Digest realm="s", nonce="n", Basic realm="s"'], [DIGEST, Challenge("basic", {"realm": "s"})]),
    (["Negotiate", 'Digest realm=s,nonce=n'], [Challenge("negotiate", {}), DIGEST]),
    (['Negotiate, NTLM, DIGEST Realm = "s" ,, nonce\t=\t"n"'],
     [Challenge("negotiate", {}), Challenge("ntlm", {}), DIGEST]),
    (['NTLM TlRMTVNTUAACAAAA==, Digest realm="s" nonce="n"'],
     [Challenge("ntlm", {}), Challenge("tlrmtvntuaacaaaa==", {}), DIGEST]),
    (['Digest realm="s", nonce="n", realm="t"'], [DIGEST]),
    (['Digest realm="Basic x=\\"y\\", Digest \\\\"'], [Challenge("digest", {"realm": 'Basic x="y", Digest \\'})]),
    (['Digest realm="s, nonce=n'], [Challenge("digest", {"realm": "s, nonce=n"})]),
    (['Digest realm="s\\'], [Challenge("digest", {"realm": "s"})]),
    (["", " , ,"], []),
])
def test_challenges_stand_anywhere(fields, challenges):
    assert parse_challenges(fields) == challenges


@pytest.mark.parametrize(("algorithms", "chosen"), [
    (["MD5", "SHA-256", "SHA-512-256"], "SHA-512-256"), (["sha-256-sess", "MD5"], "sha-256-sess"),
    (["MD5-sess", "SHA-1"], "MD5-sess"), (["SHA-1", "SHA-512"], None)])
def test_the_strongest_that_is_known_is_met(algorithms, chosen):
    challenge = strongest(Challenge("digest", {"realm": "s", "nonce": "n", "algorithm": each}) for each in algorithms)
    assert (challenge and challenge.parameters["algorithm"]) == chosen


pieces = st.sampled_from(["Digest", "Basic", " ", ",", "=", '"', "\\", "realm", "nonce", "a", "\t", "\xff", "qop"])


@given(st.lists(st.lists(pieces, max_size=40).map("".join)))
def test_whatever_a_server_asks_for_is_read(fields):
    for challenge in parse_challenges(fields):
        assert challenge.scheme and challenge.scheme == challenge.scheme.lower()
    strongest(parse_challenges(fields))
