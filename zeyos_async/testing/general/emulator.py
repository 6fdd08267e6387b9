"""The General API's emulator: its actions put together, served on a socket, and held by a test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

from ...deprecated import renamed_arguments
from ..answers import Answer, ReceivedRequest, make_json_answer
from ..emulator import Emulator, serve
from ..journal import Journal
from .forms import Forms
from .listing import answer_list
from .models import MODELS, Model, Value
from .refusals import NO_RIGHT, UNKNOWN_MODEL, GeneralRefusal
from .requests import ActionRequest, conceal, read_request
from .server_options import GeneralServerOptions
from .store import Row, Store
from .tokens import GeneralCredentials, TokenBook

if TYPE_CHECKING:
    from zeyos_async.auth import AuthBackend

__all__ = ["GeneralEmulator", "emulate_general", "serve_general"]

_PATH: Final = "/api"
_DEFAULT_ROWS: Final = 7

BetweenPages = Callable[["GeneralEmulator"], Awaitable[None] | None]


class GeneralEmulator(Emulator[GeneralServerOptions, Journal]):
    """A server of the General API in this process.

    Attributes:
        credentials: Who may log in.
        store: The records.
        between_pages: Called after every list that was answered, with the emulator: the place to
            write and delete records while a client pages.
    """

    root = _PATH

    @renamed_arguments(behaviour="server_options")
    def __init__(
        self,
        *,
        rows: Mapping[str, int | Sequence[Mapping[str, Any]]] | None = None,
        seed: int = 0,
        models: Iterable[Model] = MODELS,
        credentials: GeneralCredentials | None = None,
        server_options: GeneralServerOptions | None = None,
    ) -> None:
        self.credentials = credentials or GeneralCredentials()
        # Credentials in bodies are fingerprints in the journal.
        super().__init__(server_options or GeneralServerOptions(), Journal(conceal=conceal), seed=seed)
        self.between_pages: BetweenPages | None = None
        self.store = Store(models)
        self._tokens = TokenBook(self.credentials, now=self.clock.now, seed=seed)
        self._forms = Forms(self.store)
        self._seed_store(rows or {}, seed)

    def _seed_store(self, rows: Mapping[str, int | Sequence[Mapping[str, Any]]], seed: int) -> None:
        if unknown := sorted(rows.keys() - self.store.models.keys()):
            raise ValueError(f"there is no model {unknown[0]!r}; there are {', '.join(self.store.models)}")
        for name, model in self.store.models.items():
            count_or_rows = rows.get(name, _DEFAULT_ROWS)
            if isinstance(count_or_rows, int):
                self.store.seed_rows(model, count_or_rows, seed=seed)
            else:
                for values in count_or_rows:
                    self.insert(name, **values)

    def auth(self, *, kind: Literal["login", "token"] = "login", longlife: bool = False) -> AuthBackend:
        """Return a credential for ``GeneralApi(emulator.url, auth=…)``.

        Args:
            kind: Name and password, or a token that is given out now.
            longlife: Whether it is a token that lives long.
        """
        from zeyos_async.auth import KmdLogin, KmdToken

        who = self.credentials
        key = who.key or None
        if kind == "token":
            return KmdToken(self.token(longlife=longlife), access_type=who.access_type, key=key)
        return KmdLogin(who.kname, who.kpass, access_type=who.access_type, longlife=longlife, key=key)

    def token(self, *, longlife: bool = False) -> str:
        """Issue a good ``kmd``."""
        return self._tokens.issue(self.server_options, longlife=longlife)

    def expire_tokens(self) -> None:
        """Let every token issued so far expire."""
        self._tokens.expire_all()

    def insert(self, model: str, **values: Value) -> int:
        """Store a record without any check, and return its ID; ``intID`` may be given.

        Raises:
            KeyError: There is no such model or field.
        """
        definition = self.store.models[model]
        for name in values:
            definition.by_name[name]
        return self.store.insert(definition, values)

    def update(self, model: str, record: int, **values: Value) -> None:
        """Change a record without any check."""
        self.store.update(self.store.models[model], record, values)

    def delete(self, model: str, record: int) -> None:
        """Remove a record."""
        self.store.delete(self.store.models[model], record)

    def rows(self, model: str) -> list[Row]:
        """Return all records as they are stored, in the order of their creation."""
        return [dict(row) for row in self.store.rows(self.store.models[model])]

    async def answer(self, request: ReceivedRequest, server_options: GeneralServerOptions) -> Answer:
        """Answer one request, with the behaviour that the server options choose."""
        action_request: ActionRequest | None = None
        try:
            path = _strip_prefix(request.path)
            action_request = read_request(request, path, server_options)
            answer = self._run_action(action_request, server_options)
        except GeneralRefusal as refusal:
            return _render_refusal(refusal, action_request, server_options)
        if self.between_pages is not None and action_request.action == "list":
            waiting = self.between_pages(self)
            if inspect.isawaitable(waiting):
                await waiting
        return make_json_answer(answer)

    def _run_action(
        self, action_request: ActionRequest, server_options: GeneralServerOptions
    ) -> dict[str, Any]:
        if action_request.action == "info":
            return _wrap_success({"action": "info"}, {"api": "General API emulator"})
        if action_request.action == "auth":
            kmd = self._tokens.log_in(action_request.body, server_options)
            self.journal.counts["login"] += 1
            return _wrap_success({"action": "auth"}, {"kmd": kmd})
        self._tokens.check(action_request.body, server_options)
        if action_request.action == "rights":
            return _wrap_success({"action": "rights"}, self._list_rights())
        return self._run_model_action(action_request, server_options)

    def _list_rights(self) -> list[dict[str, Any]]:
        models = self.store.models.values()
        return [{"model": model.name, "actions": list(model.actions)} for model in models]

    def _run_model_action(
        self, action_request: ActionRequest, server_options: GeneralServerOptions
    ) -> dict[str, Any]:
        model = self.store.models.get(action_request.model)
        if model is None:
            raise GeneralRefusal(UNKNOWN_MODEL, f"unknown model {action_request.model}")
        if action_request.action not in model.actions:
            raise GeneralRefusal(NO_RIGHT, f"no right to {action_request.action} {action_request.model}")
        about = {"model": model.name, "action": action_request.action}
        match action_request.action:
            case "list":
                return _wrap_success(
                    about, answer_list(action_request.body, model, self.store, server_options)
                )
            case "get":
                return _wrap_success(about, self._forms.get(model, action_request.body, server_options))
            case "delete":
                self._forms.delete(model, action_request.body)
                return _wrap_success(_name_next_action(about, "create"), self._forms.form(model, []))
            case "create":
                ids = self._forms.create(model, action_request.body)
            case _:
                ids = self._forms.update(model, action_request.body, server_options)
        return _wrap_success(_name_next_action(about, "get"), self._forms.form(model, ids))


def _strip_prefix(path: str) -> str:
    if path != _PATH and not path.startswith(f"{_PATH}/"):
        raise GeneralRefusal(UNKNOWN_MODEL, "no such address", http=404)
    return path.removeprefix(_PATH)


def _name_next_action(about: dict[str, str], next_action: str) -> dict[str, str]:
    """Name the action whose form a write answers with, and the write as the previous one."""
    return about | {"action": next_action, "previousAction": about["action"]}


def _wrap_success(about: Mapping[str, str], data: Any) -> dict[str, Any]:
    return {"status": "Success", "statuscode": 0, "msg": "Erfolgreich", **about, "data": data}


def _render_refusal(
    refusal: GeneralRefusal, action_request: ActionRequest | None, server_options: GeneralServerOptions
) -> Answer:
    about = {} if action_request is None else {"model": action_request.model, "action": action_request.action}
    answer = {"status": "Error", "statuscode": refusal.code, "msg": refusal.text, **about}
    return make_json_answer(
        answer | {"data": refusal.fields}, status=refusal.http or server_options.error_status
    )


@renamed_arguments(behaviour="server_options")
@asynccontextmanager
async def emulate_general(
    *,
    rows: Mapping[str, int | Sequence[Mapping[str, Any]]] | None = None,
    seed: int = 0,
    models: Iterable[Model] = MODELS,
    host: str = "127.0.0.1",
    port: int = 0,
    credentials: GeneralCredentials | None = None,
    server_options: GeneralServerOptions | None = None,
) -> AsyncIterator[GeneralEmulator]:
    """Run a server of the General API for the time of an ``async with`` block.

    Args:
        rows: Model → how many records (or the records themselves); the others get a few.
        seed: The same seed gives the same records, tokens and faults.
        models: What models there are.
        host: Where to listen.
        port: 0 is a free one.
        credentials: Who may log in, in place of the emulator's own user.
        server_options: What the document leaves open.

    Raises:
        ValueError: ``rows`` names a model that there is not.
    """
    emulator = GeneralEmulator(
        rows=rows, seed=seed, models=models, credentials=credentials, server_options=server_options
    )
    async with emulator.running(host=host, port=port):
        yield emulator


async def serve_general(
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    rows: Mapping[str, int] | None = None,
    seed: int = 0,
    on_ready: Callable[[GeneralEmulator], None] | None = None,
) -> None:
    """Serve an emulator until cancelled.

    Args:
        host: Where to listen.
        port: 0 is a free one.
        rows: Model → how many records.
        seed: The same seed gives the same records.
        on_ready: Called with the emulator once it listens.

    Raises:
        ValueError: ``rows`` names a model that there is not.
        OSError: The port is taken.
    """
    await serve(emulate_general(rows=rows, seed=seed, host=host, port=port), on_ready)
