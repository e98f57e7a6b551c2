"""TLS on a socket that never blocks: whom to trust, the handshake, and what is wrong with a certificate."""
from __future__ import annotations

import ssl
from socket import socket
from typing import Any

from fetcher import green
from fetcher.errors import TlsError
from fetcher.model import TlsDetails, rfc3339
from fetcher.options import TlsOptions

_MOST_SESSIONS = 10_000


class Handshakes:
    """Makes handshakes by one set of options. A host's last session is taken up again where it allows that."""

    def __init__(self, options: TlsOptions) -> None:
        self._options = options
        self._made: ssl.SSLContext | None = None
        self._sessions: dict[tuple[str, int], ssl.SSLSession] = {}

    def handshake(self, plain: socket, host: str, port: int) -> ssl.SSLSocket:
        """`plain`, a connected non-blocking socket, as a TLS one. Takes `plain` over, and closes it on failure.

        Raises TlsError.
        """
        secure = self._context().wrap_socket(plain, server_hostname=host.rstrip("."), do_handshake_on_connect=False,
                                             session=self._sessions.get((host, port)))
        try:
            while True:
                try:
                    secure.do_handshake()
                    return secure
                except ssl.SSLWantReadError:
                    green.trampoline(secure.fileno(), read=True)
                except ssl.SSLWantWriteError:
                    green.trampoline(secure.fileno(), write=True)
        except OSError as error:
            secure.close()
            raise TlsError(sentence(error, f"{host} port {port}")) from None
        except BaseException:
            secure.close()
            raise

    def remember(self, host: str, port: int, secure: ssl.SSLSocket) -> None:
        """Keep the session of `secure` for the next handshake. With TLS 1.3 it is there after the first answer."""
        session = secure.session
        if session is not None and session.has_ticket:
            self._sessions.pop((host, port), None)
            self._sessions[host, port] = session
            if len(self._sessions) > _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]

    def _context(self) -> ssl.SSLContext:
        if self._made is None:
            self._made = context(self._options)
        return self._made


def details(secure: ssl.SSLSocket) -> TlsDetails | None:
    """What the handshake of `secure` agreed on."""
    certificate: dict[str, Any] = secure.getpeercert() or _unverified(secure)
    cipher = secure.cipher()
    return TlsDetails(
        version=secure.version() or "", cipher=cipher[0] if cipher else "",
        issuer=_name(certificate.get("issuer", ())), subject=_name(certificate.get("subject", ())),
        not_after=rfc3339(ssl.cert_time_to_seconds(certificate["notAfter"])) if "notAfter" in certificate else "")


def _unverified(secure: ssl.SSLSocket) -> dict[str, Any]:
    """The peer's certificate where it was not verified, of which `getpeercert` then says nothing."""
    try:
        chain = secure._sslobj.get_unverified_chain()   # type: ignore[attr-defined]
        return dict(chain[0].get_info())
    except (AttributeError, IndexError, TypeError):
        return {}


def _name(parts: Any) -> str:
    """A distinguished name as RFC 4514 writes it, the most specific part first."""
    return ",".join(f"{_SHORT.get(key, key)}={value}" for part in reversed(parts) for key, value in part)


_SHORT = {"commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C",
          "stateOrProvinceName": "ST", "localityName": "L"}


def context(options: TlsOptions) -> ssl.SSLContext:
    """The settings of every handshake. Raises TlsError where a file of certificates cannot be used."""
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
        raise TlsError(f"The certificates in {files} cannot be used: {error.strerror or error}.") from None
    made.set_alpn_protocols(["http/1.1"])
    return made


def sentence(error: OSError, peer: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.verify_message or str(error)).rstrip(".")
        return f"The certificate of {peer} is not accepted: {reason}."
    if isinstance(error, ssl.SSLError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return f"{peer} does not speak TLS."
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"The TLS handshake with {peer} failed: {reason}."
    return f"{peer} ended the connection in the TLS handshake."
