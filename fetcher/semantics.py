"""The semantics of HTTP, whatever its version (RFC 9110): names, values, and methods that can be repeated."""
from __future__ import annotations

import re

TOKEN_CHARACTERS = r"!#$%&'*+\-.^_`|~0-9A-Za-z"     # for a character class of a regular expression
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})    # RFC 9110 §9.2.2

# Strings: what `re` compiles at its first use, and keeps
_TOKEN = f"[{TOKEN_CHARACTERS}]+"
_VALUE = r"[^\x00\r\n]*"
# Those of HTTP, and those that services have of their own: X-Api-Key, Private-Token, X-Auth-User, Client-Secret, ...
_CREDENTIALS = (r"(?i)(?:.*[-_])?(?:authorization|cookie2?|(?:api|access|subscription)[-_]?key|token|secret|password)"
                r"|x[-_]auth[-_].*")
_RANGE = r"[0-9]+-[0-9]*|-[0-9]+"


def is_token(text: str) -> bool:
    """Return whether `text` can be a method or the name of a field (RFC 9110 §5.6.2)."""
    return re.fullmatch(_TOKEN, text) is not None


def is_byte_range(text: str) -> bool:
    """Return whether `text` can follow `bytes=` in Range: 0-499, 500-, -500, or several with commas (RFC 9110 §14.1.2).
    """
    return all(re.fullmatch(_RANGE, part) for part in text.split(","))


def is_field_value(text: str) -> bool:
    """Return whether `text` can be the value of a field (RFC 9110 §5.5)."""
    return re.fullmatch(_VALUE, text) is not None


def carries_credentials(name: str) -> bool:
    """Return whether request fields with this name usually identify the user, so they are for one origin only."""
    return re.fullmatch(_CREDENTIALS, name) is not None
