"""Files that are either whole or absent: atomic writes, and hashes of what was written."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; when the block ends well, it replaces `path` in one step.

    Whatever goes wrong, an earlier `path` stays as it was and the temporary file is removed.
    Raises OSError with the cure where the disk is full or the folder cannot be written.
    """
    path = Path(path)
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(handle)
        part = Path(name)
        yield part
        with open(part, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, _cure(error, path), str(path)) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _cure(error: OSError, path: Path) -> str:
    kept = "what was saved before is untouched"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        full = "disk" if error.errno == errno.ENOSPC else "disk quota"
        return f"the {full} is full while writing {path.name}; {kept}. Free some space and run it again"
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"{path.parent} cannot be written; {kept}. Choose another folder, or make this one writable"
    return error.strerror or str(error)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes atomically."""
    with atomic(path) as part:
        part.write_bytes(data)


def write_with(path: Path, writer: Callable[[Path], object]) -> None:
    """Let `writer` write to a temporary path that then becomes `path`, atomically."""
    with atomic(path) as part:
        writer(part)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
