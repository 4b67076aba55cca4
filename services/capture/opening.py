"""A model from its name to what can be captured: loaded, tried once, and its streams described."""

from dataclasses import replace

from services.capture.streams import describe_streams
from services.errors import ModelError
from services.models.loading import LoadedModel, first_line, quiet, read_model

TRIAL_TEXT = "The cat sat on the mat because it was tired."


def load_model(name: str, *, revision: str | None = None, device: str = "cpu", offline: bool = False) -> LoadedModel:
    """`services.models.loading.read_model`, and the model's streams of attention from a trial run.

    Raises:
        ModelError: it cannot be found, loaded without running foreign code, or captured; one line that names the
            model and says what to do.
    """
    loaded = read_model(name, revision=revision, device=device, offline=offline)
    with quiet():
        return replace(loaded, streams=_streams(loaded))


def _streams(loaded: LoadedModel) -> tuple:
    model, name = loaded.model, loaded.info.id
    ids = loaded.tokenizer(TRIAL_TEXT).input_ids[: min(8, loaded.max_tokens)]
    known = model.get_input_embeddings().num_embeddings
    if len(ids) < 2 or max(ids) >= known:
        raise ModelError(
            f"Model {name}: its tokenizer makes {len(ids)} tokens of a plain sentence, the largest"
            f" number {max(ids, default=0)} of {known}: tokenizer and model do not belong together."
        )
    try:
        return describe_streams(model, ids, name)
    except ModelError:
        raise
    except Exception as error:  # code of many architectures runs here for the first time
        raise ModelError(
            f"Model {name} ({loaded.info.architecture}) cannot be captured: a trial run failed ({first_line(error)})."
        ) from error
