"""TLS on a socket that never blocks: whom to trust, the handshake, and what is wrong with a certificate."""
from __future__ import annotations

import ssl
from socket import socket

from fetcher import green
from fetcher.errors import TlsError
from fetcher.options import TlsOptions


def context(options: TlsOptions) -> ssl.SSLContext:
    """The settings of every handshake.

    Raises TlsError where the file of certificates cannot be used.
    """
    try:
        made = ssl.create_default_context(cafile=options.cacert)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        raise TlsError(f"The certificates in {options.cacert} cannot be used: {reason}.") from None
    if options.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    made.set_alpn_protocols(["http/1.1"])
    return made


def handshake(plain: socket, host: str, peer: str, settings: ssl.SSLContext) -> ssl.SSLSocket:
    """`plain`, a connected non-blocking socket, as a TLS one. Takes `plain` over, and closes it on failure.

    Raises TlsError.
    """
    secure = settings.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
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
        raise TlsError(_sentence(error, host, peer)) from None
    except BaseException:
        secure.close()
        raise


def _sentence(error: OSError, host: str, peer: str) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.verify_message or str(error)).rstrip(".")
        return f"The certificate of {peer} is not accepted: {reason}."
    if isinstance(error, ssl.SSLError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return f"{peer} does not speak TLS."
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"The TLS handshake with {peer} failed: {reason}."
    return f"{peer} ended the connection in the TLS handshake."
