"""Kinds of input. A new one is a class that keeps services.modalities.contract.Modality, and one entry of MODALITIES.

Nothing here imports torch before a model runs: the dashboard asks for previews.
"""

from collections.abc import Mapping
from typing import Any

from services.modalities.contract import Modality
from services.modalities.images.modality import ImageModality
from services.modalities.text.modality import TextModality

MODALITIES: tuple[Modality, ...] = (TextModality(), ImageModality())
DEFAULT = MODALITIES[0].name


def modality_named(name: str) -> Modality:
    """A modality of MODALITIES.

    Raises:
        KeyError: there is none of that name.
    """
    for modality in MODALITIES:
        if modality.name == name:
            return modality
    raise KeyError(name)


def modality_reading(main_input: str) -> Modality | None:
    """The modality whose models call their input so; None when there is none."""
    return next((modality for modality in MODALITIES if modality.main_input == main_input), None)


def modality_of(config: Mapping[str, Any]) -> Modality:
    """What models of a configuration (their config.json) read, as far as it tells; text where it does not."""
    return next((modality for modality in MODALITIES if modality.reads(config)), MODALITIES[0])
