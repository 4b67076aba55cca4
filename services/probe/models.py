"""The model of an atlas: whether it is at hand, and the models that stay loaded between two probes."""

import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.atlas import Atlas
from services.errors import ProbeError
from services.models.files import HUB_ID
from services.models.packaged import PACKAGED, PackagedModel, is_installed
from services.streams.registry import CONTENT

if TYPE_CHECKING:
    from services.models.loading import LoadedModel
    from services.models.predictor import Predictor

BUILD = "build.json"  # the journal of the build, which knows what the model was called
MOST_BYTES = 2**30  # of the weights of all models that stay loaded; the last one stays whatever its size


def why_not(atlas: Atlas, models: Path) -> str | None:
    """Why the atlas's model cannot be run here, in one line; None when it seems to be at hand.

    A look at folders that costs nothing: nothing is hashed, loaded or fetched. models: `Settings.model_folder`.
    """
    known, name = _packaged(atlas), atlas.info.model.id
    if known is not None:
        if is_installed(known):
            return None
        return f"Its model is not installed here: run '{known.install}'."
    folder = _folder(atlas, models)
    if folder is not None:
        if folder.is_dir():
            return None
        return (
            f"Its model was a local folder: put it, or a link to it, as {folder.name} into the folder of models"
            " (ATLAS_MODELS, or models below ATLAS_HOME)."
        )
    if HUB_ID.fullmatch(name) and _in_hub_cache(name):
        return None
    return f"Its model {name} is not on this machine: run 'hf download {name}' once."


def _packaged(atlas: Atlas) -> PackagedModel | None:
    """The packaged model with which an atlas was built; the same from the hub has another revision."""
    model = atlas.info.model
    own = model.revision.startswith("sha256:")
    return next((one for one in PACKAGED if own and model.id == one.id), None)


def _folder(atlas: Atlas, models: Path) -> Path | None:
    """Where a model that was a local folder is looked for; its name is an atlas's, so that it is no path."""
    if not atlas.info.model.revision.startswith("sha256:"):
        return None
    name = Path(atlas.info.model.id).name
    return models / (name if name not in ("", "..") and name.isprintable() else "model")


def _in_hub_cache(name: str) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    return (Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}").is_dir()


def _request(atlas: Atlas) -> dict[str, Any]:
    """What the build was asked for beside its model; an atlas may have come from anyone."""
    try:
        request = json.loads((atlas.path / BUILD).read_text(encoding="utf-8")).get("request", {})
    except (OSError, ValueError, AttributeError, RecursionError):
        request = {}
    request = request if isinstance(request, dict) else {}
    tokenizer, limit = request.get("tokenizer"), request.get("max_tokens")
    return {
        "tokenizer": tokenizer if isinstance(tokenizer, str) else None,
        "library_code": request.get("library_code") is True,
        "max_tokens": limit if isinstance(limit, int) else None,
    }


class WarmModels:
    """Models that were loaded, those used last; for one thread of one process."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._loaded: OrderedDict[tuple[Any, ...], LoadedModel] = OrderedDict()
        self._checked: set[str] = set()
        self._predictors: dict[int, Predictor | None] = {}  # by the id of the model, which lives as long

    def of(self, atlas: Atlas, models: Path, tell: Callable[[str], None]) -> "LoadedModel":
        """The atlas's model, held against what the atlas has stored when it is new. tell: what is being done.

        Raises:
            ProbeError: it is not at hand, or another one is there under its name.
            ModelError: it cannot be loaded.
        """
        reason = why_not(atlas, models)
        if reason is not None:
            raise ProbeError(reason)
        model, request = atlas.info.model, _request(atlas)
        place = (model.id, model.revision, request["tokenizer"], request["library_code"])
        if place not in self._loaded:
            tell("Loading the model")
            self._loaded[place] = self._load(atlas, models, request)
            self._make_room()
        self._loaded.move_to_end(place)
        loaded = self._loaded[place]
        if atlas.info.key not in self._checked:
            tell("Comparing the model with the atlas")
            from services.probe.seen import check_same

            check_same(atlas, loaded)
            self._checked.add(atlas.info.key)
        return loaded

    def predictor(self, loaded: "LoadedModel") -> "Predictor | None":
        """A model that was given out, with the head that predicts tokens; None where it has none.

        Raises:
            ModelError: its weights cannot be read.
        """
        from services.models.predictor import load_predictor

        if id(loaded) not in self._predictors:
            self._predictors[id(loaded)] = load_predictor(loaded)
        return self._predictors[id(loaded)]

    def _load(self, atlas: Atlas, models: Path, request: dict[str, Any]) -> "LoadedModel":
        from services.capture import load_model

        known, folder, model = _packaged(atlas), _folder(atlas, models), atlas.info.model
        name = known.name if known else str(folder) if folder else model.id
        tokenizer = request["tokenizer"]
        if tokenizer is not None and not (HUB_ID.fullmatch(tokenizer) and not Path(tokenizer).exists()):
            raise ProbeError("Its tokenizer was that of another local folder, which is not looked for here.")
        return load_model(
            name,
            revision=model.revision,
            offline=True,
            tokenizer=tokenizer,
            library_code=request["library_code"],
            reads=atlas.info.modality,
            content=any(stream.kind == CONTENT for stream in atlas.info.streams),
        )

    def _make_room(self) -> None:
        def held() -> int:
            return sum(4 * loaded.info.parameters for loaded in self._loaded.values())

        while len(self._loaded) > 1 and held() > self._most_bytes:
            _, gone = self._loaded.popitem(last=False)
            self._predictors.pop(id(gone), None)
