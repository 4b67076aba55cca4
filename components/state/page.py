"""What a page shows: all its stores, read once from its address."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Self

from dash import dcc
from pydantic import BaseModel, ConfigDict, Field

from components.state.declare import Choice, OneOf, Parsed, Store
from components.state.link import Link
from services.atlas import Atlas
from services.atlas.library import Library


class PageState(BaseModel):
    """Base: a page's stores are the fields of its class, read in their order.

    path: of the page, below the prefix. dropped: a sentence for each parameter of the link that could not be followed.
    """

    model_config = ConfigDict(frozen=True)
    path: ClassVar[str]
    dropped: tuple[str, ...] = ()

    @classmethod
    def stores(cls) -> dict[str, type[Store]]:
        """The page's stores by the name of their field."""
        return _stores(cls)

    @classmethod
    def parameters(cls) -> dict[str, dict[str, Choice]]:
        """Every parameter of the page's links, each with the fields it is about."""
        return {name: fields for store in cls.stores().values() for name, fields in store.parameters().items()}

    @classmethod
    def from_query(cls, query: Mapping[str, Any], atlas: Atlas) -> Self:
        """The nearest valid state of a link to an atlas."""
        return cls._read(Link(query, cls.parameters()), atlas)

    @classmethod
    def open(cls, query: Mapping[str, Any], library: Library) -> tuple[Atlas, Self] | None:
        """The atlas that a link names, else the first, and the nearest valid state; None while there is no atlas."""
        link = Link(query, cls.parameters())
        atlas = library.get(link.text("atlas")) or library.first()
        return (atlas, cls._read(link, atlas)) if atlas else None

    @classmethod
    def _read(cls, link: Link, atlas: Atlas) -> Self:
        link.atlas = atlas
        for name, store in cls.stores().items():
            link.stores[name] = store.read(link)
        return cls(**link.stores, dropped=tuple(link.dropped))

    def components(self) -> list[dcc.Store]:
        """The stores, for the page's layout."""
        held = [getattr(self, name) for name, store in self.stores().items() if store.property == "data"]
        return [dcc.Store(id=store.id, data=store.to_store()) for store in held]


@cache
def _stores(page: type[PageState]) -> dict[str, type[Store]]:
    kinds = {name: field.annotation for name, field in page.model_fields.items()}
    return {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, Store)}


def _atlas_here(link: Link, _default: Any) -> str:
    if "atlas" in link and link.text("atlas") != link.atlas.slug:
        link.drop(f"There is no readable atlas {link.shown('atlas', 64)}; showing {link.atlas.info.title}.")
    return link.atlas.slug


AtlasSlug = Annotated[str | None, Field(max_length=64), Parsed(by=_atlas_here, always=True)]
StreamName = Annotated[
    str,
    Field(max_length=32),
    OneOf(
        values=lambda link: [stream.name for stream in link.atlas.info.streams],
        default=lambda link: link.atlas.info.default_stream.name,
        sentence="There is no attention {value} in this atlas; showing {instead}.",
        always=True,
    ),
]
