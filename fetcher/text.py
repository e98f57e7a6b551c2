"""Decode a body as text. The body itself and its Content-Type tell the charset.

A byte order mark counts first, then the charset of the Content-Type, then the document itself: `<meta>` in HTML, the
declaration in XML. Labels have the same meaning as in browsers, so `latin1` is windows-1252
(https://encoding.spec.whatwg.org/#names-and-labels). If no label is known, or the bytes do not fit, UTF-8 is tried.
"""
from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

_UTF_8 = codecs.lookup("utf-8")
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
          codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}      # longer marks come first
SEARCHED_BYTES = 1024      # https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_XML = re.compile(r"(?:text|application)/(?:.*\+)?xml", re.A)

_LABEL = r"""\s*=\s*["']?\s*([\w.:-]{1,40})"""
_PARAMETER = re.compile(rf";\s*charset{_LABEL}", re.I | re.A)
_DECLARATION = re.compile(rf"""\A<\?xml\s[^>]*?encoding{_LABEL}""", re.A)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_META = re.compile(r"""<meta[\s/]((?:"[^"]*"|'[^']*'|[^>"'])*)""", re.I)
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_IN_CONTENT = re.compile(rf"charset{_LABEL}", re.I | re.A)


def decoded(body: bytes, content_type: str | None) -> str | None:
    """Return `body` as text, without its byte order mark, or None if it is not text in a known charset."""
    for mark, charset in _MARKS.items():
        if body.startswith(mark):
            return _strictly(body, codecs.lookup(charset))
    codec = _codec(body, content_type or "")
    text = _strictly(body, codec) if codec is not None else None
    return text if text is not None else _strictly(body, _UTF_8)


def codec_of(beginning: bytes, content_type: str | None) -> codecs.CodecInfo:
    """Return the codec of a body, as its first SEARCHED_BYTES tell. The default is UTF-8."""
    for mark, charset in _MARKS.items():
        if beginning.startswith(mark):
            return codecs.lookup(charset)
    return _codec(beginning, content_type or "") or _UTF_8


def _strictly(body: bytes, codec: codecs.CodecInfo) -> str | None:
    try:
        return codec.decode(body)[0]
    except UnicodeError:
        return None


def _codec(body: bytes, content_type: str) -> codecs.CodecInfo | None:
    """Return the codec of the first known label, or None."""
    declared = _PARAMETER.search(content_type)
    codec = _known(declared[1]) if declared else None
    if codec is not None:
        return codec
    for label in _labels_within(body[:SEARCHED_BYTES], content_type.partition(";")[0].strip().lower()):
        codec = _known(label)
        if codec is not None:       # a label could be read as ASCII, so "utf-16" cannot be true
            return _UTF_8 if codec.name.startswith("utf-16") else codec
    return None


def _known(label: str) -> codecs.CodecInfo | None:
    import webencodings

    encoding = webencodings.lookup(label)
    if encoding is None:
        return None
    return codecs.lookup("gb18030") if encoding.name == "gbk" else encoding.codec_info     # the standard reads both so


def _labels_within(head: bytes, media_type: str) -> Iterator[str]:
    """Yield the labels of charsets in the beginning of a document."""
    text = head.decode("latin-1")
    if _XML.fullmatch(media_type):
        yield from _DECLARATION.findall(text)
    if media_type in _HTML:
        for attributes in _META.findall(_COMMENT.sub("", text)):
            yield from _labels_of_meta(attributes)


def _labels_of_meta(text: str) -> Iterator[str]:
    attributes = {name.lower(): double or single or bare for name, double, single, bare in _ATTRIBUTE.findall(text)}
    if "charset" in attributes:
        yield attributes["charset"]
    elif attributes.get("http-equiv", "").lower() == "content-type":
        yield from _IN_CONTENT.findall(attributes.get("content", ""))


def without_surrogates(value: Any) -> Any:
    """Return `value` with question marks for lone surrogates: UTF-8 cannot encode bytes of file names that are no text.
    """
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
