"""The dashboard as one Dash app: pages, payload routes, caches, compression, headers, errors."""

from functools import cache
from pathlib import Path
from typing import Any

import dash
from dash import ClientsideFunction, Dash, Input, Output, State
from flask import Response
from flask_caching import Cache
from flask_compress import Compress
from werkzeug.exceptions import HTTPException

from components import ids
from components.help import help_button, help_dialog, tour_steps
from components.server.bundles import bundle
from components.server.callback_guard import guard_callbacks
from components.server.callback_registry import share_callbacks
from components.server.context import KEY, Context
from components.server.door import open_door
from components.server.export_routes import export_routes
from components.server.guarded import GuardedJobs, SeenLibrary
from components.server.health import tell_readiness
from components.server.job_stamp import tell_of_jobs
from components.server.kept_files import keep_files
from components.server.library_routes import add_library
from components.server.logs import write_json
from components.server.memory import bound_memory
from components.server.metrics import tell_metrics
from components.server.not_found import refuse_unknown_addresses
from components.server.payload_routes import payload_routes
from components.server.request_log import log_requests, time_requests
from components.server.same_origin import refuse_other_origins
from components.server.table_route import serve_tables
from components.server.upload_routes import add_uploads
from components.shell import shell
from services.atlas.library import Library
from services.errors import AtlasFormatError
from services.jobs.backend import Backend
from services.jobs.which import jobs_of
from services.settings import Settings
from services.workshop.owners import Owners

ROOT = Path(__file__).parents[2]
THEME = "00-theme.js"  # comes first of all, so that no dark page begins with a white flash
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def create_app(settings: Settings, jobs: Backend | None = None) -> Dash:
    """Make the dashboard for one home folder; `jobs`: who runs its jobs, None for this machine.

    Raises:
        AtlasError: the home folder cannot be used.
    """
    settings.make_folders(serving=True)
    app = Dash(
        "attention_atlas",
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        assets_ignore=rf"vendor/.*|{THEME}",
        url_base_pathname=settings.url_prefix,
        title="Attention Atlas",
        update_title="",
        include_pages_meta=False,
        suppress_callback_exceptions=True,
        health_endpoint="healthz",
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"},
            {"name": "description", "content": "See how a transformer attends: every head in one map"},
        ],
    )
    theme = f"{app.get_asset_url(THEME)}?m={_changed(THEME)}"
    app.index_string = INDEX
    serve_tables(app, settings.url_prefix)
    app.index_string = app.index_string.replace("{%css%}", f'<script src="{theme}"></script>{{%css%}}')
    library = SeenLibrary(Library(settings.atlases), Owners(settings.owners))
    server = app.server
    running = jobs or jobs_of(settings)
    server.config[KEY] = Context(settings, library, GuardedJobs(running, settings), running)
    time_requests(server)
    if settings.log_format == "json":
        write_json()
        log_requests(server)
    if settings.metrics:
        tell_metrics(server, settings)
    open_door(server, settings)
    tell_readiness(server, settings, running)
    if settings.secret_key is not None:
        server.secret_key = settings.secret_key.get_secret_value()
    refuse_other_origins(app)
    bundle(app, settings.url_prefix, ROOT / "assets", THEME)
    keep_files(server, settings.url_prefix)  # before the compression: it keeps what that has made
    _add_compression(app)
    _add_payloads(app, settings, library)
    bound_memory(server)
    prefix = settings.url_prefix
    add_uploads(app, prefix)
    add_library(app, prefix)
    app.layout = lambda: shell(prefix, [help_button()], [help_dialog(prefix), tour_steps(prefix)])
    app.clientside_callback(
        ClientsideFunction("atlas", "switchTheme"),
        Output(ids.THEME, "data"),
        Input(ids.THEME_BUTTON, "n_clicks"),
        State(ids.THEME, "data"),
    )
    share_callbacks(app)
    guard_callbacks(app, f"{prefix}_dash-update-component")
    tell_of_jobs(app, f"{prefix}_dash-update-component")
    refuse_unknown_addresses(app)
    _add_errors(app, settings)
    _add_headers(app)
    # Dash finishes itself within the first request; another one that comes meanwhile would find no files of components.
    server.test_client().get(f"{prefix}healthz")
    return app


def _changed(asset: str) -> int:
    """When the file was written, which makes a browser fetch it anew."""
    return int((ROOT / "assets" / asset).stat().st_mtime)


def _add_compression(app: Dash) -> None:
    """Text travels compressed; the binary payloads hardly shrink and go as they are."""
    files = [rule.endpoint for rule in app.server.url_map.iter_rules() if rule.endpoint.endswith("dash_assets.static")]
    # Without this a file that has not changed would be sent again at each visit: Dash's option does not set it.
    app.server.config["COMPRESS_STREAMING_ENDPOINT_CONDITIONAL"] = files
    Compress(app.server)


def _add_payloads(app: Dash, settings: Settings, library: Library) -> None:
    shared = settings.redis_url is not None
    cache = Cache(
        app.server,
        config={
            "CACHE_TYPE": f"components.server.{'redis_cache.ByteRedisCache' if shared else 'byte_cache.ByteFileCache'}",
            "CACHE_DIR": str(settings.cache / "payloads"),
            "CACHE_THRESHOLD": 2000,
            "CACHE_REDIS_URL": settings.redis_url.get_secret_value() if settings.redis_url else None,
        },
    )

    def cached(key: str, make: Any) -> bytes:
        content = cache.get(key)
        if content is None:
            content = make()
            if content:  # what could not be made may be another time
                cache.set(key, content)
        return content

    payloads = payload_routes(library, cached, settings.maps, settings.probes, settings.head_maps)
    for blueprint in (payloads, export_routes(library, cached, settings.maps)):
        prefix = settings.url_prefix.rstrip("/") + str(blueprint.url_prefix)
        app.server.register_blueprint(blueprint, url_prefix=prefix)


def _add_errors(app: Dash, settings: Settings) -> None:
    server = app.server

    @server.errorhandler(404)
    def missing(error: HTTPException) -> Response:
        return Response(error.description or "Not found", 404, mimetype="text/plain")

    @server.errorhandler(413)
    def large(_error: HTTPException) -> Response:
        return Response("That is more than this address takes.", 413, mimetype="text/plain")

    @server.errorhandler(AtlasFormatError)
    def damaged(error: AtlasFormatError) -> Response:
        """A part of an open atlas that can no longer be read: the sentence, without the server's folders."""
        server.logger.error(str(error))
        return Response(str(error).replace(f"{settings.atlases}/", ""), 500, mimetype="text/plain")

    @server.errorhandler(dash.exceptions.DependencyException)
    @server.errorhandler(dash.exceptions.UnsupportedRelativePath)
    def no_such_file(_error: Exception) -> Response:
        return Response("Not found", 404, mimetype="text/plain")


def _add_headers(app: Dash) -> None:
    """Headers that keep a page to its own scripts and data; Dash and Plotly write inline styles."""

    @cache
    def policy() -> str:  # at the first response: only then are all inline scripts known
        parts = (
            "default-src 'self'",
            "script-src 'self' " + " ".join(app.csp_hashes()),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
        return "; ".join(parts)

    @app.server.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", policy())
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
