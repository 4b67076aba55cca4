"""`app.py serve`: the dashboard, and the demo's build beside it when there is no atlas."""

import argparse
import logging
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from typing import Any

from services.errors import AtlasError
from services.jobs.builds import image_model, start_demo_if_needed
from services.jobs.which import jobs_of
from services.settings import load_settings


def add_options(cli: argparse.ArgumentParser) -> None:
    """Address and port; everything else is a setting."""
    cli.add_argument("--host", help="address to listen on (default: ATLAS_HOST, or 127.0.0.1)")
    cli.add_argument("--port", type=int, help="port to listen on (default: ATLAS_PORT, or 8050)")


def run(options: argparse.Namespace, create_app: Callable[[Any, Any], Any]) -> int:
    """Serve until stopped. Returns the exit code."""
    try:
        settings = load_settings()
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    host, port = options.host or settings.host, options.port if options.port is not None else settings.port
    if not 1 <= port <= 65535:
        print(f"--port must be from 1 to 65535, not {port}.", file=sys.stderr)
        return 2
    settings = settings.model_copy(update={"host": host, "port": port})
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on Ctrl-C ends all in order
    jobs = jobs_of(settings)
    try:
        start_demo_if_needed(settings, jobs)  # first, so that both processes load their libraries at once
        app = create_app(settings, jobs)
        url = f"http://{host}:{port}{settings.url_prefix}"
        if settings.demo and settings.demo_images and (install := image_model()):
            print(f"No demo of images: its model is not installed. To have one: {install}", flush=True)
        print(f"Attention Atlas runs at {url}  (stop with Ctrl-C)", flush=True)
        if settings.open_browser and _has_desktop():
            threading.Timer(1.0, webbrowser.open, [url]).start()
        logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for every request
        return _listen(app, host, port)
    except KeyboardInterrupt:
        return 0
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        jobs.cancel_asked()  # what a page or an empty start has begun; it goes on where it stopped
        jobs.close()


def _listen(app: Any, host: str, port: int) -> int:
    try:
        app.run(host=host, port=str(port), debug=False)
    except OSError as error:
        print(f"Cannot listen on {host}:{port} ({error.strerror}); set ATLAS_PORT.", file=sys.stderr)
        return 2
    return 0


def _has_desktop() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
