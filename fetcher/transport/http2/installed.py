"""Which codec for HTTP/2 is installed."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

from fetcher.extras import needed
from fetcher.transport.http2.codec import Codec, Listener
from fetcher.versions import NGH2


@lru_cache(maxsize=1)
def module() -> Any:
    """Return the module of the codec to use. Raises ValueError, with the command to install one, if there is none."""
    try:
        import ngh2

        if ngh2.__version__.startswith(NGH2):
            from fetcher.transport.http2 import with_ngh2

            return with_ngh2
    except ImportError:
        pass
    try:
        from fetcher.transport.http2 import with_h2
    except ImportError:
        raise ValueError(needed("HTTP/2", "http2")) from None
    return with_h2


def codec(listener: Listener, is_client: bool) -> Codec:
    """Return a new codec. Raises ValueError if none is installed."""
    made: Codec = module().Codec(listener, is_client)
    return made
