"""Decode a body as text. The body itself and its Content-Type tell the charset.

A byte order mark counts first, then the charset of the Content-Type, then the document itself: `<meta>` in HTML, the
declaration in XML. Labels have the same meaning as in browsers, so `latin1` is windows-1252
(https://encoding.spec.whatwg.org/#names-and-labels). If no label is known, or the bytes do not fit, UTF-8 is tried.
Text with a control character that no text has is binary: in JSON, each of them would be six bytes long.
"""
from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain
from typing import Any

_UTF_8 = codecs.lookup("utf-8")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
          codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}      # longer marks come first
_ALL_MARKS = tuple(_MARKS)
_MAX_REMEMBERED = 100       # characters of a Content-Type
SEARCHED_BYTES = 1024      # https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding
_BINARY = "[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]"   # https://mimesniff.spec.whatwg.org/#binary-data-byte
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_XML = r"(?:text|application)/(?:.*\+)?xml"

_LABEL = r"""\s*=\s*["']?\s*([\w.:-]{1,40})"""
_PARAMETER = rf"(?ai);\s*charset{_LABEL}"
_DECLARATION = rf"""(?a)\A<\?xml\s[^>]*?encoding{_LABEL}"""
_COMMENT = r"(?s)<!--.*?(?:-->|\Z)"
_META = r"""(?i)<meta[\s/]((?:"[^"]*"|'[^']*'|[^>"'])*)"""
_ATTRIBUTE = r"""([^\s"'>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
_IN_CONTENT = rf"(?ai)charset{_LABEL}"


def decoded(body: bytes, content_type: str | None) -> str | None:
    """Return `body` as text, without its byte order mark, or None if it is not text in a known charset."""
    text = _decoded(body, content_type)
    return text if text is None or re.search(_BINARY, text) is None else None


def _decoded(body: bytes, content_type: str | None) -> str | None:
    marked = _marked(body)
    if marked is not None:
        return _strictly(body, marked)
    codec = _told(body, content_type or "")
    text = _strictly(body, codec) if codec is not None else None
    return text if text is not None else _strictly(body, _UTF_8)


def codec_of(beginning: bytes, content_type: str | None) -> codecs.CodecInfo:
    """Return the codec of a body, as its first SEARCHED_BYTES tell. The default is UTF-8."""
    return _marked(beginning) or _told(beginning, content_type or "") or _UTF_8


def _strictly(body: bytes, codec: codecs.CodecInfo) -> str | None:
    try:
        return codec.decode(body)[0]
    except UnicodeError:
        return None


def _marked(body: bytes) -> codecs.CodecInfo | None:
    """Return the codec that a byte order mark tells."""
    if not body.startswith(_ALL_MARKS):
        return None
    return next(codecs.lookup(charset) for mark, charset in _MARKS.items() if body.startswith(mark))


def _told(body: bytes, content_type: str) -> codecs.CodecInfo | None:
    """Return the codec of the first known label, of the Content-Type or of the document itself, or None."""
    read = _read_type if len(content_type) <= _MAX_REMEMBERED else _read_type.__wrapped__
    declared, finders = read(content_type)
    if declared is not None or not finders:
        return declared
    text = body[:SEARCHED_BYTES].decode("latin-1")
    for codec in filter(None, map(_known, chain.from_iterable(find(text) for find in finders))):
        return _UTF_8 if codec.name.startswith("utf-16") else codec     # a label that reads as ASCII cannot mean UTF-16
    return None


@lru_cache(maxsize=256)
def _read_type(content_type: str) -> tuple[codecs.CodecInfo | None, list[Callable[[str], Iterable[str]]]]:
    """Return the codec that a Content-Type tells, and what finds further labels within a document of that type."""
    label = re.search(_PARAMETER, content_type)
    media_type = content_type.partition(";")[0].strip().lower()
    finders: list[Callable[[str], Iterable[str]]] = []
    if re.fullmatch(_XML, media_type):
        finders.append(partial(re.findall, _DECLARATION))
    if media_type in _HTML:
        finders.append(_labels_of_html)
    return _known(label[1]) if label else None, finders


def _known(label: str) -> codecs.CodecInfo | None:
    import webencodings

    encoding = webencodings.lookup(label)
    if encoding is None:
        return None
    return codecs.lookup("gb18030") if encoding.name == "gbk" else encoding.codec_info     # the standard reads both so


def _labels_of_html(text: str) -> Iterator[str]:
    """Yield the labels of charsets in the beginning of a document."""
    for attributes in re.findall(_META, re.sub(_COMMENT, "", text)):
        yield from _labels_of_meta(attributes)


def _labels_of_meta(text: str) -> Iterator[str]:
    attributes = {name.lower(): double or single or bare
                  for name, double, single, bare in re.findall(_ATTRIBUTE, text)}
    if "charset" in attributes:
        yield attributes["charset"]
    elif attributes.get("http-equiv", "").lower() == "content-type":
        yield from re.findall(_IN_CONTENT, attributes.get("content", ""))


def without_surrogates(value: Any) -> Any:
    """Return `value` with question marks for lone surrogates: UTF-8 cannot encode bytes of file names that are no text.
    """
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
