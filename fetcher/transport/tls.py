"""TLS on a non-blocking socket: set up trust, do the handshake, and say what is wrong with a certificate."""
from __future__ import annotations

import ssl
import sys
import warnings
from contextlib import closing
from dataclasses import replace
from socket import socket
from time import time
from typing import Any, TypeVar

from fetcher import green
from fetcher.errors import TlsError
from fetcher.model import TlsDetails, rfc3339
from fetcher.options import TlsOptions
from fetcher.transport.tls_in_tls import TlsInTls

_MAX_SESSIONS = 1_000       # of 7 KB each
_MAX_NAMES = 10_000
# Before these versions, each read of a session leaks 6.5 KB (python/cpython#116810).
_READING_LEAKS = sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)

_Value = TypeVar("_Value")


class Untrusted(TlsError):
    """A certificate was not accepted. `cause` is OpenSSL's error."""

    def __init__(self, cause: ssl.SSLCertVerificationError, peer: str) -> None:
        super().__init__(sentence(cause, peer))
        self.cause = cause


class Handshakes:
    """Does handshakes with one set of options, and resumes the TLS session of a host if the host allows it.

    The session is stored from the second connection on, since most hosts of a long list are connected to only once.
    """

    def __init__(self, options: TlsOptions, offers_2: bool = False) -> None:
        """`offers_2`: HTTP/2 is offered, too. Raises ValueError if a file of certificates cannot be used."""
        self._options = options
        self._offers_2 = offers_2
        # load the default certificates late, since that is slow
        self._made = context(options, offers_2) if options.cacert or options.cert or options.minimum != "1.2" else None
        self._made_without_names: ssl.SSLContext | None = None
        self._made_for_proxies: ssl.SSLContext | None = None
        self._names: dict[tuple[str, int], None] = {}       # of hosts with at least one connection
        self._sessions: dict[tuple[str, int], ssl.SSLSession] = {}
        self._reads = 0

    def handshake(self, plain: socket, host: str, port: int) -> ssl.SSLSocket | TlsInTls:
        """Do the handshake on `plain`, a connected non-blocking socket. Return the TLS socket.

        `plain` belongs to the TLS socket from now on, and is closed on failure. Raises Untrusted and TlsError.
        """
        if "_" in host and not self._options.insecure:
            return self._handshake_below_a_wildcard(plain, host, port)
        if self._made is None:
            self._made = context(self._options, self._offers_2)
        return _shake(self._made, plain, host, port, self._sessions.get((host, port)))

    def handshake_with_proxy(self, plain: socket, host: str, port: int) -> ssl.SSLSocket:
        """Do the handshake with a proxy, as `handshake` does. Our client certificate is only sent to origins.

        Raises Untrusted and TlsError.
        """
        if self._made_for_proxies is None:
            self._made_for_proxies = context(replace(self._options, cert=None, key=None))
        secure = _shake(self._made_for_proxies, plain, host, port)
        assert isinstance(secure, ssl.SSLSocket)
        return secure

    def _handshake_below_a_wildcard(self, plain: socket, host: str, port: int) -> ssl.SSLSocket | TlsInTls:
        """Compare the names here, since OpenSSL's wildcards do not match an underscore. Those of browsers and curl do.

        Raises Untrusted and TlsError.
        """
        if self._made_without_names is None:
            self._made_without_names = context(self._options, self._offers_2)
            self._made_without_names.check_hostname = False
        secure = _shake(self._made_without_names, plain, host, port, self._sessions.get((host, port)))
        certificate: dict[str, Any] = _state(secure).getpeercert() or {}
        if not any(kind == "DNS" and fits(name, host) for kind, name in certificate.get("subjectAltName", ())):
            secure.close()
            raise TlsError(_of_another_host(certificate, host, f"{host} port {port}"))
        return secure

    def explain(self, error: Untrusted, plain: socket, host: str, port: int) -> TlsError:
        """Return an error that says more than `error`. `plain` is another connection, to read the certificate from.

        This is needed because a refused certificate is not available after the handshake. Raises TlsError.
        """
        with closing(_shake(context(TlsOptions(insecure=True)), plain, host, port)) as secure:
            certificate = _unverified(_state(secure))
        if not certificate:
            return error
        return TlsError(_why_untrusted(error, certificate, host, f"{host} port {port}"))

    def remember(self, host: str, port: int, secure: ssl.SSLSocket) -> None:
        """Store the session of `secure` for the next handshake. With TLS 1.3 it exists after the first answer."""
        if secure.session_reused:
            return
        name = host, port
        is_known = name in self._names
        _put_last(self._names, name, None, _MAX_NAMES)
        if not is_known or (_READING_LEAKS and self._reads >= _MAX_SESSIONS):
            return
        self._reads += 1
        session = secure.session
        if session is not None and session.has_ticket:
            _put_last(self._sessions, name, session, _MAX_SESSIONS)
        else:
            self._sessions.pop(name, None)


def _put_last(entries: dict[tuple[str, int], _Value], name: tuple[str, int], value: _Value, maximum: int) -> None:
    """Make `value` the last of `entries`, and remove the first where there are more than `maximum`."""
    entries.pop(name, None)
    entries[name] = value
    if len(entries) > maximum:
        del entries[next(iter(entries))]


def _shake(settings: ssl.SSLContext, plain: socket, host: str, port: int,
           session: ssl.SSLSession | None = None) -> ssl.SSLSocket | TlsInTls:
    sock: socket | TlsInTls = plain
    try:
        sock = secure = _wrap(settings, plain, host, session)
        while True:
            try:
                secure.do_handshake()
                return secure
            except ssl.SSLWantReadError:
                green.trampoline(secure.fileno(), read=True)
            except ssl.SSLWantWriteError:
                green.trampoline(secure.fileno(), write=True)
    except BaseException as error:
        sock.close()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise Untrusted(error, f"{host} port {port}") from None
        if isinstance(error, OSError):
            raise TlsError(sentence(error, f"{host} port {port}")) from None
        raise


def _wrap(settings: ssl.SSLContext, plain: socket, host: str, session: ssl.SSLSession | None
          ) -> ssl.SSLSocket | TlsInTls:
    name = host.rstrip(".").partition("%")[0]       # the zone of an address only means something on this machine
    if isinstance(plain, ssl.SSLSocket):
        return TlsInTls(settings, plain, name)
    return settings.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False, session=session)


def alpn(sock: socket | TlsInTls) -> str | None:
    """Return the protocol that the peer chose among those that were offered, or None."""
    return _state(sock).selected_alpn_protocol() if isinstance(sock, (ssl.SSLSocket, TlsInTls)) else None


def details(sock: ssl.SSLSocket | TlsInTls) -> TlsDetails | None:
    """Return the details of the handshake on `sock`."""
    secure = _state(sock)
    certificate: dict[str, Any] = secure.getpeercert() or _unverified(secure)
    cipher = secure.cipher()
    return TlsDetails(
        version=secure.version() or "", cipher=cipher[0] if cipher else "",
        issuer=_name(certificate.get("issuer", ())), subject=_name(certificate.get("subject", ())),
        not_after=rfc3339(ssl.cert_time_to_seconds(certificate["notAfter"])) if "notAfter" in certificate else "",
        alpn=secure.selected_alpn_protocol())


def _state(sock: ssl.SSLSocket | TlsInTls) -> ssl.SSLSocket | ssl.SSLObject:
    """Return the object that has the peer's certificate and the details of the handshake."""
    return sock.inner if isinstance(sock, TlsInTls) else sock


def _unverified(secure: ssl.SSLSocket | ssl.SSLObject) -> dict[str, Any]:
    """Return the peer's certificate if it was not verified. `getpeercert` is empty then."""
    try:
        chain = secure._sslobj.get_unverified_chain()   # type: ignore[union-attr]
        return dict(chain[0].get_info())
    except (AttributeError, IndexError, TypeError):
        return {}


def _name(parts: Any) -> str:
    """Return a distinguished name in the form of RFC 4514, the most specific part first."""
    return ",".join(f"{_SHORT.get(key, key)}={value}" for part in reversed(parts) for key, value in part)


_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C",
          "stateOrProvinceName": "ST", "localityName": "L"}


def context(options: TlsOptions, offers_2: bool = False) -> ssl.SSLContext:
    """Return the settings for handshakes. `offers_2`: HTTP/2 is offered, too, by ALPN (RFC 7301).

    Raises ValueError if a file of certificates cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if options.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif options.cacert is None:
        made.load_default_certs()       # honours SSL_CERT_FILE and SSL_CERT_DIR
    try:
        if options.cacert is not None:
            made.load_verify_locations(cafile=options.cacert)
        if options.cert is not None:
            made.load_cert_chain(options.cert, options.key)
    except (OSError, ssl.SSLError) as error:
        files = " and ".join(file for file in (options.cacert, options.cert, options.key) if file)
        raise ValueError(f"the certificates in {files} cannot be used: {error.strerror or error}") from None
    if options.minimum not in _VERSIONS:
        raise ValueError(f"{options.minimum!r} is not a version of TLS; choose one of {', '.join(_VERSIONS)}")
    with warnings.catch_warnings():     # about old versions: the user asked for them
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = _VERSIONS[options.minimum]
    if options.minimum in ("1.0", "1.1"):
        made.set_ciphers("DEFAULT:@SECLEVEL=0")     # OpenSSL 3 allows these versions only at this level
    made.set_alpn_protocols(["h2", "http/1.1"] if offers_2 else ["http/1.1"])
    return made


_VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2,
             "1.3": ssl.TLSVersion.TLSv1_3}


def sentence(error: OSError, peer: str) -> str:
    """Return a sentence that says what went wrong in the handshake with `peer`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {peer} is not accepted: {error.verify_message.rstrip('.')}."
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return f"{peer} does not speak TLS."
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"The TLS handshake with {peer} failed: {reason}."
    return f"{peer} ended the connection in the TLS handshake."


def _why_untrusted(error: Untrusted, certificate: dict[str, Any], host: str, peer: str) -> str:
    code = error.cause.verify_code
    if code == _EXPIRED and ssl.cert_time_to_seconds(certificate["notAfter"]) < time():
        return f"The certificate of {peer} expired on {_day(certificate['notAfter'])}."
    if code == _NOT_YET_VALID and ssl.cert_time_to_seconds(certificate["notBefore"]) > time():
        return f"The certificate of {peer} is not valid before {_day(certificate['notBefore'])}."
    if code == _SELF_SIGNED:
        return f"The certificate of {peer} is self-signed, by {_name(certificate['subject']) or 'nobody'}."
    if code in _WRONG_NAME:
        return _of_another_host(certificate, host, peer)
    return f"{str(error)[:-1]}; it is issued by {_name(certificate['issuer'])}."


def fits(name: str, host: str) -> bool:
    """Return whether `name`, in a certificate, matches `host`. `*` matches the whole first label (RFC 9525 §6.3)."""
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    if not name.startswith("*."):
        return name == host
    label, _, parent = host.partition(".")
    return bool(label) and parent == name[2:] and "." in parent and "*" not in parent


def _of_another_host(certificate: dict[str, Any], host: str, peer: str) -> str:
    return f"The certificate of {peer} is for {_names(certificate)}, not for {host}."


# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED, _WRONG_NAME = 9, 10, 18, (62, 64)


def _day(time_of_certificate: str) -> str:
    return rfc3339(ssl.cert_time_to_seconds(time_of_certificate))[:10]


def _names(certificate: dict[str, Any]) -> str:
    """Return the hosts that a certificate is for, at most three of them."""
    names = [name for kind, name in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not names:
        return _name(certificate["subject"]) or "nobody"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
