"""Reads the body of an answer, decompressed and bounded. Knows nothing of its content."""

import zlib
from collections.abc import Iterable
from dataclasses import field
from typing import Any

from reconciler.dataclass import dataclass

MAX_BODY = 8 * 1024 * 1024  # bytes, both as they are sent and unpacked
_PACKED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})
_MOST_MEMBERS = 1000  # of one gzip; empty ones cost time and no room


class UnusableBodyError(Exception):
    """The body is too large, or compressed in a way that was not asked for; the text says what came."""


def read_body(chunks: Iterable[bytes], encoding: str) -> bytes:
    """Return the whole body, unpacked. `encoding` is the `Content-Encoding`. Raises `UnusableBodyError`."""
    decompressor = _GzipDecompressor() if _is_gzip(encoding) else None
    body = bytearray()
    received = 0
    try:
        for chunk in chunks:
            # Both are bounded: a small answer may unpack to gigabytes, and an endless one to nothing.
            received += len(chunk)
            body += chunk if decompressor is None else decompressor.feed(chunk, MAX_BODY + 1 - len(body))
            if max(received, len(body)) > MAX_BODY:
                raise UnusableBodyError(f"a response of more than {MAX_BODY // 1024**2} MiB")
    except zlib.error:
        raise UnusableBodyError("a response that claims to be compressed but is not") from None
    if decompressor is not None and body and not decompressor.member.eof:
        raise UnusableBodyError("an incomplete compressed response")
    return bytes(body)


def _is_gzip(encoding: str) -> bool:
    # Servers write all kinds of things here over plain JSON, such as its charset. Those change no byte.
    codings = [name for part in encoding.split(",") if (name := part.strip().lower()) in _PACKED]
    if codings in ([], ["gzip"], ["x-gzip"]):
        return bool(codings)
    raise UnusableBodyError(f"a response compressed as {encoding[:20]!r}, which was not asked for")


@dataclass()
class _GzipDecompressor:
    """Unpacks gzip, which may come in several members (RFC 1952, 2.2)."""

    member: Any = field(default_factory=lambda: zlib.decompressobj(wbits=31))
    number: int = 1

    def feed(self, chunk: bytes, limit: int) -> bytes:
        unpacked = bytearray()
        while chunk and len(unpacked) < limit:
            if self.member.eof:
                chunk = chunk.lstrip(b"\0")  # some pad the end
                if not chunk:
                    break
                self.number += 1
                if self.number > _MOST_MEMBERS:
                    raise UnusableBodyError(f"a compressed response with more than {_MOST_MEMBERS} members")
                self.member = zlib.decompressobj(wbits=31)
            unpacked += self.member.decompress(chunk, limit - len(unpacked))
            chunk = self.member.unused_data
        return bytes(unpacked)
