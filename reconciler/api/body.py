"""Reads the body of an answer, decompressed and bounded. Knows nothing of its content."""

import io
import zlib
from collections.abc import Iterable

MAX_BODY = 8 * 1024 * 1024  # bytes of an API's answer
_PACKED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_MEMBER = b"\x1f\x8b\x08"  # the first bytes of each gzip member (RFC 1952, 2.3.1)
_MOST_MEMBERS = 1000  # a limit is needed because empty members cost time but no space


class UnusableBodyError(Exception):
    """The body is too large, or compressed in an unknown way; the text says which."""


class IncompleteBodyError(UnusableBodyError):
    """The body was cut short, which may be temporary."""


def read_body(chunks: Iterable[bytes], encoding: str, largest: int) -> bytes:
    """Return the whole body, unpacked. Raises `UnusableBodyError`.

    `encoding` is the `Content-Encoding`, and `largest` how many bytes the body may have, before and after unpacking.
    """
    is_gzip = _is_gzip(encoding)
    body = bytearray()
    for chunk in chunks:
        body += chunk
        _check_size(body, largest)
    return _unpack(body, largest) if is_gzip else bytes(body)


def _unpack(packed: bytearray, largest: int) -> bytes:
    # Most answers are not compressed.
    import gzip

    if packed.count(_MEMBER) > _MOST_MEMBERS:
        raise UnusableBodyError(f"a compressed response with more than {_MOST_MEMBERS} members")
    try:
        # A small answer may unpack to gigabytes.
        body = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(largest + 1)
    except EOFError:
        raise IncompleteBodyError("an incomplete compressed response") from None
    except (gzip.BadGzipFile, zlib.error):
        raise UnusableBodyError("a response that claims to be compressed but is not") from None
    _check_size(body, largest)
    return body


def _check_size(body: bytes | bytearray, largest: int) -> None:
    if len(body) > largest:
        raise UnusableBodyError(f"a response of more than {largest // 1024**2} MiB")


def _is_gzip(encoding: str) -> bool:
    # Some servers send other words here with plain JSON, such as its charset. The bytes are plain nevertheless.
    codings = [name for part in encoding.split(",") if (name := part.strip().lower()) in _PACKED]
    if codings in ([], ["gzip"], ["x-gzip"]):
        return bool(codings)
    raise UnusableBodyError(f"a response compressed as {encoding[:20]!r}, which was not asked for")
