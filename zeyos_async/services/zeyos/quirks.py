"""The points that ZeyOS's documents leave open, with the answer that real servers give, in one place.

For an instance that behaves differently, use ``Zeyos(…, quirks=Quirks(…))``.
"""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Quirks"]


@attrs.frozen(kw_only=True)
class Quirks:
    """The forms of parameters that the documents give in two ways, or not at all.

    Attributes:
        filters: Name of the filter parameter of a list. The formal list of parameters says
            ``filter``; the prose and real clients say ``filters``, and instances are known that take
            ``filter`` and answer rows that are not filtered.
        expand: The form in which a GET lists the fields to expand: ``expand[]=a&expand[]=b`` (as PHP reads lists),
            ``expand=a&expand=b``, or ``expand=a,b``.
    """

    filters: str = "filters"
    expand: Literal["brackets", "repeat", "comma"] = "brackets"

    def expand_query(self, paths: list[str]) -> list[tuple[str, str]]:
        """Return the query parameters that ask for these fields to be expanded."""
        if self.expand == "comma":
            return [("expand", ",".join(paths))] if paths else []
        name = "expand[]" if self.expand == "brackets" else "expand"
        return [(name, path) for path in paths]
