"""The client: its articles as queries, and a few calls."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar, Unpack

import attrs
import msgspec
from yarl import URL

from zeyos_async.auth import AuthBackend
from zeyos_async.codec import DecodeFailed, Page, RowReader
from zeyos_async.errors import ServerError
from zeyos_async.filters import Condition, Constant, Expression, normalize
from zeyos_async.pagination import PageSize
from zeyos_async.schema import Entity
from zeyos_async.services.base import CountedPage, ListFeatures, PageWindow, Query, QueryPlan
from zeyos_async.services.base.client import ApiClient, parse_base_url
from zeyos_async.services.base.options import ClientOptions
from zeyos_async.services.base.pagers.base import Pager
from zeyos_async.services.base.pagers.choose import choose_pager
from zeyos_async.services.base.plan import Reading
from zeyos_async.services.base.row_types import DictRows
from zeyos_async.session import Channel, Timeout
from zeyos_async.wire import Request, Response, Safety, public_url

from .filters import ARTICLES, to_inventory

R = TypeVar("R")
FEATURES = ListFeatures(
    id_field="id", by_id=False, has_totals=True, max_order_fields=1, query_methods=frozenset()
)
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class Inventory(ApiClient):
    """A client of one warehouse."""

    def __init__(
        self, base_url: str | URL, *, auth: AuthBackend | None = None, **options: Unpack[ClientOptions]
    ) -> None:
        url = parse_base_url(base_url, subject="the warehouse", example="https://stock.example.com/v1")
        super().__init__(url, auth=auth, options=options)
        self.lists = ArticleLists(self._channel, url / "articles" / "search")

    def articles(self) -> Query[dict[str, Any]]:
        """Return a query over all articles."""
        rows = DictRows(tuple((name, name) for name in ARTICLES.fields))
        return Query(self.lists, QueryPlan(entity=ARTICLES, columns=rows.columns(ARTICLES)), rows)

    def where(self, *conditions: Condition) -> Query[dict[str, Any]]:
        """Return a query over articles."""
        return self.articles().where(*conditions)

    async def get(self, id: int) -> dict[str, Any]:
        """Fetch one article."""
        return self._read(await self.request("GET", f"articles/{id}"), id)

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Make an article."""
        return self._read(await self.request("POST", "articles", json=fields), None)

    def _read(self, response: Response, id: int | None) -> dict[str, Any]:
        try:
            article = response.json()
            if isinstance(article["id"], int) and id in (None, article["id"]):
                return dict(article)
        except (ValueError, KeyError, TypeError):
            pass
        raise ServerError(
            f"an article was asked for, and {response.text!r:.80} came",
            status=response.status,
            url=public_url(response.url),
        )


@attrs.define(eq=False)
class ArticleLists:
    """The lists of articles, whose pages have totals."""

    channel: Channel
    url: URL
    entity: Entity = ARTICLES
    features: ListFeatures = FEATURES
    page_size: PageSize = attrs.field(factory=PageSize)
    refused_paths: Collection[str] = ()

    @property
    def timeout(self) -> Timeout:
        return self.channel.timeout

    async def send(
        self, request: Request, *, retry_overload: bool = True, timeout: Timeout | None = None
    ) -> Response:
        return await self.channel.send(request, timeout=timeout)

    def compile(self, where: Expression) -> tuple[Expression, dict[str, Any]]:
        normal = normalize(where, ARTICLES)
        return normal, {} if isinstance(normal, Constant) else to_inventory(normal)

    def pager(self, reading: Reading[R]) -> Pager[R]:
        return choose_pager(self, reading)

    def page_request(self, plan: QueryPlan, window: PageWindow) -> Request:
        body: dict[str, Any] = {
            "where": plan.compiled or {},
            "limit": window.limit,
            "offset": window.offset,
        }
        for term in window.order:
            body |= {"order": term.path, "descending": term.descending}
        return self._request(body)

    def count_request(self, plan: QueryPlan, *, up_to_id: int | None = None) -> Request:
        return self._request({"where": plan.compiled or {}, "limit": 1, "offset": 0})

    def read_count(self, response: Response) -> int:
        return _unwrap(response.body)[1]

    def wrap_reader(self, plan: QueryPlan, reader: RowReader[R]) -> RowReader[R]:
        return _Reader(reader)

    def describe_body(self, request: Request) -> Any:
        return msgspec.json.decode(request.content or b"null")

    def _request(self, body: dict[str, Any]) -> Request:
        return Request(
            method="POST",
            url=self.url,
            headers=JSON,
            body=msgspec.json.encode(body),
            safety=Safety.READ,
            operation="articles.search",
        )


def _unwrap(body: bytes) -> tuple[list[Any], int]:
    try:
        answer = msgspec.json.decode(body)
        return list(answer["articles"]), int(answer["total"])
    except (msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise DecodeFailed(f"no page of articles: {error}") from error


@attrs.frozen
class _Reader:
    inner: RowReader[Any]

    def page(self, body: bytes) -> Page[Any]:
        articles, total = _unwrap(body)
        page = self.inner.page(msgspec.json.encode(articles))
        return CountedPage(page.rows, page.ids, total)
