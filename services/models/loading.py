"""Load a Hugging Face model safely.

Safely: weights only as safetensors, never code from the model's repository, the revision recorded. torch and
transformers are imported when a model is loaded and not before, so that the web process can check a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.atlas.schema import ModelInfo, StreamInfo
from services.errors import ModelError
from services.models.files import ModelFolder, check_memory, find_model
from services.models.memory import is_out_of_memory

LONGEST = 2**20  # stands for "no limit known" in the numbers tokenizers give
# Why models that many will try are refused; the others get the general reason.
ALIBI = "it adds a penalty for distance (ALiBi) to q·k inside its own code"
ROTARY = "its own attention code gives no queries and keys as they are dotted"
REASONS = {
    "big_bird": "it attends in sparse blocks, not token to token",
    "bigbird_pegasus": "it attends in sparse blocks, not token to token",
    "bloom": ALIBI,
    "codegen": ROTARY,
    "deberta": "its scores mix content and position vectors (disentangled attention) and are not one q·k",
    "deberta-v2": "its scores mix content and position vectors (disentangled attention) and are not one q·k",
    "esm": ROTARY,
    "falcon": ROTARY,
    "funnel": "it shortens the input between layers",
    "gpt_neo": "its own attention code, global and local layers in turn, is not supported",
    "gptj": ROTARY,
    "longformer": "it attends within local windows, with separate queries and keys for global tokens",
    "mamba": "it has no attention",
    "mamba2": "it has no attention",
    "mpnet": "it adds a position bias to q·k inside its own code",
    "mpt": ALIBI,
    "reformer": "it attends within hashed buckets, and queries are its keys",
    "rwkv": "it has no attention",
    "xlnet": "its scores add terms for relative position to q·k inside its own code",
}


@dataclass
class LoadedModel:
    """A model ready to be captured: eval mode, float32, on `device`; `max_tokens` is the longest input."""

    model: Any
    tokenizer: Any
    info: ModelInfo
    streams: tuple[StreamInfo, ...]
    max_tokens: int
    device: str


def read_model(name: str, *, revision: str | None = None, device: str = "cpu", offline: bool = False) -> LoadedModel:
    """Read model `name`: "minilm" (in the package, no network), a hub id, or a local folder.

    Its streams are not known yet: services.capture.load_model looks at what its layers do.
    `revision`: branch, tag or commit of a hub model; for a folder the hash an atlas has recorded. `offline`
    reads only what the hub's cache holds. ModelError, one line that names the model and says what to do, when
    it cannot be found, or loaded without running foreign code.
    """
    folder = find_model(name, revision=revision, offline=offline)
    torch_device = _device(device, folder.id)
    with quiet():
        config = _config(folder)
        model_class = _model_class(folder, config)
        _refuse_too_large(folder, config, model_class)
        model = _model(folder, config, model_class, torch_device)
        tokenizer = _tokenizer(folder)
    info = ModelInfo(
        id=folder.id,
        revision=folder.revision,
        architecture=type(model).__name__,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        tokenizer=type(tokenizer).__name__,
    )
    return LoadedModel(model, tokenizer, info, (), _max_tokens(model, tokenizer), device)


def _device(device: str, name: str) -> Any:
    import torch

    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"Model {name}: there is no device {device!r} here: use 'cpu'.") from error
    return found


def _config(folder: ModelFolder) -> Any:
    """The model's configuration, after what its file alone says has been looked at."""
    from transformers import AutoConfig, __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    kind = folder.config.get("model_type")
    if not isinstance(kind, str) or not kind:
        raise ModelError(f"Model {folder.id}: config.json names no model_type; save it again with save_pretrained.")
    if kind not in CONFIG_MAPPING:
        if folder.config.get("auto_map"):
            raise ModelError(
                f"Model {folder.id} needs code from its own repository, which is never run here:"
                " choose a model that transformers knows itself."
            )
        raise ModelError(f"Model {folder.id} is of type {kind[:60]!r}, which transformers {__version__} does not know.")
    if folder.config.get("quantization_config"):
        raise ModelError(f"Model {folder.id} has quantised weights: choose its full-precision version.")
    if folder.config.get("is_encoder_decoder"):
        raise ModelError(f"Model {folder.id} ({kind}) is an encoder–decoder, which is not supported yet.")
    try:
        config = AutoConfig.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # whatever a strange config.json makes transformers raise
        raise ModelError(
            f"Model {folder.id}: transformers does not accept its config.json ({first_line(error)})."
        ) from error
    # A config.json may name attention code to be fetched from the hub and run: never here.
    config._attn_implementation = "eager"
    return config


def _model_class(folder: ModelFolder, config: Any) -> Any:
    """The class of the bare model (no head on top), if its attention can be captured."""
    from transformers import MODEL_MAPPING, __version__

    kind = config.model_type
    cannot = f"Model {folder.id} ({kind}) cannot be captured:"
    if config.is_encoder_decoder:  # some types are so whatever the file says
        raise ModelError(f"Model {folder.id} ({kind}) is an encoder–decoder, which is not supported yet.")
    if kind in REASONS:
        raise ModelError(f"{cannot} {REASONS[kind]}.")
    if type(config) not in MODEL_MAPPING:
        raise ModelError(f"{cannot} transformers has no plain model class for it.")
    model_class = MODEL_MAPPING[type(config)]
    if isinstance(model_class, tuple | list):
        model_class = model_class[0]
    if any(getattr(config, part, None) is not None for part in config.sub_configs):
        raise ModelError(f"{cannot} it joins several networks, and only text models are supported yet.")
    if model_class.main_input_name != "input_ids":
        raise ModelError(f"{cannot} it reads {model_class.main_input_name}, and only text models are supported yet.")
    if not model_class._can_set_attn_implementation():
        raise ModelError(
            f"{cannot} its code in transformers {__version__} does not pass its attention through AttentionInterface."
        )
    return model_class


def _refuse_too_large(folder: ModelFolder, config: Any, model_class: Any) -> None:
    """Look at the weights' headers and the configuration before any memory is taken: damage, then size."""
    import torch
    from safetensors import SafetensorError, safe_open

    numbers = 0
    for file in folder.weights:
        try:
            with safe_open(file, framework="pt") as tensors:
                for key in tensors.keys():  # noqa: SIM118 - not a dict
                    size = 1
                    for length in tensors.get_slice(key).get_shape():
                        size *= length
                    numbers += size
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"Model {folder.id}: the weight file {file.name} is damaged or cut short; get it again."
            ) from error
    try:
        with torch.device("meta"):
            described = sum(parameter.numel() for parameter in model_class(config).parameters())
    except Exception as error:  # sizes that do not fit together
        raise ModelError(
            f"Model {folder.id}: its config.json describes no possible model ({first_line(error)})."
        ) from error
    check_memory(folder.id, max(numbers, described))


def _model(folder: ModelFolder, config: Any, model_class: Any, device: Any) -> Any:
    import torch

    try:
        model, report = model_class.from_pretrained(
            folder.path,
            config=config,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            attn_implementation="eager",
            output_loading_info=True,
        )
        model = model.to(device)
    except Exception as error:
        if is_out_of_memory(error):
            raise ModelError(f"Model {folder.id} does not fit into memory: choose a smaller model.") from error
        raise ModelError(f"Model {folder.id}: its weights cannot be loaded ({first_line(error)}).") from error
    # transformers fills gaps with random numbers; only the pooler, behind all attention, may be one.
    gaps = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if gaps:
        raise ModelError(
            f"Model {folder.id}: {len(gaps)} of its weights are missing in the files, {gaps[0]} for one;"
            " get the whole model again."
        )
    return model.eval()


def _tokenizer(folder: ModelFolder) -> Any:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder.path, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # each tokenizer library has its own
        raise ModelError(f"Model {folder.id}: its tokenizer cannot be read ({first_line(error)}).") from error
    if not tokenizer.is_fast:
        raise ModelError(
            f"Model {folder.id}: its tokenizer {type(tokenizer).__name__} does not tell where tokens are"
            " in the text (it has no fast version)."
        )
    return tokenizer


def _max_tokens(model: Any, tokenizer: Any) -> int:
    """The longest input: the least of what configuration, tokenizer and position table allow."""
    limits = [getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length]
    for name, module in model.named_modules():
        # RoBERTa's table has a row for padding, and positions start behind it.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    return int(min([limit for limit in limits if isinstance(limit, int) and limit > 0], default=LONGEST))


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
