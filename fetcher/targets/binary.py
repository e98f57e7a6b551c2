"""Recognize files that are not text by their first bytes, and tell the user what to do with them."""
from __future__ import annotations

import re

_AS_CSV = "save it as CSV"
_UNPACK = "unpack it first"
_KINDS: dict[tuple[bytes, ...], tuple[str, str | None]] = {
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",): ("an old Excel workbook or another Office document", _AS_CSV),
    (b"SQLite format 3\0",): ("an SQLite database", "write its URLs out first: sqlite3 FILE 'SELECT url FROM ...'"),
    (b"PAR1\x15",): ("a Parquet file", _AS_CSV),
    (b"ARROW1\0\0",): ("an Arrow file", _AS_CSV),
    (b"Obj\x01",): ("an Avro file", "save it as JSONL"),
    (b"%PDF-",): ("a PDF document", "take the text out first: pdftotext"),
    (b"{\\rtf",): ("an RTF document", "save it as text"),
    (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\x01\0"): ("a picture", None),
    (b"ID3\x02", b"ID3\x03", b"ID3\x04", b"OggS\0", b"fLaC\0", b"\x1aE\xdf\xa3"): ("an audio or video file", None),
    (b"\x7fELF", b"MZ\0", b"MZ\x90\0", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm"): ("a program", None),
    (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x9d", b"\x04\x22\x4d\x18", b"!<arch>\n"): ("an archive", _UNPACK),
    (b"WARC/1.0\r\n", b"WARC/1.1\r\n"): ("a WARC archive", "write the URLs in it out first"),
}
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC = slice(257, 262)
_UNMARKED_UTF16 = rb"(?:[\t\n\r -~]\0){8}"

_SAMPLE_SIZE = 1024             # bytes
_MAX_CONTROLS = 0.05            # of these bytes may be control characters in a text, at most
_MAX_NULS = 0.3                 # of these bytes; a list of short lines separated by NUL has fewer
_CONTROLS = bytes(set(range(32)) - set(b"\0\t\n\f\r\x1b"))


def kind_of_binary(head: bytes) -> str | None:
    """Return "an Excel workbook, not text; save it as CSV" or the like for a file that begins with `head`.

    None if it may be text, in any encoding.
    """
    name, advice = _kind(head)
    if name is not None:
        return f"{name}, not text; {advice}" if advice else f"{name}, not text"
    if _may_be_text(head[:_SAMPLE_SIZE]):
        return None
    if re.match(_UNMARKED_UTF16, head):
        return "UTF-16 text without a byte order mark; convert it first: iconv -f UTF-16LE -t UTF-8"
    return "not text"


def _kind(head: bytes) -> tuple[str | None, str | None]:
    for beginnings, kind in _KINDS.items():
        if head.startswith(beginnings):
            return kind
    if head.startswith(_ZIP):
        return _kind_of_zip(head)
    return ("a tar archive", _UNPACK) if head[_TAR_MAGIC] == b"ustar" else (None, None)


def _kind_of_zip(head: bytes) -> tuple[str, str]:
    """Recognize documents by the names of the files in them, and OpenDocument by the content of the first."""
    names = re.findall(rb"PK\x03\x04.{26}([ -~]{,100})", head, re.DOTALL)
    if any(name.startswith(b"xl/") for name in names):
        return "an Excel workbook", _AS_CSV
    if any(name.startswith(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") for name in names):
        return "an OpenDocument spreadsheet", _AS_CSV
    if any(name.startswith((b"[Content_Types]", b"_rels/", b"docProps/", b"mimetype")) for name in names):
        return "an Office document", "save it as text"
    return "a ZIP archive", _UNPACK


def _may_be_text(head: bytes) -> bool:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls <= _MAX_CONTROLS * len(head) + 1 and head.count(0) <= _MAX_NULS * len(head) + 1
