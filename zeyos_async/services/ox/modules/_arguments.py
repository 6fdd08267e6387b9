"""Arguments of the hand-written modules' methods, as the calls take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....errors import InvalidArgument
from ._list_backend import ListingRequest

__all__ = ["drop_none", "sort_arguments", "to_folder_list"]


def drop_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not ``None``."""
    return {name: value for name, value in values.items() if value is not None}


def sort_arguments(request: ListingRequest) -> Any:
    """Return ``sort`` and ``order`` of a call, if the query has an order."""
    return drop_none({"sort": request.sort, "order": request.order})


def to_folder_list(folder: str | None, folders: Iterable[str] | None) -> list[str] | None:
    """Return the folders that are named by ``folder=`` or by ``folders=``.

    Raises:
        InvalidArgument: Both are given, or ``folders`` is a text or empty.
    """
    if folder is not None and folders is not None:
        raise InvalidArgument("give folder= for one folder, or folders= for several, not both")
    if folder is not None:
        return [str(folder)]
    if folders is None:
        return None
    if isinstance(folders, str) or not (ids := [str(item) for item in folders]):
        raise InvalidArgument(f"folders= takes a list of IDs, not {folders!r}; for one folder use folder=")
    return ids
