"""The parameters of one address, as anyone may have written them, while they are read against an atlas."""

from collections.abc import Collection, Mapping
from typing import Any

from services.atlas import Atlas
from services.atlas.schema import StreamInfo


class Link:
    """Each parameter once, as a string; a sentence for everything that was dropped; what has been read so far.

    atlas: what the link is read against, set before the first choice is read. other: the second one of a page of two.
    stores: what has been read so far, by store; found: the fields of the store being read. Later choices depend on
    earlier ones.
    """

    atlas: Atlas
    other: Atlas | None = None

    def __init__(self, query: Mapping[str, Any], parameters: Collection[str]) -> None:
        self.dropped: list[str] = []
        self.stores: dict[str, Any] = {}
        self.found: dict[str, Any] = {}
        self._values: dict[str, str] = {}
        for name, value in query.items():
            if isinstance(value, list | tuple):
                if name in parameters:
                    self.drop(f"{name} is given {len(value)} times; only the first counts.")
                value = value[0] if value else ""
            self._values[name] = str(value).encode("utf-8", "replace").decode()  # half a character: a question mark

    def __contains__(self, parameter: str) -> bool:
        return parameter in self._values

    def text(self, parameter: str) -> str | None:
        """The parameter's value; None when the link does not name it."""
        return self._values.get(parameter)

    def integer(self, parameter: str) -> int | None:
        """The integer that the parameter's value is, if it is a small one."""
        return integer(self._values.get(parameter))

    def shown(self, parameter: str, length: int = 40) -> str:
        """The value as a sentence quotes it."""
        text = self._values.get(parameter)
        return repr(text if text is None else text[:length])

    def drop(self, sentence: str) -> None:
        self.dropped.append(sentence)

    def forget(self, *parameters: str) -> None:
        """Read on as if the link did not name them."""
        for parameter in parameters:
            self._values.pop(parameter, None)

    @property
    def stream(self) -> StreamInfo:
        """The stream that the link names, else the atlas's first."""
        return self.atlas.info.stream(self._values.get("stream", "")) or self.atlas.info.default_stream


def integer(text: Any) -> int | None:
    """The integer that a text of anyone's is, if it is a small one."""
    try:
        number = int(str(text))
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None
