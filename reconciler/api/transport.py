"""One request over one connection: bytes out, bytes in, within a bounded time and size.

httpcore moves the bytes. Of httpx only the values are used (URL, headers, proxy, TLS context) and not the client:
cookies, redirects and .netrc are then not switched off but absent. The only module that imports either at its top,
since that costs start-up time. Knows nothing of tokens, repeats, JSON or what a status means.
"""

import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from reconciler.core.base_url import HOW_TO_SET, BaseUrl
from reconciler.errors import ErrorKind, SettingsError

MAX_BODY = 8 * 1024 * 1024
# Shorter than the 5 s after which Node's and uvicorn's servers drop an idle connection, so that a write never
# meets one closing.
_KEPT_ALIVE = 4.0
_LOOK_EVERY = 0.25  # seconds between two looks at whether the run was aborted, while an answer is awaited


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, its body decoded and bounded."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status says that the request succeeded."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer. `reached`: the request may be with the API; `passing`: it may well work later."""

    kind: ErrorKind
    text: str
    reached: bool
    passing: bool = True


class _UnusableBodyError(httpcore.ProtocolError):
    """The answer's body is too large, or compressed in a way that was not asked for."""


# httpcore's errors have no base in common: https://www.encode.io/httpcore/exceptions/.
_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)


class Wire:
    """What all connections of a run share: the base URL, the TLS context, the proxy.

    Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`, ...), never for loopback: plain http is
    allowed there because it does not leave the machine. Raises `SettingsError` for a base URL or a proxy that
    cannot be used. Once `aborted()` is true no answer is awaited any more.
    """

    def __init__(self, base: BaseUrl, *, aborted: Callable[[], bool] = lambda: False) -> None:
        self._aborted = aborted
        try:
            self._base = httpx.URL(base.text)
        except httpx.InvalidURL:
            message = "The API URL cannot be read: its host is not a host's name."
            raise SettingsError(message, hint=HOW_TO_SET) from None
        proxies = {} if base.loopback or proxy_bypass(base.host) else getproxies()
        proxy = proxies.get(base.scheme) or proxies.get("all")
        # Reading the certificates costs a tenth of a second, and a plain connection needs none.
        self._tls = httpx.create_ssl_context() if base.scheme == "https" or proxy else None
        self._proxy = _read_proxy(proxy, self._tls) if proxy else None

    def open(self) -> "Connection":
        """Return a new connection; it connects when it is first used, and again when it was lost."""
        clock = _Clock(self._aborted)
        # A pool of one. Each connection has its own, because the backend that keeps the time of an attempt belongs
        # to the pool, and every attempt has its own time.
        pool = httpcore.ConnectionPool(
            ssl_context=self._tls,
            proxy=self._proxy,
            max_connections=1,
            keepalive_expiry=_KEPT_ALIVE,
            network_backend=_TimedBackend(clock),
        )
        return Connection(pool, self._base, clock)


@dataclass
class Connection:
    """One kept-alive connection, used by one thread at a time."""

    pool: httpcore.ConnectionPool
    base: httpx.URL
    clock: "_Clock"

    def exchange(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None, seconds: float
    ) -> Answer | Failure:
        """Send one request and read its whole answer within `seconds`. `path` is encoded already."""
        base = self.base
        target = base.raw_path.rstrip(b"/") + path.encode()
        url = httpcore.URL(scheme=base.raw_scheme, host=base.raw_host, port=base.port, target=target)
        # httpcore's own Host header has no brackets around an IPv6 address.
        named = [(b"Host", base.netloc), *((name.encode(), value.encode()) for name, value in headers.items())]
        begun = False
        self.clock.start(seconds)
        try:
            # The end of the block keeps the connection after a whole answer, and drops it after anything else.
            with self.pool.stream(method, url, headers=named, content=content) as response:
                begun = True
                fields = httpx.Headers(response.headers)
                return Answer(response.status, fields, _read_body(response, fields))
        except _ERRORS as error:
            if self.clock.aborted():
                return Failure("network", "the run was stopped before the answer came", reached=True, passing=False)
            return _explain(error, begun=begun, closed=self.clock.closed)

    def close(self) -> None:
        """Close the connection."""
        self.pool.close()


def _read_body(response: httpcore.Response, headers: httpx.Headers) -> bytes:
    """Read the whole body, which is at most `MAX_BODY` bytes, as it comes and unpacked."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise _UnusableBodyError(f"an answer compressed as {encoding[:20]!r}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    received = 0
    try:
        for chunk in response.iter_stream():
            # Both are bounded: a small answer may unpack to gigabytes, and a large one to nothing, for ever.
            received += len(chunk)
            body += chunk if unpack is None else unpack.decompress(chunk, MAX_BODY + 1 - len(body))
            if max(received, len(body)) > MAX_BODY:
                raise _UnusableBodyError(f"an answer of more than {MAX_BODY // 1024**2} MiB")
    except zlib.error:
        raise _UnusableBodyError("an answer that says it is compressed, and is not") from None
    if unpack is not None and body and not unpack.eof:
        raise _UnusableBodyError("half of a compressed answer")
    return bytes(body)


def _explain(error: Exception, *, begun: bool, closed: bool) -> Failure:
    """Say what an error means for the request. `begun`: an answer had begun; `closed`: the other side hung up."""
    text = str(error)
    if isinstance(error, _UnusableBodyError):
        return Failure("protocol", text, reached=True, passing=False)
    # These come from connecting alone, so the API has seen nothing of the request.
    if isinstance(error, httpcore.ConnectTimeout | httpcore.PoolTimeout):
        return Failure("timeout", text, reached=False)
    if isinstance(error, httpcore.ConnectError | httpcore.ProxyError):
        return Failure("network", text, reached=False, passing="CERTIFICATE_VERIFY_FAILED" not in text)
    if isinstance(error, httpcore.TimeoutException):
        return Failure("timeout", text, reached=True)
    if begun:
        return Failure("protocol", "half an answer: the connection was lost in its middle", reached=True)
    # A server that closes without a word is no protocol error to us, though it is one to httpcore.
    if closed or isinstance(error, httpcore.NetworkError):
        return Failure("network", "the connection was closed before an answer came", reached=True)
    return Failure("protocol", f"something that is not HTTP ({text})", reached=True, passing=False)


@dataclass
class _Clock:
    """When the attempt in hand must be over, and whether the other side closed the connection meanwhile."""

    aborted: Callable[[], bool]
    until: float = 0.0
    closed: bool = False

    def start(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.closed = False

    def left(self, too_late: type[Exception]) -> float:
        left = self.until - time.monotonic()
        if left <= 0 or self.aborted():
            raise too_late("the time for the whole request is over")
        return left


# httpcore's own timeouts bound each read and each write, so an answer that drips would never end. The backend and
# its streams give each of them what is left of the whole attempt instead.
@dataclass
class _TimedBackend(httpcore.NetworkBackend):
    clock: _Clock
    plain: httpcore.SyncBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        left = self.clock.left(httpcore.ConnectTimeout)
        stream = self.plain.connect_tcp(host, port, left)
        return _TimedStream(stream, self.clock)


@dataclass
class _TimedStream(httpcore.NetworkStream):
    stream: httpcore.NetworkStream
    clock: _Clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # In short steps: a read that hangs cannot be interrupted from another thread when the run is aborted.
        while True:
            left = self.clock.left(httpcore.ReadTimeout)
            try:
                chunk = self.stream.read(max_bytes, min(left, _LOOK_EVERY))
            except httpcore.ReadTimeout:
                continue
            self.clock.closed = not chunk
            return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.clock.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self.clock.left(httpcore.ConnectTimeout)
        return _TimedStream(self.stream.start_tls(ssl_context, server_hostname, left), self.clock)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)


def _read_proxy(text: str, tls: ssl.SSLContext | None) -> httpcore.Proxy:
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
    except (ValueError, httpx.InvalidURL):
        proxy = None
    url = proxy.url if proxy else httpx.URL()
    if proxy is None or not url.host or url.scheme not in ("http", "https"):
        # The URL itself is not shown: it may hold a password.
        message = "The proxy that the environment names cannot be used: it must be http:// or https://."
        hint = "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name a proxy; NO_PROXY names the hosts that need none."
        raise SettingsError(message, hint=hint)
    return httpcore.Proxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=proxy.raw_auth,
        ssl_context=tls if url.scheme == "https" else None,
    )
