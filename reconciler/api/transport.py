"""One request over one connection: bytes out, bytes in, within a bounded time and size.

httpcore, the engine of httpx, moves the bytes. It has no cookies, redirects or .netrc that would have to be switched
off. It takes time to load, so only modules that send requests import this one. Knows nothing about tokens or repeats.
"""

import logging
import ssl
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import httpcore

from reconciler import __version__
from reconciler.api.body import MAX_BODY, IncompleteBodyError, UnusableBodyError, read_body
from reconciler.api.proxy import Proxy, find_proxy
from reconciler.api.results import TEMPORARY_STATUSES, Answer, NoAnswer
from reconciler.api.secret import COOKIE_NAME
from reconciler.api.timed import Clock, TimedBackend
from reconciler.api.tls import create_context, explain_tls
from reconciler.core.base_url import BaseUrl

# Node and uvicorn close an idle connection after 5 s. A write must never use one that is just being closed.
_KEPT_ALIVE = 4.0
# Which of them depends on timing and on OpenSSL.
_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError)

_HEADERS = (
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"gzip"),
    (b"User-Agent", f"assistant-reconciler/{__version__}".encode()),
)

# httpcore's errors have no common base class: https://www.encode.io/httpcore/exceptions/.
_ERRORS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)

# For a script that logs everything, httpcore writes down each answer's headers, and the token is in one of them.
logging.getLogger("httpcore.http11").addFilter(lambda record: COOKIE_NAME not in record.getMessage())


class Wire:
    """What all connections of a run to one server share.

    With `client`, the server may have our client certificate. Raises `SettingsError` if a variable names a proxy or a
    file that cannot be used.
    """

    def __init__(self, base: BaseUrl, *, aborted: Callable[[], bool] = lambda: False, client: bool = True) -> None:
        self.aborted = aborted
        scheme, host, target = (part.encode() for part in (base.scheme, base.address, base.path))
        self.base = httpcore.URL(scheme=scheme, host=host, port=base.port, target=target)
        self.proxy = find_proxy(base)
        self.secrets = self.proxy.secrets if self.proxy else []  # that no message may show
        # Loading the authorities takes a tenth of a second, and a connection without TLS needs none. The client
        # certificate is only for the API: a proxy does not get it, even over TLS.
        self.tls = create_context(client=client) if base.scheme == "https" else None
        self.pool_proxy = _convert_proxy(self.proxy) if self.proxy else None


class Connection:
    """One kept-alive connection, used by one thread at a time. It connects when it is used, also after it was lost."""

    def __init__(self, wire: Wire, seconds: float, largest: int = MAX_BODY) -> None:
        self.seconds = seconds  # for one request and its whole answer
        self.largest = largest  # bytes of an answer's body
        self.base = wire.base
        self.proxy = wire.proxy
        self.clock = Clock(wire.aborted)
        # Used only to create connections. Requesting the same one from the pool each time costs more CPU time.
        self.pool = httpcore.ConnectionPool(
            ssl_context=wire.tls,
            proxy=wire.pool_proxy,
            keepalive_expiry=_KEPT_ALIVE,
            network_backend=TimedBackend(self.clock),
        )
        self.kept: httpcore.ConnectionInterface | None = None

    def exchange(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer | NoAnswer:
        """Send one request and read its whole answer. `path` is already encoded, and `content` is JSON."""
        base = self.base
        url = httpcore.URL(scheme=base.scheme, host=base.host, port=base.port, target=base.target + path.encode())
        header_list = self._list_headers(headers, content)
        has_begun = False
        self.clock.start(self.seconds)
        try:
            request = httpcore.Request(method, url, headers=header_list, content=content)
            # The end of the block keeps the connection after a complete answer, and closes it otherwise.
            with closing(self._connect(url.origin).handle_request(request)) as response:
                if response.status == 407 and self.proxy:  # httpcore raises the same error for a tunnel
                    raise httpcore.ProxyError("407")
                # Whatever arrived before the request belongs to the previous answer.
                if not self.clock.has_read:
                    return NoAnswer("protocol", "a response that came before its request", reached=True)
                has_begun = True
                pairs = [(name.decode().lower(), value.decode(errors="replace")) for name, value in response.headers]
                answer = Answer(response.status, tuple(pairs), b"")
                try:
                    encoding = answer.header("content-encoding")
                    return replace(answer, body=read_body(response.iter_stream(), encoding, self.largest))
                except (*_ERRORS, UnusableBodyError):
                    # The status of a failure says it all.
                    if answer.ok:
                        raise
                    return answer
        except (*_ERRORS, UnusableBodyError) as error:
            self.close()
            return self._explain_failure(error, has_begun=has_begun)

    def _explain_failure(self, error: Exception, *, has_begun: bool) -> NoAnswer:
        """Return what an error means for the request, over this connection and its proxy."""
        if self.clock.aborted():
            text = "the run was stopped while it waited"
            reached = self._has_reached_api() and not isinstance(error, httpcore.ConnectTimeout)
            return NoAnswer("network", text, reached=reached, temporary=False, hint="run this again")
        if isinstance(error, httpcore.ProxyError) and self.proxy:
            return _explain_proxy(str(error)[:3], self.proxy)
        failure = _explain(error, has_begun=has_begun, closed=self.clock.closed)
        if failure.hint and self.proxy and self._is_about_proxy():
            # Its text calls the proxy the API.
            text = f"the proxy in {self.proxy.variable} failed: {failure.text.replace('the API', 'the proxy')}"
            hint = (
                "ask the operator of the proxy; SSL_CERT_FILE can name its authority, and it gets no client certificate"
            )
            return replace(failure, text=text, reached=False, hint=hint)
        # Nothing has come back through the proxy, so it may be the reason.
        if self.proxy and not failure.hint and not (self.clock.steps and self._has_reached_api()):
            hint = f"check that the proxy in {self.proxy.variable} is running and allows this connection"
            hint += "; NO_PROXY lists hosts that need none"
            failure = replace(failure, hint=hint)
        return replace(failure, reached=failure.reached and self._has_reached_api())

    def _connect(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """Return the connection that was kept, or a new one, which connects on its first request."""
        if self.kept is None or not self.kept.is_available() or self.kept.has_expired():
            self.close()
            self.kept = self.pool.create_connection(origin)
        return self.kept

    def _list_headers(self, headers: dict[str, str], content: bytes | None) -> list[tuple[bytes, bytes]]:
        # httpcore's own Host header would lack the brackets around an IPv6 address.
        host, port = self.base.host, self.base.port
        host = b"[%b]" % host if b":" in host else host
        own_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        of_content = []
        if content is not None:
            of_content = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(content))]
        return [(b"Host", host if port is None else b"%b:%d" % (host, port)), *_HEADERS, *own_headers, *of_content]

    def _has_reached_api(self) -> bool:
        # Through a proxy, the API is reached once TLS in the tunnel has begun: before that, only CONNECT was sent. A
        # proxy that is itself reached over TLS has its own handshake first.
        min_steps = 2 + bool(self.proxy and self.proxy.url.scheme == "https")
        return self.base.scheme != b"https" or self.clock.steps >= min_steps

    def _is_about_proxy(self) -> bool:
        """Return whether a TLS failure concerns the proxy's own TLS, and not the API's inside the tunnel."""
        # With TLS 1.3, the proxy may reject us after the handshake, in place of an answer to CONNECT.
        is_outer = self.clock.steps == 1 or (self.clock.steps == 2 and not self.clock.has_read)
        return self.proxy is not None and self.proxy.url.scheme == "https" and is_outer

    def close(self) -> None:
        """Close the connection."""
        if self.kept is not None:
            self.kept.close()
            self.kept = None


def _explain(error: Exception, *, has_begun: bool, closed: bool) -> NoAnswer:
    """Return what an error means for the request: whether an answer `has_begun`, whether the API `closed`."""
    text = str(error)
    if isinstance(error, UnusableBodyError):
        return NoAnswer("protocol", text, reached=True, temporary=isinstance(error, IncompleteBodyError))
    cause = error.args[0] if error.args else None
    problem = explain_tls(cause) if isinstance(cause, ssl.SSLError) else None
    if problem is not None:
        # With TLS 1.3, the request is sent before the server checks our certificate, and fails if that is rejected.
        reached = has_begun or (problem.reached and not isinstance(error, httpcore.ConnectError))
        return replace(problem, reached=reached)
    # These errors only occur while connecting, so the API has not seen the request.
    if isinstance(error, httpcore.ConnectTimeout | httpcore.PoolTimeout):
        return NoAnswer("timeout", text, reached=False)
    if isinstance(error, httpcore.ConnectError):
        # Other failures have a text from the system, such as "Connection refused".
        if isinstance(cause, _CLOSED):
            return NoAnswer("network", "the connection was closed during the TLS handshake", reached=False)
        return NoAnswer("network", getattr(cause, "strerror", None) or text, reached=False)
    if isinstance(error, httpcore.TimeoutException):
        return NoAnswer("timeout", text, reached=True)
    if has_begun:
        return NoAnswer("protocol", "an incomplete response: the connection was lost", reached=True)
    # httpcore calls it a protocol error if the server closes the connection without an answer. Here, it is a lost one.
    if closed or isinstance(error, httpcore.NetworkError):
        return NoAnswer("network", "the connection was closed before a response arrived", reached=True)
    # What follows in the text are the received bytes, which may contain a new token.
    reason = text.partition(": bytearray(")[0]
    return NoAnswer("protocol", f"something that is not HTTP ({reason})", reached=True, temporary=False)


def _convert_proxy(proxy: Proxy) -> httpcore.Proxy:
    url = proxy.url
    return httpcore.Proxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=proxy.auth,
        ssl_context=create_context(client=False) if url.scheme == "https" else None,
    )


def _explain_proxy(status: str, proxy: Proxy) -> NoAnswer:
    """Return what a proxy's own answer means, without its text, which may contain what was sent."""
    text = f"{status} from the proxy in {proxy.variable}"
    if status != "407":
        temporary = status.isdigit() and int(status) in TEMPORARY_STATUSES
        hint = "ask the operator of the proxy to allow this connection; NO_PROXY lists hosts that need no proxy"
        return NoAnswer("network", text, reached=False, temporary=temporary, hint=hint)
    # Final for the whole run: a proxy may lock an account after a few wrong passwords.
    problem = f"it {'does not accept the' if proxy.auth else 'requires a'} user name and password"
    hint = f"set {proxy.variable} to http://USER:PASSWORD@HOST:PORT, with special characters as %XX"
    hint += "; of the ways to sign in to a proxy, only Basic is supported"
    return NoAnswer("network", f"{text}: {problem}", reached=False, temporary=False, final=True, hint=hint)
