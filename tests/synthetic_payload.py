"""The routes of docs/payload.md over made-up heads that look like real ones: for tests and benchmarks."""

import io
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flask import Blueprint, Response, abort, jsonify, request

from services.atlas.layouts import frames, quantise
from services.atlas.overview import densities, thumbnail_side
from services.payloads.some_points import listed_slots

PAGE = 4096
WORDS = re.findall(
    r"\S+",
    "the of a and in to was is for on with as by at from it that an were which or are this be had has its "
    "river city april music north house family school water year world island bridge winter station light "
    "church king player album season village mountain german french small large first second known called "
    "born married . , ( ) ; : 1998 2004 twenty seven",
)
HOSTILE = "<script>window.hacked=1</script>"


def ramp(start: tuple[int, int, int], end: tuple[int, int, int], steps: int) -> list[str]:
    values = np.linspace(start, end, steps).round().astype(int)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in values]


PALETTES = {
    "kind": ["#3f9a55", "#d6337c"],
    "position": ramp((200, 225, 160), (20, 95, 60), 128) + ramp((240, 180, 210), (120, 10, 80), 128),
    "norm": ramp((68, 1, 120), (248, 221, 40), 256),
}


@dataclass(frozen=True)
class Synthetic:
    """`points` tokens are half queries and half keys of the same table."""

    layers: int = 12
    heads: int = 12
    points: int = 2000
    chunk: int = 1000
    seed: int = 0
    far: int = 0  # queries of head 0 that lie far from all else, the first of them

    @property
    def queries(self) -> int:
        return self.points // 2

    @property
    def cells(self) -> int:
        return self.layers * self.heads

    @cached_property
    def offsets(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        ends = np.cumsum(rng.integers(6, 30, self.queries))
        ends = ends[: np.searchsorted(ends, self.queries)]
        return np.unique(np.r_[0, ends, self.queries]).astype("<u4")

    @cached_property
    def word(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed + 1)
        return np.minimum(rng.zipf(1.35, self.queries) - 1, len(WORDS) - 1)

    @cached_property
    def texts(self) -> list[str]:
        texts = [WORDS[w] for w in self.word]
        texts[1] = HOSTILE
        return texts

    @cached_property
    def place(self) -> np.ndarray:
        """Position of each token in its input."""
        lengths = np.diff(self.offsets)
        return np.arange(self.queries) - np.repeat(self.offsets[:-1], lengths)

    @cached_property
    def order(self) -> np.ndarray:
        return np.random.default_rng(self.seed + 2).permutation(self.points).astype("<u4")

    def layout(self, cell: int, dims: int, name: str) -> np.ndarray:
        """float32 [points, dims]: a spiral, clusters, two clouds, a ring or a snake, by head."""
        rng = np.random.default_rng([self.seed, cell, dims, sum(map(ord, name))])
        n = self.queries
        t = self.place / 30.0
        clouds = []
        for side in range(2):
            offset = rng.normal(0, 0.35, dims) * (cell % 3 > 0)
            kind = (cell + cell // self.heads) % 5
            if kind == 0:
                angle = t * 9 + side * 0.3 + rng.normal(0, 0.08, n)
                base = np.c_[np.cos(angle) * (0.4 + t), np.sin(angle) * (0.4 + t), t * 2]
            elif kind == 1:
                centres = np.random.default_rng([cell, dims]).normal(0, 1, (len(WORDS), 3))
                base = centres[self.word] + rng.normal(0, 0.06, (n, 3))
            elif kind == 2:
                base = rng.normal(0, 0.5, (n, 3)) @ rng.normal(0, 0.8, (3, 3))
            elif kind == 3:
                angle = rng.uniform(0, 2 * np.pi, n)
                base = np.c_[np.cos(angle), np.sin(angle), rng.normal(0, 0.1, n)] * (1 + 0.25 * side)
                base += rng.normal(0, 0.05, (n, 3))
            else:
                s = t * 4 + 0.15 * rng.normal(size=n)
                base = np.c_[s, np.sin(s * 2.2) + 0.7 * side, np.cos(s * 1.3)]
                base += rng.normal(0, 0.09, (n, 3))
            clouds.append(base[:, :dims] + offset)
        if cell == 0:
            clouds[0][: self.far] += 40
        return np.concatenate(clouds).astype(np.float32)

    def quantised(self, dims: int, name: str, whole: bool = False) -> np.ndarray:
        """uint16 [cells, points, dims] in slot order, each head in its frame; whole: of every point."""
        known = self.__dict__.setdefault("_quantised", {})
        if (dims, name, whole) not in known:
            out = np.empty((self.cells, self.points, dims), "<u2")
            for cell in range(self.cells):
                layout = self.layout(cell, dims, name)[None]
                out[cell] = quantise(layout, frames(layout, whole))[0, self.order]
            known[dims, name, whole] = out
        return known[dims, name, whole]

    def thumbnails(self, name: str, whole: bool = False) -> np.ndarray:
        """uint8 [cells, side, side]"""
        side = thumbnail_side(self.cells, self.points)
        if side is None:
            raise KeyError(name)
        known = self.__dict__.setdefault("_thumbnails", {})
        if (name, whole) not in known:
            out = np.empty((self.cells, side, side), np.uint8)
            for cell in range(self.cells):
                layout = self.layout(cell, 2, name)[None]
                out[cell] = densities(layout, self.queries, frames(layout, whole), side)[0]
            known[name, whole] = out
        return known[name, whole]

    def attribute(self, name: str, cell: int = 0) -> np.ndarray:
        key = np.arange(self.points) >= self.queries
        if name == "kind":
            return key.astype(np.uint8)
        if name == "position":
            step = np.minimum(127, np.tile(self.place, 2) * 127 // 30)
            return (step + 128 * key).astype(np.uint8)
        rng = np.random.default_rng([self.seed, cell])
        return np.clip(rng.normal(90 + 60 * key, 30), 0, 255).astype(np.uint8)

    def props(self, base: str = "/payload/demo/k1") -> dict:
        return {
            "base": base,
            "stream": "self",
            "layers": self.layers,
            "heads": self.heads,
            "queries": self.queries,
            "keys": self.points - self.queries,
            "chunk": self.chunk,
            "queryTable": "tokens",
            "keyTable": "tokens",
            "pageSize": PAGE,
            "thumbnail": thumbnail_side(self.cells, self.points),
        }

    def sprite(self, dark: bool) -> bytes:
        from PIL import Image

        side = max(8, 1200 // max(self.layers, self.heads))
        ground = (24, 28, 34) if dark else (245, 246, 248)
        picture = np.full((self.layers * side, self.heads * side, 3), ground, np.uint8)
        colours = np.array([(63, 154, 85), (214, 51, 124)], np.uint8)[self.attribute("kind")[self.order]]
        values = self.quantised(2, "umap2d")
        for cell in range(self.cells):
            x = (values[cell, :, 0] / 65535 * 0.88 + 0.06) * (side - 1)
            y = ((1 - values[cell, :, 1] / 65535) * 0.88 + 0.06) * (side - 1)
            row, column = divmod(cell, self.heads)
            picture[(row * side + y).astype(int), (column * side + x).astype(int)] = colours
        out = io.BytesIO()
        Image.fromarray(picture).save(out, "PNG")
        return out.getvalue()


def blueprint(data: Synthetic, ranges: bool = True) -> Blueprint:
    """Routes under /payload/demo/k1; `ranges=False` is a server that ignores byte ranges."""
    routes = Blueprint("payload", __name__, url_prefix="/payload/demo/k1")

    def binary(array: np.ndarray) -> Response:
        response = Response(array.tobytes(), mimetype="application/octet-stream")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response.make_conditional(request, accept_ranges=ranges, complete_length=array.nbytes)

    @routes.get("/positions/self/<projection>/<int:chunk>")
    def positions(projection: str, chunk: int):
        name, _, _ = projection.partition("-")
        first = chunk * data.chunk
        if not name or first >= data.points:
            abort(404)
        dims = 3 if name.endswith("3d") else 2
        return binary(
            np.ascontiguousarray(
                data.quantised(dims, name, request.args["frame"] == "all")[:, first : first + data.chunk]
            )
        )

    @routes.get("/points/self/<projection>/<int:first>-<int:last>")
    def points(projection: str, first: int, last: int):
        code = request.args.get("slots")
        slots = listed_slots(code, data.points) if code else slice(0, int(request.args["most"]))
        values = data.quantised(2, projection.partition("-")[0], request.args["frame"] == "all")
        return binary(np.ascontiguousarray(values[first : last + 1, slots]))

    @routes.get("/thumbnails/self/<projection>")
    def thumbnails(projection: str):
        return binary(data.thumbnails(projection.partition("-")[0], request.args["frame"] == "all"))

    @routes.get("/order/self")
    def order():
        return binary(data.order)

    @routes.get("/attribute/self/<name>")
    def attribute(name: str):
        return binary(data.attribute(name)) if name in PALETTES else abort(404)

    @routes.get("/headattribute/self/<name>/<int:layer>/<int:head>")
    def head_attribute(name: str, layer: int, head: int):
        return binary(data.attribute(name, layer * data.heads + head))

    @routes.get("/offsets/tokens")
    def offsets():
        return binary(data.offsets)

    @routes.get("/tokens/tokens/<int:page>")
    def tokens(page: int):
        rows = slice(page * PAGE, (page + 1) * PAGE)
        lengths = np.diff(data.offsets)
        inputs = np.repeat(np.arange(len(lengths)), lengths)
        return jsonify(
            text=data.texts[rows], input=inputs[rows].tolist(), position=data.place[rows].tolist(),
            length=np.repeat(lengths, lengths)[rows].tolist(), special=[0] * len(data.texts[rows]),
        )  # fmt: skip

    @routes.get("/search/tokens")
    def search():
        wanted = request.args["q"]
        hits = np.array([text == wanted for text in data.texts])
        return binary(np.packbits(hits, bitorder="little"))

    @routes.get("/attention/self/<int:item>/<int:layer>/<int:head>")
    def attention(item: int, layer: int, head: int):
        n = int(data.offsets[item + 1] - data.offsets[item])
        weights = np.random.default_rng([item, layer, head]).gamma(0.25, 1, (n, n))
        return binary(np.round(weights / weights.sum(1, keepdims=True) * 65535).astype("<u2"))

    @routes.get("/input/self/<int:item>")
    def sides(item: int):
        first, end = int(data.offsets[item]), int(data.offsets[item + 1])
        side = {"first": first, "tokens": list(data.texts[first:end]), "special": [0] * (end - first)}
        return {"text": " ".join(side["tokens"]), "queries": side, "keys": side}

    @routes.get("/sprite/<theme>.png")
    def sprite(theme: str):
        return Response(data.sprite(theme == "dark"), mimetype="image/png")

    return routes
