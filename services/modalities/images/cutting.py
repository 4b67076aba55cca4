"""An image as a model reads it: resized and cut by the model's own image processor, then into patches.

The pixels are kept as eight-bit numbers and the model is given these very numbers: what is shown is what it saw.
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from services.errors import ModelError
from services.models.folders import ModelFolder
from services.streams.registry import TOKENS

PROCESSOR_FILE = "preprocessor_config.json"


@dataclass(frozen=True)
class SeenImage:
    """One image as a model reads it.

    pixels: uint8 [rows · patch height, columns · patch width, 3] · grid: rows and columns of patches
    special: names of the tokens before the patches, such as [CLS] · name, label: of its file
    objects: int [rows · columns], the number of the object that fills each patch, 0 for none; None without a mask
    """

    pixels: np.ndarray
    grid: tuple[int, int]
    special: tuple[str, ...]
    name: str = ""
    label: str = ""
    objects: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.special) + self.grid[0] * self.grid[1]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.grid

    @property
    def lengths(self) -> Mapping[str, int]:
        return {TOKENS: len(self)}

    def global_tokens(self, table: str) -> None:
        return None

    @property
    def patches(self) -> np.ndarray:
        """uint8 [rows · columns, patch height, patch width, 3], row by row."""
        rows, columns = self.grid
        height, width = self.pixels.shape[0] // rows, self.pixels.shape[1] // columns
        cut = self.pixels.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
        return cut.reshape(rows * columns, height, width, 3)


class ImageCutter:
    """A model's image processor, and how its model cuts images into patches (known once `learn` has seen the model)."""

    def __init__(self, processor: Any, name: str) -> None:
        self._processor = processor
        self._name = name
        self._patch = (0, 0)
        self._special: tuple[str, ...] = ()
        self._interpolate = False
        self._size: tuple[int, int] | None = None

    @property
    def learnt(self) -> bool:
        """Whether `learn` has seen the model."""
        return self._patch != (0, 0)

    def learn(self, model: Any) -> None:
        """Patch size and leading tokens, from the configuration and one run on an image of noise.

        Raises:
            ModelError: its tokens are not its patches.
        """
        import torch

        config = model.config
        size = getattr(config, "patch_size", None)
        pair = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, list | tuple) else ()
        if len(pair) != 2 or min(pair) < 1:
            raise ModelError(f"{self._cannot(model)} its configuration names no patch size.")
        if getattr(config, "num_channels", 3) != 3:
            raise ModelError(f"{self._cannot(model)} it reads images of {config.num_channels} channels, not colours.")
        self._patch = pair
        whole = getattr(config, "image_size", None)
        self._size = (whole, whole) if isinstance(whole, int) else tuple(whole) if whole else None
        self._interpolate = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        item = self.cut(_noise())
        with torch.inference_mode():
            hidden = model(**self.arguments([item], model.device)).last_hidden_state
        rows, columns = item.grid
        leading = hidden.shape[1] - rows * columns if hidden.ndim == 3 else -1
        if leading < 0:
            raise ModelError(
                f"{self._cannot(model)} of an image of {rows} × {columns} patches it makes"
                f" {'×'.join(map(str, hidden.shape[1:-1]))} vectors: its tokens are not its patches."
            )
        self._special = _names(leading, int(getattr(config, "num_register_tokens", 0) or 0))

    def _cannot(self, model: Any) -> str:
        return f"Model {self._name} ({type(model).__name__}) cannot be captured:"

    def cut(self, image: Image.Image, mask: Image.Image | None = None, name: str = "", label: str = "") -> SeenImage:
        """An RGB image as the model sees it; the mask, of the same size, goes the same way.

        Raises:
            ModelError: the processor makes something else than one picture of it.
        """
        pixels = self._pixels(image)
        height, width = self._patch
        rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
        if not rows or not columns:
            raise ModelError(f"Model {self._name}: its image processor makes images smaller than a patch.")
        area = slice(rows * height), slice(columns * width)  # what is left at the edges is seen by no patch
        objects = None
        if mask is not None:
            numbers = self._pixels(mask, plain=True)[area]
            cells = SeenImage(numbers, (rows, columns), ()).patches[..., 0].reshape(rows * columns, -1)
            objects = np.array([_most_common(cell) for cell in cells])
        return SeenImage(np.ascontiguousarray(pixels[area]), (rows, columns), self._special, name, label, objects)

    def _pixels(self, image: Image.Image, *, plain: bool = False) -> np.ndarray:
        """uint8 [height, width, 3]; plain: of numbers, which must not be mixed."""
        more = {"resample": Image.Resampling.NEAREST, "do_normalize": False, "do_rescale": False} if plain else {}
        try:
            values = np.asarray(self._processor(images=image, return_tensors="np", **more)["pixel_values"])
        except Exception as error:  # processors of many architectures
            raise ModelError(
                f"Model {self._name}: its image processor fails on an image of {image.width} × {image.height} pixels"
                f" ({str(error).splitlines()[0][:120] if str(error) else type(error).__name__})."
            ) from error
        if values.ndim != 4 or values.shape[:2] != (1, 3):
            raise ModelError(
                f"Model {self._name}: its image processor makes {'×'.join(map(str, values.shape))} numbers of an image"
                " and not one picture of three colours."
            )
        levels = values[0].astype(np.float64)
        if not plain:
            levels = self._levels(levels)
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8).transpose(1, 2, 0)

    def _levels(self, values: np.ndarray) -> np.ndarray:
        """0 … 255 of what the processor made."""
        factor, mean, std = self._normalisation()
        return (values * std + mean) / factor

    def _normalisation(self) -> tuple[float, np.ndarray, np.ndarray]:
        processor = self._processor
        factor = float(processor.rescale_factor) if getattr(processor, "do_rescale", True) else 1.0
        if not getattr(processor, "do_normalize", True):
            return factor, np.zeros((3, 1, 1)), np.ones((3, 1, 1))
        mean, std = (np.reshape(getattr(processor, name), (-1, 1, 1)) for name in ("image_mean", "image_std"))
        return factor, np.asarray(mean, np.float64), np.asarray(std, np.float64)

    def arguments(self, items: Sequence[SeenImage], device: Any) -> dict[str, Any]:
        """Keyword arguments of a forward pass over images of one size."""
        import torch

        factor, mean, std = self._normalisation()
        values = np.stack([(item.pixels.transpose(2, 0, 1) * factor - mean) / std for item in items])
        found: dict[str, Any] = {"pixel_values": torch.tensor(values.astype(np.float32), device=device)}
        if self._interpolate and items[0].pixels.shape[:2] != self._size:
            found["interpolate_pos_encoding"] = True
        return found


def load_cutter(folder: ModelFolder) -> ImageCutter:
    """The image processor of a model's folder, without torchvision. Raises: ModelError."""
    from transformers import AutoImageProcessor

    if not (folder.processor / PROCESSOR_FILE).is_file():
        raise ModelError(
            f"Model {folder.id} has no {PROCESSOR_FILE}, which says how it reads images: save its image processor"
            " into the folder as well."
        )
    given = {"trust_remote_code": False, "local_files_only": True}
    try:
        try:
            processor = AutoImageProcessor.from_pretrained(folder.processor, backend="pil", **given)
        except ImportError:  # there is one for torchvision alone, DINOv3's for example: the same steps by Pillow
            from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

            processor = ViTImageProcessorPil.from_pretrained(folder.processor, **given)
        for name in ("rescale_factor", "image_mean", "image_std"):
            getattr(processor, name)
    except Exception as error:  # whatever a strange file makes transformers raise
        first = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise ModelError(f"Model {folder.id}: its image processor cannot be loaded ({first}).") from error
    return ImageCutter(processor, folder.id)


def _noise() -> Image.Image:
    """An image of 3 : 2, so that rows and columns are not mistaken for each other."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (320, 480, 3), dtype=np.uint8))


def _names(leading: int, registers: int) -> tuple[str, ...]:
    """Names of the tokens before the patches: class, distillation, registers."""
    heads = max(0, leading - registers)
    first = ("[CLS]", "[DIST]")[:heads] if heads <= 2 else tuple(f"[S{number + 1}]" for number in range(heads))
    return (*first, *(f"[REG{number + 1}]" for number in range(leading - heads)))


def _most_common(cell: np.ndarray) -> int:
    """The number that fills most of a patch; 0 is background, which needs more than half."""
    numbers, counts = np.unique(cell, return_counts=True)
    if numbers[0] == 0 and (len(numbers) == 1 or counts[0] * 2 > cell.size):
        return 0
    known = numbers != 0
    return int(numbers[known][counts[known].argmax()])
