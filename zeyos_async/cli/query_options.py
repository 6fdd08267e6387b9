"""The options that say which rows, and the query that they make."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import attrs
import click
from click.shell_completion import CompletionItem

from ..services.base.query import Query
from ..services.zeyos._generated import ENTITIES
from .param_types import Selection, complete_paths, parse_selection, split_terms

__all__ = ["QueryOptions", "apply_options", "filter_options", "query_options"]


@attrs.frozen(kw_only=True)
class QueryOptions:
    """What a command line asks for."""

    where: tuple[str, ...] = ()
    search: str | None = None
    select: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    offset: int = 0
    distinct: bool = False
    expand: tuple[str, ...] = ()
    extdata: bool = False
    page_size: int | None = None

    @property
    def selection(self) -> Selection:
        """Key → path of the chosen columns; empty for full records."""
        return parse_selection(self.select)


def apply_options(
    everything: Query[Any], asked: QueryOptions, *, selection: Selection | None = None
) -> Query[Any]:
    """The query for what a command line asks for.

    Args:
        everything: The query for all rows.
        asked: The options.
        selection: Columns in place of those that were asked for.
    """
    query = everything.where(*asked.where)
    if asked.search is not None:
        query = query.search(asked.search)
    if asked.order_by:
        query = query.order_by(*split_terms(asked.order_by))
    if asked.offset:
        query = query.offset(asked.offset)
    if asked.limit is not None:
        query = query.limit(asked.limit)
    if asked.distinct:
        query = query.distinct()
    if asked.expand:
        query = query.expand(*split_terms(asked.expand))
    if asked.extdata:
        query = query.with_extdata()
    if asked.page_size is not None:
        query = query.paging(size=asked.page_size)
    columns = asked.selection if selection is None else selection
    # As keywords, so that the columns keep the order of the command line.
    return query.select(**columns) if columns else query


def _complete_paths(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    # Behind an option without its value, click has not come to the arguments yet.
    entity = ctx.params.get("entity") or next((arg for arg in ctx.args if arg in ENTITIES), "")
    return [CompletionItem(text) for text in complete_paths(entity, incomplete)]


_WHERE: Final = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only rows for which this holds: \"visibility == 0 and contact.city == 'Ulm'\". Repeated: all of them hold.",
)
_SEARCH: Final = click.option(
    "--search", metavar="TEXT", help="Only rows that the server's full-text search finds."
)
_FILTERS: Final = (_WHERE, _SEARCH)
_QUERY: Final = (
    *_FILTERS,
    click.option(
        "--select",
        "--columns",
        "select",
        multiple=True,
        metavar="FIELDS",
        shell_complete=_complete_paths,
        help="The columns: ID,lastname,town=contact.city.",
    ),
    click.option(
        "--order-by",
        multiple=True,
        metavar="FIELDS",
        shell_complete=_complete_paths,
        help="Sort by these; -field descends.",
    ),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows."),
    click.option(
        "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Leave out the first N rows."
    ),
    click.option("--distinct", is_flag=True, help="Equal rows once."),
    click.option(
        "--expand", multiple=True, metavar="FIELDS", help="Give the content of these composite fields."
    ),
    click.option("--extdata", is_flag=True, help="Full records with the instance's own fields."),
    click.option(
        "--page-size", type=click.IntRange(1, 10_000), metavar="N", help="Rows per request, 1 to 10000."
    ),
)


def _add_options(command: Callable[..., Any], options: tuple[Any, ...], names: tuple[str, ...]) -> Any:
    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        return command(asked=QueryOptions(**{name: values.pop(name) for name in names}), **values)

    decorated: Any = wrapper
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def query_options(command: Callable[..., Any]) -> Any:
    """Adds all options about rows; the command takes them as ``asked``."""
    return _add_options(command, _QUERY, tuple(field.name for field in attrs.fields(QueryOptions)))


def filter_options(command: Callable[..., Any]) -> Any:
    """Adds the options that narrow the rows; the command takes them as ``asked``."""
    return _add_options(command, _FILTERS, ("where", "search"))
