"""How an atlas of an earlier schema version is read: steps from version to version, on the JSON as it was written.

Files are never changed by reading. A build that adds to an upgraded atlas writes its `atlas.json` and journal anew,
in the present version. To raise the version: count up `SCHEMA_VERSION`, change the schema, and add the step from the
version before to STEPS.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.atlas.schema import SCHEMA_VERSION

# Takes the content of `atlas.json`, or a part of it (the facts of a build's journal), and gives it in the next version.
Step = Callable[[dict[str, Any]], dict[str, Any]]

# version → the step from it to the next; none from version 1, which was never released
STEPS: dict[int, Step] = {}


class TooOldError(ValueError):
    """There is no way from this version to the present one."""


def upgraded(content: Any, to: int = SCHEMA_VERSION, steps: Mapping[int, Step] = STEPS) -> Any:
    """JSON content in version `to`; as it is when it has no version at all, or a newer one.

    Raises:
        TooOldError: no chain of steps leads there.
    """
    version = content.get("schema_version") if isinstance(content, dict) else None
    if type(version) is not int or version < 1:
        return content
    while version < to:
        if version not in steps:
            raise TooOldError(version)
        content = steps[version](content) | {"schema_version": version + 1}
        version += 1
    return content
