"""Images as a kind of input: pictures, cut into patches by the model's own processor and patch size."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from services.atlas import Atlas, arrays
from services.atlas.schema import FileInfo
from services.errors import CorpusError
from services.modalities.contract import IsGlobal, Prepared
from services.modalities.corpora import MAX_INPUTS, Corpus, drawn
from services.modalities.corpora.hub import hub_corpus, split_of
from services.modalities.corpora.wording import one_line
from services.modalities.images.cutting import ImageCutter, SeenImage, load_cutter
from services.modalities.images.decoding import decode
from services.modalities.images.features import features
from services.modalities.images.sources import ImageFile, open_images
from services.models.folders import ModelFolder
from services.models.loading import LoadedModel
from services.streams.registry import TOKENS

DEMO = "demo"
DEMO_FOLDER = Path(__file__).parents[3] / "demo" / "images"
PIXELS = "images.npy"  # uint8, all pixels of all images one after the other; inputs.parquet has their sizes
MOST_TOKENS = 16_384
_NAMED = 3  # files that a note names


@dataclass(frozen=True)
class ImageCorpus(Corpus):
    """texts: a line for each image. The images themselves are read again when they are cut: they may be many.

    path, column: where they are · objects: names of the numbers in masks · rows: which of all there; None: the first
    """

    path: Path = Path()
    column: str | None = None
    objects: Mapping[int, str] = field(default_factory=dict)
    rows: frozenset[int] | None = None

    def files(self) -> Iterator[ImageFile]:
        """The images in order. Raises: CorpusError when the source has changed meanwhile."""
        with open_images(self.path, self.source, self.column) as found:
            chosen = (file for row, file in enumerate(found.files) if self.rows is None or row in self.rows)
            for line, file in zip(self.texts, chosen, strict=False):
                if _line(file) != line:
                    raise CorpusError(f"{self.source}: has changed while it was read; run the same command again")
                yield file


class ImageModality:
    """See `services.modalities.contract.Modality`."""

    name = "image"
    label = "Images"
    corpora = "a folder or .zip of images (PNG, JPEG, WebP), or a table with a column of paths or bytes"
    main_input = "pixel_values"
    token_columns: Mapping[str, str] = {
        "token": '"patch", or the name of a special token',
        "text": "row and column, or the name",
        "special": "no patch: class token, distillation token, registers",
        "row": "of the patch, from 0; −1 for special tokens",
        "column": "of the patch, from 0; −1 for special tokens",
        "red": "mean of the patch, 0 … 255; likewise `green` and `blue`",
        "green": "see `red`",
        "blue": "see `red`",
        "hue": "of the mean colour, degrees; NaN for grey ones",
        "saturation": "of the mean colour, 0 … 1",
        "brightness": "of the mean colour, 0 … 1",
        "contrast": "standard deviation of luma",
        "frequency": "of the strongest grating, cycles a patch; 0 for flat ones",
        "orientation": "of the strongest grating: direction across its stripes, degrees, 0 … 180; NaN for flat ones",
        "object": "what fills most of the patch, by the image's mask; not in every atlas",
    }

    def reads(self, config: Mapping[str, Any]) -> bool:
        return "vision_config" in config or "patch_size" in config

    def read_corpus(
        self, source: str, *, column: str | None, target: str | None = None, max_inputs: int, **reading: Any
    ) -> ImageCorpus:
        sample = reading.pop("sample", None)
        if reading:
            given = " and ".join(f"--{name}" for name in reading)
            raise CorpusError(f"{one_line(str(source))}: images are not read as text; leave out {given}")
        if target is not None:
            raise CorpusError(f"{one_line(str(source))}: nothing is written of images; leave out --target")
        name, shown, said, path, notes = _found(source)
        digest, lines, beyond = hashlib.sha256(), list[str](), 0
        try:
            rows, total = _drawn(path, shown, column, max_inputs, sample)
            with open_images(path, shown, column) as found:
                for row, file in enumerate(found.files):
                    if rows is not None and row not in rows:
                        continue
                    if len(lines) == max_inputs:
                        beyond += 1
                        continue
                    for part in (file.name.encode(), file.label.encode(), file.data, file.mask or b""):
                        digest.update(f"{len(part)}:".encode() + part)
                    lines.append(_line(file))
                objects = dict(found.objects)
        except OSError as error:
            raise CorpusError(
                f"{shown}: cannot be read ({one_line(error.strerror or str(error))}); check the path"
            ) from error
        if not lines:
            raise CorpusError(f"{shown}: holds no image; give a folder with PNG, JPEG or WebP files")
        digest.update(repr(sorted(objects.items())).encode())
        if beyond:
            notes = (*notes, f"{beyond:,} images beyond the first {max_inputs:,} were left out.")
        if rows is not None and sample is not None:
            notes = (*notes, drawn(len(lines), total, "images", sample))
        return ImageCorpus(
            name=name,
            source=said,
            texts=tuple(lines),
            columns={},
            sha256=digest.hexdigest(),
            notes=notes,
            path=path,
            column=column,
            objects=objects,
            rows=rows,
        )

    def load_processor(self, folder: ModelFolder) -> tuple[ImageCutter, tuple[str, ...]]:
        return load_cutter(folder), ()

    def longest(self, model: Any, processor: Any) -> int:
        return MOST_TOKENS

    def trial(self, loaded: LoadedModel) -> SeenImage:
        cutter: ImageCutter = loaded.tokenizer
        cutter.learn(loaded.model)
        return cutter.cut(Image.fromarray(np.random.default_rng(1).integers(0, 256, (320, 480, 3), dtype=np.uint8)))

    def complete(
        self, loaded: LoadedModel, corpus: Corpus, *, max_tokens: int | None, report: Callable[[int, int], None]
    ) -> Corpus:
        return corpus

    def prepare(
        self, loaded: LoadedModel, corpus: Corpus, *, max_tokens: int | None, tags: str, is_global: IsGlobal
    ) -> Prepared:
        if not isinstance(corpus, ImageCorpus):
            raise CorpusError(f"{corpus.source}: holds texts, and {loaded.info.id} reads images")
        kept, inputs, skipped, changed = [], [], [], Counter[str]()
        for index, file in enumerate(corpus.files()):
            try:
                decoded = decode(file.data)
                mask = _mask(file, decoded.image.size) if file.mask is not None else None
                item = loaded.tokenizer.cut(decoded.image, mask, file.name, file.label)
            except CorpusError as error:
                skipped.append(f"{one_line(file.name)} {error}")
                continue
            if len(item) > min(max_tokens or MOST_TOKENS, loaded.max_tokens):
                skipped.append(f"{one_line(file.name)} has {len(item):,} tokens, more than allowed")
                continue
            changed.update(decoded.changes)
            kept.append(index)
            inputs.append(item)
        if not kept:
            raise CorpusError(f"{corpus.source}: no image can be used: {'; '.join(skipped[:_NAMED])}")
        notes = [f"{count} images: {change}." for change, count in changed.items()]
        if skipped:
            more = f"; and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
            notes.append(f"{len(skipped)} images were left out: {'; '.join(skipped[:_NAMED])}{more}.")
        return Prepared(
            kept,
            inputs,
            {TOKENS: token_columns(inputs, corpus.objects)},
            tuple(notes),
            input_columns=_input_columns(inputs),
            write_files=lambda folder: _write_pixels(folder, inputs),
        )

    def check(self, loaded: LoadedModel, inputs: Sequence[Any]) -> None:
        """Every image was cut for this model."""

    def arguments(self, loaded: LoadedModel, inputs: Sequence[Any]) -> dict[str, Any]:
        return loaded.tokenizer.arguments(inputs, loaded.device)

    def lacking(self, atlas: Atlas, *, tags: str) -> str | None:
        return None

    def preview(self, atlas: Atlas, index: int) -> str:
        return atlas.inputs.text[index]

    def find_inputs(self, atlas: Atlas, words: str) -> tuple[list[tuple[int, str]], int]:
        """Those whose name or label holds all words, or that have the number."""
        wanted = words.casefold().split()
        found = [
            (index, line)
            for index, line in enumerate(atlas.inputs.text)
            if all(word in line.casefold() for word in wanted) or words.strip() == str(index)
        ]
        return found[:40], len(found)


def _drawn(
    path: Path, shown: str, column: str | None, count: int, seed: int | None
) -> tuple[frozenset[int] | None, int]:
    """Which images a random sample takes, and of how many; None where it takes all, or there is none.

    Raises:
        CorpusError, OSError: as `open_images`.
    """
    if seed is None:
        return None, 0
    with open_images(path, shown, column) as found:
        total = sum(1 for _ in islice(found.files, MAX_INPUTS))
    if count >= total:
        return None, total
    return frozenset(np.random.default_rng(seed).choice(total, count, replace=False).tolist()), total


def _found(source: str) -> tuple[str, str, str, Path, tuple[str, ...]]:
    """A corpus's name, what errors call it, where an atlas says it is from, where it lies, and notes on it.

    Raises:
        CorpusError: it is not there.
    """
    if source == DEMO:
        return DEMO, DEMO, "demo/images", DEMO_FOLDER, ()
    if (of_hub := hub_corpus(source)) is not None:
        split = split_of(of_hub)
        file, shown = split.file(0), split.corpus.shown
        return split.corpus.name, shown, shown, file, tuple(split.notes(more=True))
    path = _place(source)
    return one_line(path.stem), one_line(str(source)), one_line(path.name), path, ()


def _place(source: str) -> Path:
    try:
        path = Path(source).expanduser()
        there = path.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise CorpusError(f"{one_line(str(source))}: is no usable path; check it") from error
    if not there:
        raise CorpusError(f'{one_line(str(source))}: no such file or folder; check the path, or use the name "{DEMO}"')
    return path


def _line(file: ImageFile) -> str:
    """An image in one line: its label and file."""
    name = one_line(file.name)
    return f"{one_line(file.label)} · {name}" if file.label else name


def _mask(file: ImageFile, size: tuple[int, int]) -> Image.Image:
    """The numbers of a mask as an RGB image; they must be as many as the image's pixels."""
    import io

    assert file.mask is not None
    decode(file.mask)  # what is refused of pictures is refused of masks
    mask = Image.open(io.BytesIO(file.mask))
    if mask.size != size:
        raise CorpusError(
            f"has {size[0]} × {size[1]} pixels and its mask {mask.size[0]} × {mask.size[1]}; they must be equal"
        )
    numbers = mask if mask.mode in ("L", "P") else mask.convert("L")
    return Image.fromarray(np.repeat(np.asarray(numbers, np.uint8)[..., None], 3, axis=2))


def token_columns(inputs: Sequence[SeenImage], objects: Mapping[int, str]) -> dict[str, Any]:
    """What the token table holds of some images, one after the other."""
    columns: dict[str, list[Any]] = {name: [] for name in ImageModality.token_columns}
    for item in inputs:
        seen, special = features(item.patches), len(item.special)
        rows, row_columns = (place.ravel().tolist() for place in np.indices(item.grid))
        places = list(zip(rows, row_columns, strict=True))
        columns["token"] += [*item.special, *["patch"] * len(places)]
        columns["text"] += [*item.special, *(f"row {row} column {column}" for row, column in places)]
        columns["special"] += [True] * special + [False] * len(places)
        columns["row"] += [-1] * special + rows
        columns["column"] += [-1] * special + row_columns
        for name, channel in zip(("red", "green", "blue"), seen.colour.T, strict=True):
            columns[name] += [0] * special + channel.tolist()
        for name in ("hue", "orientation"):
            columns[name] += [float("nan")] * special + getattr(seen, name).tolist()
        for name in ("saturation", "brightness", "contrast", "frequency"):
            columns[name] += [0.0] * special + getattr(seen, name).tolist()
        numbers = item.objects if item.objects is not None else [0] * len(places)
        columns["object"] += [""] * special + [objects.get(int(n), f"object {n}") if n else "" for n in numbers]
    if all(item.objects is None for item in inputs):
        del columns["object"]
    types = dict.fromkeys(("row", "column"), pa.int32()) | dict.fromkeys(("red", "green", "blue"), pa.uint8())
    types |= dict.fromkeys(("hue", "saturation", "brightness", "contrast", "frequency", "orientation"), pa.float32())
    return {name: pa.array(values, types[name]) if name in types else values for name, values in columns.items()}


def _input_columns(inputs: Sequence[SeenImage]) -> dict[str, Any]:
    """Of each image its file, label, size in pixels and grid, and a hash of what the model saw."""
    return {
        "file": [item.name for item in inputs],
        "label": [item.label for item in inputs],
        "height": pa.array([item.pixels.shape[0] for item in inputs], pa.int32()),
        "width": pa.array([item.pixels.shape[1] for item in inputs], pa.int32()),
        "rows": pa.array([item.grid[0] for item in inputs], pa.int32()),
        "columns": pa.array([item.grid[1] for item in inputs], pa.int32()),
        "pixels": [hashlib.sha256(item.pixels.tobytes()).hexdigest() for item in inputs],
    }


def _write_pixels(folder: Path, inputs: Sequence[SeenImage]) -> dict[str, FileInfo]:
    """All pixels, one image after the other."""
    path = folder / PIXELS
    flat = arrays.create(path, (sum(item.pixels.size for item in inputs),), np.dtype(np.uint8))
    start = 0
    for item in inputs:
        flat[start : start + item.pixels.size] = item.pixels.ravel()
        start += item.pixels.size
    flat.flush()
    del flat
    return {PIXELS: arrays.publish(path)}
