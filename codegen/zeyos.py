"""The generator of the ZeyOS tables, records and typed resources."""

from __future__ import annotations


def render() -> dict[str, str]:
    """Path from the project root → text of every generated module of ZeyOS."""
    return {}
