"""Generated records and public names: plain ``attrs`` values that load when they are first used."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

import attrs
import pytest

import zeyos_async.zeyos as public
from codegen.__main__ import ROOT
from zeyos_async.codes import Code
from zeyos_async.errors import InvalidArgument
from zeyos_async.records import EMPTY, Record
from zeyos_async.schema import Entity
from zeyos_async.services.zeyos import _generated
from zeyos_async.services.zeyos._generated.client_attributes import Entities
from zeyos_async.zeyos import Account, AccountType, AccountVisibility, FeedServer, Link, Ticket, Transaction

RECORDS = [_generated.record_class(name) for name in _generated.ENTITIES]


def loaded_modules(code: str) -> set[str]:
    """Names of our modules that a fresh process has loaded after running the code."""
    script = f"import sys\n{code}\nprint(*(name for name in sys.modules if name.startswith('zeyos_async')))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_fields_come_in_the_order_of_the_api(record: type[Record]) -> None:
    """The API's fields, then what records carry beside them, then the ETag and what is not known."""
    entity = record.__entity__
    own = [name for name, has in (("extdata", entity.extdata), ("tags", entity.tags)) if has]
    names = [field.name for field in attrs.fields(record)]
    assert names == [*(field.attr for field in entity), *own, record.__etag__, "extra"]
    values = list(range(len(names)))
    assert [getattr(record(*values), name) for name in names] == values


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_a_new_record_is_empty(record: type[Record]) -> None:
    """All is absent, and the mapping of unknown fields is shared and can't be written to."""
    new: Any = record()
    assert new.extra is EMPTY
    assert all(getattr(new, field.name) is None for field in attrs.fields(record) if field.name != "extra")
    assert repr(new) == f"{record.__name__}()"
    assert not hasattr(new, "__dict__")


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_annotations_can_be_resolved(record: type[Record]) -> None:
    """Decoders find the types of all fields at run time; coded fields are their enum."""
    types = {field.name: field.type for field in attrs.fields(attrs.resolve_types(record))}
    for field in record.__entity__:
        if any((field.codes or {}).values()):
            (code,) = [part for part in types[field.attr].__args__ if part is not type(None)]
            assert issubclass(code, Code)
            assert {member.value: member.name for member in code}.items() <= (field.codes or {}).items()
        else:
            assert types[field.attr] is not None


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_records_pickle_and_copy(record: type[Record]) -> None:
    """What comes back is equal, and still shares the empty mapping."""
    make: Any = record
    value = make(7, **{record.__etag__: '"x"'})
    for other in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value)):
        assert other == value
        assert getattr(other, record.__etag__) == '"x"'
        assert other.extra is EMPTY


def test_records_are_equal_by_value() -> None:
    """The ETag does not count, everything else does, the class too."""
    assert Account(1, lastname="Doe", etag="a") == Account(1, lastname="Doe", etag="b")
    assert Account(1, lastname="Doe") != Account(1, lastname="Roe")
    assert Account(1, extra={"new": 1}) != Account(1)
    assert Account(1, extra={}) == Account(1)
    assert Account(1) != Ticket(1)  # type: ignore[comparison-overlap]


def test_repr_has_what_is_set_and_no_password() -> None:
    """A repr fits on a line, and may be logged."""
    assert repr(Account(ID=7, type=AccountType.CUSTOMER)) == "Account(ID=7, type=<AccountType.CUSTOMER: 1>)"
    assert repr(Link(ID=7, password="s3cret")) == "Link(ID=7, password='…')"
    assert repr(Account(extra={"new": 1})) == "Account(extra={'new': 1})"


def test_an_etag_gives_way_to_a_field_of_that_name() -> None:
    """``feedservers`` has a field ``etag``; ours gets an underscore there."""
    server = FeedServer(etag="of the feed", etag_="of the record")
    assert (server.etag, server.etag_, FeedServer.__etag__) == ("of the feed", "of the record", "etag_")
    assert Account.__etag__ == "etag"


def test_coded_fields_compare_with_their_enum() -> None:
    """A number of the server's equals the member, and the member the number."""
    account = Account(type=AccountType(1), visibility=AccountVisibility(42))
    assert account.type == AccountType.CUSTOMER
    assert Account(type=AccountType(1)).type == 1
    assert account.visibility == 42


def test_times_are_datetimes_or_numbers() -> None:
    """Nothing converts on the way in: what the decoder gives is what is kept."""
    now = datetime.now(UTC)
    assert Account(creationdate=now).creationdate is now


def test_the_empty_mapping() -> None:
    """It is a mapping of nothing, equal to an empty dict."""
    assert dict(EMPTY) == {}
    assert EMPTY == {}
    assert repr(EMPTY) == "{}"
    assert "a" not in EMPTY
    with pytest.raises(KeyError):
        EMPTY["a"]
    with pytest.raises(TypeError):
        EMPTY["a"] = 1  # type: ignore[index]


def test_fields_for_conditions() -> None:
    """``Account.f`` leads to fields, of referenced records too; instances have it as well."""
    assert str(Account.f.lastname == "Doe") == str(Account().f.lastname == "Doe")
    assert "contact.city" in str(Account.f.contact.city == "Berlin")


def test_public_names_are_complete() -> None:
    """All record classes and enums, sorted; each is what its name says."""
    assert public.__all__ == sorted(public.__all__) == sorted(_generated.PUBLIC) == dir(public)
    for name in public.__all__:
        value = getattr(public, name)
        assert value.__name__ == name
        assert issubclass(value, Record | IntEnum)
    assert {record.__name__ for record in RECORDS} <= set(public.__all__)


def test_a_misspelt_public_name() -> None:
    """The closest names are offered."""
    with pytest.raises(AttributeError, match=r"no 'Acount'. Did you mean 'Account'"):
        getattr(public, "Acount")  # noqa: B009
    with pytest.raises(ImportError):
        exec("from zeyos_async.zeyos import Acount")


def test_a_misspelt_entity() -> None:
    """So for entities."""
    with pytest.raises(InvalidArgument, match=r"no entity 'acounts'. Did you mean 'accounts'"):
        _generated.load("acounts")


def test_entities_are_loaded_once() -> None:
    """The same table each time, so that tables can be compared by identity."""
    assert _generated.entity("accounts") is Account.__entity__
    assert isinstance(Account.__entity__, Entity)
    related = Transaction.__entity__.related
    assert related is not None
    assert related("accounts") is Account.__entity__


def test_importing_the_names_loads_no_entity() -> None:
    """Programs pay for the entities that they use."""
    modules = loaded_modules("import zeyos_async.zeyos")
    assert not [name for name in modules if "._generated." in name]
    modules = loaded_modules("from zeyos_async.zeyos import Account")
    assert [name for name in modules if "._generated." in name] == [
        "zeyos_async.services.zeyos._generated.accounts"
    ]


def test_importing_a_table_loads_no_client() -> None:
    """Emulators read the tables; they must not share code with the clients that they test."""
    modules = loaded_modules("from zeyos_async.services.zeyos._generated import entity; entity('accounts')")
    assert not [name for name in modules if "resources" in name or "session" in name or "filters" in name]


def test_client_attributes_exist_for_type_checkers_only() -> None:
    """At run time the client makes its resources itself."""
    assert not [name for name in vars(Entities) if not name.startswith("_")]
