"""`app.py export`: an atlas as a folder of HTML and data that opens in any browser, without Python and a server."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.atlas import open_atlas
from services.commands.verify import folder_of
from services.errors import AtlasError, ExportError
from services.settings import load_settings

_MEGABYTE = 1_000_000


def add_options(cli: argparse.ArgumentParser) -> None:
    """Which atlas, where to, and how much of it."""
    cli.add_argument("atlas", help="folder, or name below ATLAS_HOME/atlases")
    cli.add_argument(
        "--to",
        metavar="PATH",
        help="folder to make, or a file that ends in .zip (default: a folder here, named after the atlas)",
    )
    cli.add_argument("--maps", metavar="NAMES", help="some of its maps, such as umap2d,pca3d (default: all)")
    cli.add_argument(
        "--inputs",
        type=int,
        metavar="N",
        help="the attention of the first N inputs (default: of as many as fit)",
    )
    cli.add_argument("--most", type=int, default=300, metavar="MB", help="how large it may get, in megabytes")
    cli.add_argument("--dry-run", action="store_true", help="say what would be in it and how large it gets, no more")


def run(options: argparse.Namespace, static_atlas: Callable[[], Any]) -> int:
    """Returns 0, or 2 when it cannot be made; the reason is one line."""
    try:
        if options.most < 1:
            raise ExportError(f"--most must be at least 1, not {options.most}.")
        atlas = open_atlas(folder_of(options.atlas, load_settings().atlases))
        pages = static_atlas()
        maps = [name.strip() for name in options.maps.split(",")] if options.maps else None
        contents = pages.choose(atlas, maps, options.inputs, options.most * _MEGABYTE)
        print(contents.words, flush=True)
        if not options.dry_run:
            target = Path(options.to or f"{atlas.slug}-page").expanduser()
            size = pages.write(contents, target)
            page = target if target.suffix == ".zip" else target / "index.html"
            print(f"{size / _MEGABYTE:,.1f} MB. Open {page}" + (" after unpacking it." if page == target else "."))
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
