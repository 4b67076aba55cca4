"""The bytes of an image file as pixels; whatever cannot be shown as it is, is said in one line.

Only decoders of Pillow that read plain pictures are tried; an image is measured before it is unpacked.
"""

import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from services.errors import CorpusError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
MOST_PIXELS = 100_000_000
MOST_BYTES = 200_000_000
LEAST_SIDE = 8  # pixels
MOST_ASPECT = 20
_PAPER = (255, 255, 255)


@dataclass(frozen=True)
class Decoded:
    """image: RGB, turned as its camera says · changes: what was done to it, each a short phrase."""

    image: Image.Image
    changes: tuple[str, ...]


def decode(data: bytes) -> Decoded:
    """
    Raises:
        CorpusError: these are no pixels that can be used; the message is a clause such as "is cut off".
    """
    if len(data) > MOST_BYTES:
        raise CorpusError(f"has {len(data) / 1e6:.0f} MB; {MOST_BYTES / 1e6:.0f} are the most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warning of large images: the limit here is below
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise CorpusError(f"has far too many pixels; {MOST_PIXELS / 1e6:.0f} million are the most") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise CorpusError(_unknown(data)) from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise CorpusError(f"has {width:,} × {height:,} pixels; {MOST_PIXELS / 1e6:.0f} million are the most")
    if min(width, height) < LEAST_SIDE:
        raise CorpusError(f"has {width} × {height} pixels; each side needs {LEAST_SIDE} at least")
    if max(width, height) > MOST_ASPECT * min(width, height):
        raise CorpusError(f"has {width:,} × {height:,} pixels; it is too long and narrow to be shown")
    changes = []
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        changes.append("its first frame")
    try:
        image.load()
        turned = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError, MemoryError) as error:
        raise CorpusError("is damaged or cut off") from error
    if turned.size != image.size or image.getexif().get(0x0112, 1) != 1:
        changes.append("turned as its camera says")
    rgb, words = _as_rgb(turned)
    return Decoded(rgb, (*changes, *words))


def _unknown(data: bytes) -> str:
    """What a file is that is no picture, where its first bytes tell."""
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return "is SVG or HTML text and no picture of pixels; save it as PNG"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypavif"):
        return "is HEIC or AVIF, which cannot be read here; save it as JPEG or PNG"
    return "is empty" if not data else "is no PNG, JPEG or WebP picture, or its header is damaged"


def _as_rgb(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Eight bits of red, green and blue; what shows through is laid on white."""
    mode = image.mode
    if mode == "RGB" and "transparency" not in image.info:
        return image, []
    if mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image).astype(np.float64)
        top = 65535.0 if values.max(initial=0) > 255 or mode.startswith("I;16") else 255.0
        grey = Image.fromarray(np.clip(values / top * 255, 0, 255).round().astype(np.uint8))
        return grey.convert("RGB"), ["16 bits as 8"]
    if mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        if clear.getchannel("A").getextrema()[0] == 255:
            return clear.convert("RGB"), []
        paper = Image.new("RGBA", clear.size, (*_PAPER, 255))
        return Image.alpha_composite(paper, clear).convert("RGB"), ["laid on white where it was transparent"]
    words = {"CMYK": ["CMYK as RGB"], "YCCK": ["CMYK as RGB"]}.get(mode, [])
    return image.convert("RGB"), words
