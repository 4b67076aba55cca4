"""The steps of loading a Hugging Face model safely; services.capture.opening takes them in order.

Safely: weights as tensors alone, never code from the model's repository, the revision recorded. torch and
transformers are imported when a model is loaded and not before, so that the web process can check a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.atlas.schema import ModelInfo, StreamInfo
from services.errors import ModelError
from services.models.authors import check_gaps, check_leftovers, check_shapes, inferred_type
from services.models.files import check_memory
from services.models.folders import ModelFolder
from services.models.lora import merged
from services.models.memory import is_out_of_memory
from services.models.weights import plain_names, read_headers, read_tensors, refuse_packed


@dataclass
class LoadedModel:
    """A model ready to be captured: eval mode, float32, on `device`; `max_tokens` is the longest input.

    modality: what its inputs are (services.modalities.registry) · tokenizer: what cuts them into tokens
    used_tokens: how many tokens of an input sentence-transformers would read, where the model says so
    folder: where its files are
    """

    model: Any
    tokenizer: Any
    info: ModelInfo
    streams: tuple[StreamInfo, ...]
    max_tokens: int
    device: str
    modality: str
    used_tokens: int | None = None
    folder: ModelFolder | None = None


def open_device(device: str, name: str) -> Any:
    """A torch device. Raises: ModelError when there is none."""
    import torch

    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"Model {name}: there is no device {device!r} here: use 'cpu'.") from error
    return found


def read_config(folder: ModelFolder) -> tuple[Any, ModelFolder]:
    """The model's configuration, after what its file alone says has been looked at, and the folder with its notes.

    Raises: ModelError.
    """
    from transformers import AutoConfig, __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = folder.config.get("model_type")
    inferred = None if isinstance(kind, str) and kind else inferred_type(folder)
    if inferred:
        kind = inferred
        folder = folder.noting(f"Its config.json names no model_type: {kind} is that of the class it names.")
    if not isinstance(kind, str) or not kind:
        raise ModelError(
            f'Model {folder.id}: config.json names no model_type; add the line "model_type": "bert", or'
            " whatever it is, or save it again with save_pretrained."
        )
    if kind not in CONFIG_MAPPING:
        if folder.config.get("auto_map"):
            raise ModelError(
                f"Model {folder.id} needs code from its own repository, which is never run here:"
                " choose a model that transformers knows itself."
            )
        raise ModelError(f"Model {folder.id} is of type {kind[:60]!r}, which transformers {__version__} does not know.")
    if folder.config.get("quantization_config"):
        raise ModelError(f"Model {folder.id} has quantised weights: choose its full-precision version.")
    try:
        if inferred:
            config = CONFIG_MAPPING[inferred].from_pretrained(folder.path, local_files_only=True)
        else:
            config = AutoConfig.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # whatever a strange config.json makes transformers raise
        raise ModelError(
            f"Model {folder.id}: transformers does not accept its config.json ({first_line(error)})."
        ) from error
    # A config.json may name attention code to be fetched from the hub and run: never here.
    config._attn_implementation = "eager"
    return config, folder


# Models that join a text and a vision network, of which either can be loaded by itself: by what it reads.
TOWERS = {
    "clip": {"image": "CLIPVisionModel", "text": "CLIPTextModel"},
    "chinese_clip": {"image": "ChineseCLIPVisionModel"},
    "metaclip_2": {"image": "MetaClip2VisionModel", "text": "MetaClip2TextModel"},
    "siglip": {"image": "SiglipVisionModel", "text": "SiglipTextModel"},
}
_PARTS = {"image": "vision_config", "text": "text_config"}


def plain_class(folder: ModelFolder, config: Any, reads: str | None = None) -> tuple[Any, Any]:
    """The class of the bare model (no head on top), and its configuration: of a part, where only that can be captured.

    reads: what the part is to read, of a model that joins several; None: images

    Raises:
        ModelError: transformers has none.
    """
    import transformers
    from transformers import MODEL_MAPPING

    reads = reads if reads in _PARTS else "image"
    tower = TOWERS.get(config.model_type, {}).get(reads)
    if tower and getattr(config, _PARTS[reads], None) is not None and hasattr(transformers, tower):
        part = getattr(config, _PARTS[reads])
        part._attn_implementation = "eager"
        return getattr(transformers, tower), part
    if type(config) not in MODEL_MAPPING:
        raise ModelError(f"{cannot(folder, config)} transformers has no plain model class for it.")
    model_class = MODEL_MAPPING[type(config)]
    return (model_class[0] if isinstance(model_class, tuple | list) else model_class), config


# Whose training filled texts up, without a mask for what is filled.
_FILLED = {"siglip_text_model"}


def noting_use(folder: ModelFolder, config: Any) -> ModelFolder:
    """With a note where a model is used on other inputs than it is shown with."""
    if config.model_type not in _FILLED:
        return folder
    return folder.noting(
        f"It was trained on texts filled up to {config.max_position_embeddings} tokens, which take part in its"
        " attention; here nothing is filled up."
    )


def cannot(folder: ModelFolder, config: Any) -> str:
    """How a refusal begins."""
    return f"Model {folder.id} ({config.model_type}) cannot be captured:"


def check_weights(folder: ModelFolder, config: Any, model_class: Any) -> ModelFolder:
    """Look at the weights' headers and the configuration before any memory is taken: damage, packing, size.

    Returns: the folder, with a note when the names of its weights hold more than a model's own.
    Raises: ModelError.
    """
    import torch

    headers = read_headers(folder.weights, folder.id)
    refuse_packed(headers, folder.id)
    try:
        with torch.device("meta"):
            described = sum(parameter.numel() for parameter in model_class(config).parameters())
    except Exception as error:  # sizes that do not fit together
        raise ModelError(
            f"Model {folder.id}: its config.json describes no possible model ({first_line(error)})."
        ) from error
    check_memory(folder.id, max(sum(header.size for header in headers.values()), described))
    changed = next((name for name, short in plain_names(headers).items() if name != short), None)
    return (
        folder.noting(f"The names of its weights were read without what wraps them ({changed}).") if changed else folder
    )


def from_tensors(model_class: Any, folder: ModelFolder, config: Any, **choices: Any) -> tuple[Any, Any]:
    """A model of a class with a folder's weights, float32, and the library's report of what fitted."""
    import torch

    tensors = read_tensors(folder.weights, folder.id)
    return model_class.from_pretrained(  # type: ignore[no-any-return]
        None,
        config=config,
        state_dict=merged(tensors, folder.adapter) if folder.adapter else tensors,
        dtype=torch.float32,
        attn_implementation="eager",
        output_loading_info=True,
        **choices,
    )


def load_weights(folder: ModelFolder, config: Any, model_class: Any, device: Any) -> Any:
    """The model with its weights, float32, in eval mode. Raises: ModelError."""
    try:
        model, report = from_tensors(
            model_class,
            folder,
            config,
            ignore_mismatched_sizes=True,  # to be told of them
        )
        model = model.to(device)
    except ModelError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ModelError(f"Model {folder.id} does not fit into memory: choose a smaller model.") from error
        raise ModelError(f"Model {folder.id}: its weights cannot be loaded ({first_line(error)}).") from error
    check_shapes(folder, model, report)
    check_gaps(folder, model, report)
    headers = read_headers(folder.weights, folder.id)
    plain = plain_names(headers)
    check_leftovers(folder, model, report, {plain[name]: header for name, header in headers.items()})
    return model.eval()


def load_writer(loaded: LoadedModel) -> Any:
    """An encoder–decoder with the head that chooses the tokens it writes; its weights once more in memory.

    Raises: ModelError when there are no weights for the head.
    """
    from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING, GenerationConfig

    folder, config = loaded.folder, loaded.model.config
    assert folder is not None
    shown = f"Model {folder.id}"
    wanted = "give the texts that it should write as a column of the corpus, by --target"
    headers = read_headers(folder.weights, folder.id)
    check_memory(folder.id, sum(header.size for header in headers.values()))
    # transformers 5 ties T5's head to its embeddings where there is none, whatever config.json says.
    untied = folder.config.get("tie_word_embeddings") is False and not any("lm_head" in name for name in headers)
    try:
        with quiet():
            model, report = from_tensors(MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING[type(config)], folder, config)
            if (folder.path / "generation_config.json").is_file():
                model.generation_config = GenerationConfig.from_pretrained(folder.path, local_files_only=True)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{shown} cannot be made to write ({first_line(error)}): {wanted}.") from error
    gaps = sorted(key for key in report["missing_keys"] if not key.endswith("final_logits_bias"))
    gaps += ["lm_head.weight"] if untied else []
    if gaps:
        raise ModelError(f"{shown} holds no weights that choose what it writes ({gaps[0][:80]}): {wanted}.")
    return model.to(loaded.device).eval()


def first_line(error: BaseException) -> str:
    """The gist of a library's error: its first line, short."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 160 else text[:157] + "…"


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' load reports and progress bars: what matters is checked and said by us."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
