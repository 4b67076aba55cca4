"""The door: which hosts are answered, who enters and what they may do.

A laptop's dashboard answers to its own names only: else a foreign page whose name is made to point to 127.0.0.1 could
read its atlases. Users are those of ATLAS_AUTH, by password, or by the header that a trusted proxy sets; without either
everyone is the same person.
"""

import hashlib
import secrets
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from services.access import Account, Network, User, entered, is_name, is_within, networks, read_users
from services.settings import Settings

HEALTH = ("healthz", "readyz")  # a container asks by its own address, without a name
LOOPBACK = ("localhost", "127.0.0.1", "::1")
BODY_BYTES = 4 * 2**20  # of a call of a callback
UPLOADS = ("upload", "library/open")  # have their own limit, and count what they read
REMEMBERED = 256  # passwords that fitted lately, as digests: to check one takes a tenth of a second


def open_door(server: Flask, settings: Settings) -> None:
    """Put the door before every route.

    Raises:
        AtlasError: the file of users cannot be read.
    """
    trusted = networks(settings.trusted_proxies or "")
    server.wsgi_app = _behind_proxies(server.wsgi_app, trusted)  # type: ignore[method-assign]
    server.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    hosts = _hosts(settings)
    health = {settings.url_prefix + name for name in HEALTH}
    uploads = tuple(settings.url_prefix + name for name in UPLOADS)
    known = _Users(settings, trusted)
    if known.have_names:
        server.after_request(_keep_private)

    @server.before_request
    def enter() -> Response | None:
        if request.path in health:
            return None
        if hosts and _name(request.host) not in hosts:
            return _no(
                400, f"This server is not called {_name(request.host)[:80]!r}: ATLAS_ALLOWED_HOSTS lists its names."
            )
        if request.path.startswith(uploads):
            request.max_content_length = sys.maxsize
        user = known.find()
        if user is None:
            return Response("Name and password, please.", 401, {"WWW-Authenticate": 'Basic realm="Attention Atlas"'})
        g.watches = user.may("admin")  # metrics, also of a server where nobody changes anything
        g.halted = settings.is_halted
        g.user = User(user.name, "view") if settings.read_only or g.halted else user
        return None


class _Users:
    """Who sends a request."""

    def __init__(self, settings: Settings, trusted: list[Network]) -> None:
        self.accounts: Mapping[str, Account] = read_users(settings.auth) if settings.auth else {}
        self.header, self.trusted = settings.user_header, trusted
        self._key = secrets.token_bytes(32)
        self._fitted: OrderedDict[bytes, User] = OrderedDict()

    @property
    def have_names(self) -> bool:
        return bool(self.accounts or self.header)

    def find(self) -> User | None:
        if not self.have_names:
            return User(None, "admin")
        if self.header and is_within(request.environ.get("atlas.peer"), self.trusted):
            name = request.headers.get(self.header, "").strip()
            if is_name(name):
                account = self.accounts.get(name)
                return User(name, account.role if account else "view")
        given = request.authorization
        if given is None or given.type != "basic" or given.username is None or given.password is None:
            return None
        digest = hashlib.blake2b(f"{given.username}\0{given.password}".encode(), key=self._key).digest()
        found = self._fitted.get(digest) or entered(self.accounts, given.username, given.password)
        if found is not None:
            self._fitted[digest] = found
            if len(self._fitted) > REMEMBERED:
                self._fitted.popitem(last=False)
        return found


def _keep_private(response: Response) -> Response:
    """What one person may see is kept by no cache that serves others."""
    control = response.headers.get("Cache-Control", "")
    if "public" in control:
        response.headers["Cache-Control"] = control.replace("public", "private")
    return response


def _hosts(settings: Settings) -> frozenset[str]:
    """Names that are answered to; none: any, for a server that listens to its network and was told no name."""
    named = frozenset(name.strip().lower() for name in (settings.allowed_hosts or "").split(",") if name.strip())
    local = settings.host in LOOPBACK
    return named | frozenset(LOOPBACK) if local or named else frozenset()


def _name(host: str) -> str:
    """A Host header without its port."""
    return (urlsplit(f"//{host}").hostname or "") if host else ""


def _no(status: int, line: str) -> Response:
    return Response(line, status, mimetype="text/plain")


def _behind_proxies(app: Callable[..., Iterable[bytes]], trusted: list[Network]) -> Callable[..., Iterable[bytes]]:
    """The scheme, host and address that a trusted proxy tells; those of any other client are its own."""
    fixed = ProxyFix(app, x_for=1, x_proto=1, x_host=1)

    def either(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        environ["atlas.peer"] = environ.get("REMOTE_ADDR")
        return (fixed if is_within(environ["atlas.peer"], trusted) else app)(environ, start)

    return either
