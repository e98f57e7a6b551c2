"""How a script reads an answer: its body as text or JSON, and its header fields."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fetcher.errors import FetchFailed

if TYPE_CHECKING:
    from typing_extensions import Self


class Answer:
    """What `Result` offers to scripts, from the fields that it has."""

    __slots__ = ()

    if TYPE_CHECKING:
        ok: bool
        status: int | None
        content_type: str | None
        headers: tuple[tuple[str, str], ...] | None
        body: bytes | None

    @property
    def content(self) -> bytes:
        """The decoded body. Raises FetchFailed if no answer came, and ValueError if its body was not kept."""
        if self.body is not None:
            return self.body
        if self.status is None:
            raise FetchFailed(self)
        raise ValueError("The body of the answer was not kept: fetch it with keep_body=True")

    @property
    def text(self) -> str:
        """The body as text, in the charset that it declares; what does not fit is U+FFFD. Raises as `content` does."""
        from fetcher.text import SEARCHED_BYTES, codec_of

        codec = codec_of(self.content[:SEARCHED_BYTES], self.content_type)
        return codec.decode(self.content, "replace")[0].removeprefix("\ufeff")

    def json(self) -> Any:
        """The body, read as JSON. Raises ValueError if it is none, and as `content` does."""
        from json import loads

        return loads(self.content)

    def header(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a header field of the answer, or `default`. Several are joined with commas.

        Upper and lower case are the same. `headers` has each field (RFC 9110 §5.3), in lower case. Raises FetchFailed
        if no answer came, and ValueError if its fields were not kept.
        """
        if self.headers is None:
            if self.status is None:
                raise FetchFailed(self)
            raise ValueError("The header fields of the answer were not kept: fetch it with keep_headers=True")
        found = [value for field, value in self.headers if field == name.lower()]
        return ", ".join(found) if found else default

    def raise_for_status(self) -> Self:
        """Return this result if it is ok. Raises FetchFailed if it is not, whatever went wrong."""
        if not self.ok:
            raise FetchFailed(self)
        return self
