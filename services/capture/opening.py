"""A model from its name to what can be captured: loaded, tried once, and its streams described."""

from services.atlas.schema import ModelInfo, StreamInfo
from services.capture.adapters import adapters_for, adapters_of, recording
from services.capture.content import content_streams
from services.capture.refusals import NOT_YET, why_not
from services.capture.run import capture
from services.errors import ModelError
from services.modalities.registry import modality_named, modality_reading
from services.models.authors import check_code, check_direction
from services.models.files import find_model, with_processor_of
from services.models.loading import (
    LoadedModel,
    cannot,
    check_weights,
    first_line,
    load_weights,
    noting_use,
    open_device,
    plain_class,
    quiet,
    read_config,
)
from services.streams.registry import CONTENT, SELF

WHOLE = 0.99  # a row's sum, below which a part of it goes nowhere


def load_model(
    name: str,
    *,
    revision: str | None = None,
    device: str = "cpu",
    offline: bool = False,
    tokenizer: str | None = None,
    library_code: bool = False,
    reads: str | None = None,
    content: bool = False,
) -> LoadedModel:
    """Load model `name`: a packaged one ("minilm", no network), a hub id, or a local folder; with its streams.

    `revision`: branch, tag or commit of a hub model; for a folder the hash an atlas has recorded. `offline`
    reads only what the hub's cache holds. `tokenizer`: of another model, by its name. `library_code`: run
    transformers' own class though the authors ship code of their own; the model's notes then say so. `reads`: of a
    model that joins a network of texts and one of images, which is meant ("text", "image"; None: that of images).
    `content`: also queries and keys before rotation, as streams beside those of attention.

    Raises:
        ModelError: it cannot be found, loaded without running foreign code, or captured; one line that names the
            model and says what to do.
    """
    folder = find_model(name, revision=revision, offline=offline)
    if tokenizer is not None:
        folder = with_processor_of(folder, tokenizer, offline=offline)
    torch_device = open_device(device, folder.id)
    with quiet():
        config, folder = read_config(folder)
        model_class, config = plain_class(folder, config, reads)
        if not adapters_for(config, model_class):
            raise ModelError(f"Model {folder.id} ({config.model_type}) {why_not(config, model_class)}")
        modality = modality_reading(model_class.main_input_name)
        if modality is None:
            raise ModelError(f"{cannot(folder, config)} it reads {model_class.main_input_name}, {NOT_YET}.")
        folder = noting_use(folder, config)
        folder = check_code(folder, model_class, library_code=library_code)
        folder = check_weights(folder, config, model_class)
        processor, notes = modality.load_processor(folder)
        model = load_weights(folder, config, model_class, torch_device)
        info = ModelInfo(
            id=folder.name,
            revision=folder.revision,
            architecture=type(model).__name__,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            tokenizer=getattr(processor, "told", type(processor).__name__),
            notes=(*folder.notes, *notes, *(note for adapter in adapters_of(model) for note in adapter.notes)),
        )
        longest = modality.longest(model, processor)
        loaded = LoadedModel(model, processor, info, (), longest, device, modality.name, folder.used_tokens, folder)
        loaded.streams = _streams(loaded)
        check_direction(folder, loaded.streams, library_code=library_code)
        loaded.info = info.model_copy(update={"notes": (*info.notes, *_sinks(loaded))})
        if content:
            loaded.streams += _content(loaded)
        return loaded


def _streams(loaded: LoadedModel) -> tuple[StreamInfo, ...]:
    """What the adapters of a model see in it."""
    modality = modality_named(loaded.modality)
    item = modality.trial(loaded)
    try:
        arguments = modality.arguments(loaded, [item])
        found = (
            stream
            for adapter in adapters_of(loaded.model)
            for stream in adapter.describe(loaded.model, arguments, item, loaded.info.id)
        )
        return tuple(found)
    except ModelError:
        raise
    except Exception as error:  # code of many architectures runs here for the first time
        raise ModelError(
            f"Model {loaded.info.id} ({loaded.info.architecture}) cannot be captured:"
            f" a trial run failed ({first_line(error)})."
        ) from error


def _content(loaded: LoadedModel) -> tuple[StreamInfo, ...]:
    """Streams of what a rotary model dots as it was before rotation. Raises: ModelError where there is none."""
    modality = modality_named(loaded.modality)
    arguments = modality.arguments(loaded, [modality.trial(loaded)])
    with recording(loaded.model, content=True) as record:
        loaded.model(**arguments)
    return content_streams(loaded.streams, record.calls(SELF), record.calls(CONTENT), loaded.info.id)


def _sinks(loaded: LoadedModel) -> list[str]:
    """What to say of a model whose rows of attention do not add up to 1, as those of GPT-OSS."""
    # Sinks are more than q·k; which tokens a local window takes as global, a trial does not know.
    if not any(stream.additive for stream in loaded.streams) or any(s.mask.kind == "local" for s in loaded.streams):
        return []
    seen = (item.attention for item in capture(loaded, [modality_named(loaded.modality).trial(loaded)]))
    least = min((float(own.sum(axis=-1).min()) for own in seen if own is not None and own.size), default=1.0)
    if least > WHOLE:
        return []
    return [
        f"A part of its attention goes to no token (learned sinks; up to {1 - least:.0%} of a query's in a trial): the"
        " shares of a query's keys add up to less than 1."
    ]
