"""The options for the rows of a command, and their application to a query."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import attrs
import click
from click.shell_completion import CompletionItem

from ..services.base.query import Query
from .param_types import Selection, complete_paths, parse_selection, split_terms

__all__ = ["QueryOptions", "apply_options", "filter_options", "query_options"]


@attrs.frozen(kw_only=True)
class QueryOptions:
    """The options of a command line about its rows, as they were given.

    Every attribute is the option of that name; ``apply_options`` says it to a query.
    """

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
        """The chosen columns, key → path; empty for full records."""
        return parse_selection(self.select)


def apply_options(
    base_query: Query[Any], options: QueryOptions, *, selection: Selection | None = None
) -> Query[Any]:
    """Return the query narrowed and ordered by the options of a command line.

    Args:
        base_query: The query for all rows.
        options: The options.
        selection: Columns in place of those of the options.
    """
    query = base_query.where(*options.where)
    if options.search is not None:
        query = query.search(options.search)
    if options.order_by:
        query = query.order_by(*split_terms(options.order_by))
    if options.offset:
        query = query.offset(options.offset)
    if options.limit is not None:
        query = query.limit(options.limit)
    if options.distinct:
        query = query.distinct()
    if options.expand:
        query = query.expand(*split_terms(options.expand))
    if options.extdata:
        query = query.with_extdata()
    if options.page_size is not None:
        query = query.paging(size=options.page_size)
    columns = options.selection if selection is None else selection
    # As keywords: positional fields would come first, and columns would lose the order of the command line.
    return query.select(**columns) if columns else query


def _complete_paths(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    # While an option's value is completed, click has not parsed the arguments yet; the entity is still a
    # plain word of the command line.
    api = ctx.params.get("api") or "zeyos"
    words = [ctx.params.get("entity"), *ctx.args]
    paths = [path for word in words if word for path in complete_paths(api, word, incomplete)]
    return [CompletionItem(text) for text in dict.fromkeys(paths)]


_WHERE: Final = click.option(
    "--where",
    multiple=True,
    metavar="CONDITION",
    help="Only rows that meet this condition, such as \"visibility == 0 and contact.city == 'Ulm'\". If repeated, all "
    "conditions must be met.",
)
_SEARCH: Final = click.option(
    "--search", metavar="TEXT", help="Only rows that the server's full-text search finds for TEXT."
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
        help="The columns to show, such as ID,lastname,town=contact.city.",
    ),
    click.option(
        "--order-by",
        multiple=True,
        metavar="FIELDS",
        shell_complete=_complete_paths,
        help="Sort by these fields; a minus before a field sorts it in descending order.",
    ),
    click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show at most N rows."),
    click.option(
        "--offset", type=click.IntRange(min=0), default=0, metavar="N", help="Skip the first N rows."
    ),
    click.option("--distinct", is_flag=True, help="Show equal rows only once."),
    click.option(
        "--expand", multiple=True, metavar="FIELDS", help="Include the content of these composite fields."
    ),
    click.option("--extdata", is_flag=True, help="Include the fields that the instance defines itself."),
    click.option(
        "--page-size",
        type=click.IntRange(1, 10_000),
        metavar="N",
        help="The number of rows for each request.",
    ),
)


def _add_options(command: Callable[..., Any], decorators: tuple[Any, ...], names: tuple[str, ...]) -> Any:
    @functools.wraps(command)
    def wrapper(**values: Any) -> Any:
        return command(options=QueryOptions(**{name: values.pop(name) for name in names}), **values)

    decorated: Any = wrapper
    # Decorators apply from the inside out; reversed, the help lists the options in their order here.
    for decorator in reversed(decorators):
        decorated = decorator(decorated)
    return decorated


def query_options(command: Callable[..., Any]) -> Any:
    """Add all options about rows; the command takes them as ``options``."""
    return _add_options(command, _QUERY, tuple(field.name for field in attrs.fields(QueryOptions)))


def filter_options(command: Callable[..., Any]) -> Any:
    """Add only the options that filter rows; the command takes them as ``options``."""
    return _add_options(command, _FILTERS, ("where", "search"))
