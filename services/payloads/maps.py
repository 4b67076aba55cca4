"""Maps by the names that stand in URLs: the atlas's own, those of a scale variant, small maps of one head."""

from pathlib import Path

from services.alignment.head_maps import ConstantMaps
from services.alignment.variants import scale_variant
from services.atlas import Atlas, ProjectionRef
from services.atlas.layouts import frames
from services.atlas.schema import ProjectionInfo, StreamInfo
from services.payloads.scene import chunk_of, projection_key


def find_map(
    atlas: Atlas, stream: StreamInfo, name: str, key: str, folder: Path
) -> tuple[Atlas, ProjectionInfo] | None:
    """A map of all heads and the atlas to read it from: this one, or for `umap_norms2d` its variant by the norms.

    None where there is none of that name, or none of that key; key: `projection_key` · folder: of the variants' maps.
    """
    own = atlas.info.projection(name, stream.name)
    if own is not None and projection_key(own) == key:
        return atlas, own
    try:
        scale = ProjectionRef.parse(name).scale
    except KeyError:
        return None
    variant = scale_variant(atlas, stream, scale, folder) if scale else None
    found = variant.info.projection(name, stream.name) if variant else None
    if variant is None or found is None or projection_key(found) != key or not variant.ready(found):
        return None
    return variant, found


def constants_chunk(
    atlas: Atlas, stream: StreamInfo, name: str, key: str, chunk: int, folder: Path, whole: bool = False
) -> bytes | None:
    """As `scene.positions`, of the small maps of one head at the study's constants; None when the name is of none.

    Raises:
        IndexError, KeyError: there is no such head or chunk, or the map has not been made yet.
    """
    try:
        maps = ConstantMaps.parse(name)
    except KeyError:
        return None
    if maps.layer >= stream.layers or maps.head >= stream.heads or maps.key(atlas, stream) != key:
        raise KeyError(name)
    layout = maps.read(atlas, stream, folder)
    return chunk_of(layout, frames(layout, whole), chunk)
