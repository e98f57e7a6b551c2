"""Follow redirects, as in RFC 9110 §15.4 and the Fetch standard (§4.4, HTTP-redirect fetch)."""
from __future__ import annotations

from typing import Any

from fetcher import green, url as urls
from fetcher.errors import InvalidUrl, TooManyRedirects
from fetcher.options import RedirectOptions
from fetcher.regex import regex
from fetcher.transport.of_hosts import OfHosts
from fetcher.transport.request import Request
from fetcher.transport.response import Response

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BEYOND_ASCII = regex(r"[\x80-\xff]")


class RedirectHandler(green.request.HTTPRedirectHandler):  # type: ignore[misc]
    """Follows `Location` to http and https URLs, as far as the options allow."""

    def __init__(self, options: RedirectOptions, hosts: OfHosts | None = None) -> None:
        self._options = options
        self._hosts = hosts

    def http_error_302(self, request: Request, response: Response, code: int, msg: str,
                       headers: Any) -> Request | Response:
        """Return the request to send next, or `response` itself if it does not redirect.

        As in curl, an empty `Location` does not redirect, and the first one that is not empty counts. Raises
        TooManyRedirects, and InvalidUrl for a `Location` that cannot be fetched; the `response` of the error is the
        answer that redirected.
        """
        location = next(filter(None, headers.get_all("location", [])), None) if self._options.follow else None
        if location is None:
            return response
        response.drain()
        response.close()
        try:
            url = urls.join(request.url, decoded(location))
        except InvalidUrl as error:
            raise InvalidUrl(f"{request.url} redirects to {urls.recordable(location)[:200]!r}: {error}",
                             response) from None
        self._check((*(hop.url for hop in request.hops), request.url), url, response)
        following = request.redirected(url, code, self._options.trusted)
        if self._hosts is not None and url.host != request.url.host:
            self._hosts.settle(request, following)
        following.redirected_by = response
        request.attempt.move(url.host)
        return following

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def _check(self, chain: tuple[urls.Url, ...], following: urls.Url, response: Response) -> None:
        """Raise TooManyRedirects for a loop or a long chain.

        The same URL twice is not a loop: a POST may have become a GET, or a cookie may have been set.
        """
        if chain.count(following) > 1:
            raise TooManyRedirects(f"The redirects run in a loop: {_shown((*chain, following))}.", response)
        if len(chain) > self._options.max_redirects:
            raise TooManyRedirects(f"There are more than {self._options.max_redirects} redirects: "
                                   f"{_shown((*chain, following))}.", response)


class StatusProcessor(green.request.HTTPErrorProcessor):  # type: ignore[misc]
    """Passes an answer that redirects or asks for credentials to the handlers of its status."""

    def http_response(self, request: Request, response: Response) -> Request | Response:
        if response.status in REDIRECTS or (response.status == 401 and request.user is not None):
            answer: Request | Response = self.parent.error("http", request, response, response.status, "",
                                                           response.headers)
            return answer
        return response

    https_response = http_response


def _shown(chain: tuple[urls.Url, ...]) -> str:
    """Return the chain as text, without its middle if it is long."""
    texts = [str(url)[:200] for url in chain]
    return " -> ".join(texts if len(texts) <= 6 else [*texts[:3], "...", *texts[-2:]])


def decoded(location: str) -> str:
    """Decode `location`, which was read as Latin-1, as UTF-8. If it is not UTF-8, percent-encode its bytes instead."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return _BEYOND_ASCII.sub(lambda match: f"%{ord(match[0]):02X}", location)
