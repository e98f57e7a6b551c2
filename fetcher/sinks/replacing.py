"""Files that are replaced as a whole: whoever reads one finds the old or the new, never a part."""
from __future__ import annotations

import os
import stat
from contextlib import suppress
from uuid import uuid4


def replace_file(path: str, content: bytes, *, sync: bool = True) -> None:
    """Have `path` hold `content`; what is no regular file, a pipe or a device, is just written to. Raises OSError.

    `sync` has the content on the disk before: a power cut, too, leaves the old or the new. The temporary file beside it
    begins with a dot and does not end as `path` does, for those who read all of a directory.
    """
    path = os.path.realpath(path)
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "wb", buffering=0) as file:
                file.write(content)
            return
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".{name}.{uuid4().hex}.part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(part)
        raise
