"""One request over one connection: bytes out, bytes in, within a bounded time and size.

The only module that imports httpx, since that costs start-up time. It uses httpx's transport and not its
client: cookies, redirects and .netrc are then not switched off but absent. Knows nothing of tokens, repeats,
JSON or what a status means.
"""

import ssl
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Failure:
    """No usable answer. `reached`: the request may be with the API; `passing`: it may well work later."""

    kind: ErrorKind
    text: str
    reached: bool
    passing: bool = True


class _UnusableBodyError(Exception):
    """The answer's body is too large, or compressed in a way that was not asked for."""


class Wire:
    """What all connections of a run share: the base URL, the TLS context, the proxy.

    Proxies come from the environment (`HTTPS_PROXY`, `NO_PROXY`, ...), never for loopback: plain http is
    allowed there because it does not leave the machine. Raises `SettingsError` for a base URL or a proxy that
    httpx cannot use. Once `aborted()` is true no answer is awaited any more.
    """

    def __init__(self, base: BaseUrl, *, aborted: Callable[[], bool] = lambda: False) -> None:
        self._aborted = aborted
        try:
            self._base = httpx.URL(base.text)
        except httpx.InvalidURL:
            message = "The API URL cannot be read: its host is not a host's name."
            raise SettingsError(message, hint=HOW_TO_SET) from None
        proxy = None if base.loopback or proxy_bypass(base.host) else _proxy_for(base.scheme)
        if base.scheme == "https" or proxy:
            self._tls = httpx.create_ssl_context()
        else:  # reading the certificates costs a tenth of a second, and a plain connection needs none
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._proxy = _checked_proxy(proxy, self._tls) if proxy else None

    def open(self) -> "Connection":
        """Return a new connection; it connects when it is first used, and again when it was lost."""
        return Connection(str(self._base), self._tls, self._proxy, _Clock(self._aborted))


class Connection:
    """One kept-alive connection, used by one thread at a time."""

    def __init__(self, base: str, tls: ssl.SSLContext, proxy: httpx.Proxy | None, clock: "_Clock") -> None:
        self._base = base
        self._clock = clock
        limits = httpx.Limits(max_connections=1, keepalive_expiry=_KEPT_ALIVE)
        self._http = _TimedTransport(self._clock, verify=tls, proxy=proxy, limits=limits)

    def exchange(
        self, method: str, path: str, headers: dict[str, str], content: bytes | None, seconds: float
    ) -> Answer | Failure:
        """Send one request and read its whole answer within `seconds`. `path` is encoded already."""
        self._clock.start(seconds)
        response: httpx.Response | None = None
        try:
            request = httpx.Request(method, self._base + path, headers=headers, content=content)
            response = self._http.handle_request(request)
            return Answer(response.status_code, response.headers, _body(response))
        except (httpx.TransportError, _UnusableBodyError) as error:
            if self._clock.aborted():
                return Failure("network", "the run was stopped before the answer came", reached=True, passing=False)
            return _failure(error, begun=response is not None, closed=self._clock.closed)
        finally:
            if response is not None:
                response.close()  # keeps the connection after a whole answer, drops it after anything else

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def _body(response: httpx.Response) -> bytes:
    """Read the whole body, which is at most `MAX_BODY` bytes, as it comes and unpacked."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        message = f"an answer compressed as {encoding[:20]!r}, which was not asked for"
        raise _UnusableBodyError(message)
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    received = 0
    # The stream of a transport that is not async is not async either.
    stream: Iterable[bytes] = response.stream  # type: ignore[assignment]
    for chunk in stream:
        received += len(chunk)
        body += chunk if unpack is None else _unpacked(unpack, chunk, MAX_BODY + 1 - len(body))
        if max(received, len(body)) > MAX_BODY:
            message = f"an answer of more than {MAX_BODY // 1024**2} MiB"
            raise _UnusableBodyError(message)
    if unpack is not None and body and not unpack.eof:
        raise _UnusableBodyError("half of a compressed answer")
    return bytes(body)


def _unpacked(unpack: Any, chunk: bytes, room: int) -> bytes:
    try:
        part: bytes = unpack.decompress(chunk, room)
    except zlib.error:
        raise _UnusableBodyError("an answer that says it is compressed, and is not") from None
    return part


def _failure(error: Exception, *, begun: bool, closed: bool) -> Failure:
    """Say what an error of httpx means for the request. Its family: https://www.python-httpx.org/exceptions/."""
    text = str(error)
    if isinstance(error, _UnusableBodyError):
        return Failure("protocol", text, reached=True, passing=False)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Failure("timeout", text, reached=False)
    if isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol):
        return Failure("network", text, reached=False, passing="CERTIFICATE_VERIFY_FAILED" not in text)
    if isinstance(error, httpx.TimeoutException):
        return Failure("timeout", text, reached=True)
    if begun:
        return Failure("protocol", "half an answer: the connection was lost in its middle", reached=True)
    if closed or isinstance(error, httpx.NetworkError):
        return Failure("network", "the connection was closed before an answer came", reached=True)
    return Failure("protocol", f"something that is not HTTP ({text})", reached=True, passing=False)


class _TimedTransport(httpx.HTTPTransport):
    """httpx's transport, each of whose reads and writes ends when the clock of the whole attempt does."""

    def __init__(
        self, clock: "_Clock", *, verify: ssl.SSLContext, proxy: httpx.Proxy | None, limits: httpx.Limits
    ) -> None:
        super().__init__(verify=verify, trust_env=False, proxy=proxy, limits=limits)
        # httpcore's pools take a network backend; httpx offers no way to hand one on. The tests with an
        # answer that drips would hang if this seam went away.
        self._pool._network_backend = _TimedBackend(clock)


class _Clock:
    """When the attempt in hand must be over, and whether the other side closed the connection meanwhile."""

    def __init__(self, aborted: Callable[[], bool]) -> None:
        self._until = 0.0
        self.closed = False
        self.aborted = aborted

    def start(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self.closed = False

    def left(self, too_late: type[Exception]) -> float:
        left = self._until - time.monotonic()
        if left <= 0 or self.aborted():
            raise too_late("the time for the whole request is over")
        return left


class _TimedBackend(httpcore.NetworkBackend):
    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(httpcore.ConnectTimeout)
        stream = self._plain.connect_tcp(host, port, left, local_address, socket_options)
        return _TimedStream(stream, self._clock)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            left = self._clock.left(httpcore.ReadTimeout)
            try:
                chunk = self._stream.read(max_bytes, min(left, _LOOK_EVERY))
            except httpcore.ReadTimeout:
                continue  # the clock says whether the time is over
            self._clock.closed = not chunk
            return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(httpcore.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _proxy_for(scheme: str) -> str | None:
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all") or None


def _checked_proxy(url: str, tls: ssl.SSLContext) -> httpx.Proxy:
    hint = "HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name a proxy; NO_PROXY names the hosts that need none."
    try:
        address = httpx.URL(url if "://" in url else f"http://{url}")
        secure = address.scheme == "https"
        proxy = httpx.Proxy(address, ssl_context=tls if secure else None) if address.host else None
    except (ValueError, httpx.InvalidURL):
        proxy = None
    if proxy is None or proxy.url.scheme not in ("http", "https"):
        # The URL itself is not shown: it may hold a password.
        message = "The proxy that the environment names cannot be used: it must be http:// or https://."
        raise SettingsError(message, hint=hint)
    return proxy
