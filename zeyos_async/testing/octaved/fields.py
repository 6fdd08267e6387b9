"""The document's schemas as tables: which fields a resource takes and shows, and how they are bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import attrs

__all__ = ["NODES", "SCHEMAS", "Field", "Schema"]

Kind = Literal[
    "text",
    "flag",
    "integer",
    "number",
    "id",
    "ids",
    "unix",
    "date",
    "object",
    "objects",
    "locations",
    "store",
]


@attrs.frozen(kw_only=True)
class Field:
    """One field of a resource.

    Attributes:
        name: The API's name.
        kind: What its values are.
        max_length: The greatest length of a text; 0 is unbounded.
        choices: The only texts that are allowed.
        required: Whether a create must have it.
        null: Whether it may be null.
        default: What it is where a create does not say.
        write: Where it may be sent: anywhere, in creates only, or nowhere.
        is_shown: Whether records show it.
    """

    name: str
    kind: Kind
    max_length: int = 0
    choices: Sequence[str] = ()
    required: bool = False
    null: bool = False
    default: Any = None
    write: Literal["always", "create", "never"] = "always"
    is_shown: bool = True


@attrs.frozen(kw_only=True)
class Schema:
    """One resource: its fields, and where it hangs in the tree.

    Attributes:
        name: The resource's name in snake case, plural.
        fields: By name, in the document's order.
        node_type: The value of ``nodeType``; ``""`` for what is no node.
        parents: The resources that a parent may be of.
        operations: What the document offers.
        yields: Whether searches may answer objects.
    """

    name: str
    fields: Mapping[str, Field]
    node_type: str = ""
    parents: Sequence[str] = ()
    operations: frozenset[str] = frozenset({"list", "get", "create", "put", "patch", "delete", "search"})
    yields: bool = True


def _text(name: str, max_length: int = 191, **options: Any) -> Field:
    return Field(name=name, kind="text", max_length=max_length, **options)


def _choice(name: str, choices: str, default: str | None = None, **options: Any) -> Field:
    return Field(name=name, kind="text", choices=tuple(choices.split()), default=default, **options)


def _flag(name: str, default: bool = False, **options: Any) -> Field:
    return Field(name=name, kind="flag", default=default, **options)


def _decimal(name: str) -> Field:
    return Field(name=name, kind="number", null=True)


def _id(name: str, **options: Any) -> Field:
    return Field(name=name, kind="id", **options)


def _read(name: str, kind: Kind) -> Field:
    return Field(name=name, kind=kind, null=True, write="never")


def _parent(*, required: bool) -> list[Field]:
    return [_id("parentNodeId", required=required, write="create")]


_SIBLINGS: Final = Field(name="sortedSiblingIds", kind="ids", write="create", is_shown=False)
_NODE: Final = [
    _text("color", 6, default=""),
    Field(name="labels", kind="ids", default=()),
    Field(name="keyValueStore", kind="store", default={}),
    _text("referenceNumber", default=""),
    _text("name", required=True),
]
_STAMPS: Final = [
    _flag("isArchived", write="never"),
    _read("createdOn", "unix"),
    _read("lastChanged", "unix"),
    _read("lastChangedBy", "id"),
    _read("lastChangedOn", "unix"),
    _read("nodeType", "text"),
]
_COMPLETED: Final = [_read("completedBy", "id"), _read("completedOn", "unix")]
_RESPONSIBLE: Final = [
    _flag("definesOwnResponsible"),
    Field(name="responsibleGroups", kind="ids", default=()),
    Field(name="responsibleUsers", kind="ids", default=()),
]
_INHERITED: Final = [attrs.evolve(field, write="never") for field in _RESPONSIBLE]
_DESCRIPTION: Final = _text("description", 5000, default="")
_TIME_CONTROL: Final = Field(name="timeControl", kind="object", null=True)
_PLANNING: Final = Field(name="planningDates", kind="objects", default=(), write="never")
_SORT: Final = Field(name="sortOrder", kind="integer", default=0)
_BILLING_TYPES: Final = "contingent effort effortCap effortEst effortFromTo freeOfCharge fixedPrice"
_EFFORT: Final = [
    _decimal("maxEffort"),
    _decimal("maxPrice"),
    _flag("enforceMaxEffort", True),
    _flag("showMaxEffortInDays", True),
]
_CUSTOMER: Final = [
    _text("customerNumber", default=""),
    _choice("defaultBillingType", _BILLING_TYPES, null=True),
    Field(name="journeyBillingMode", kind="text", null=True),
    _choice("fileExportLanguage", "de en es fr it pt", "de"),
    _flag("isLocked"),
    _flag("isInternal"),
    Field(name="locations", kind="locations", default=()),
    _text("name", required=True),
    _flag("requiresInternalCharge"),
    Field(name="priceCategoryOverrides", kind="object", default={}),
    Field(name="priceSurchargeOverrides", kind="object", default={}),
    _flag("showSignatureFieldInPdfTimeSheets", True),
]
_PROJECT: Final = [
    _DESCRIPTION,
    _id("flowCustomer", required=True),
    _flag("isLocked"),
    _flag("isClosed"),
    _flag("isTemplate"),
    *_EFFORT,
    _choice("status", "open locked template archived", "open"),
    *_RESPONSIBLE,
    _TIME_CONTROL,
    _read("dueDate", "date"),
]
_GROUP: Final = [
    _SIBLINGS,
    _DESCRIPTION,
    *_EFFORT,
    _choice("groupType", "group sprint backlog", "group"),
    _flag("isLocked"),
    _flag("isClosed"),
    _SORT,
    *_RESPONSIBLE,
    _TIME_CONTROL,
    _read("dueDate", "date"),
    _read("flowCustomer", "id"),
    _read("projectId", "id"),
]
_WORK_PACKAGE: Final = [
    _SIBLINGS,
    _DESCRIPTION,
    _choice("billingType", _BILLING_TYPES, "effort"),
    _decimal("effortFrom"),
    _decimal("effortTo"),
    _decimal("fixedPrice"),
    _choice("freeOfChargeReason", "service aquisition warranty", "service"),
    _flag("isCompleted"),
    _flag("isApprovedForBilling"),
    _flag("isLocked"),
    _flag("isClosed"),
    _flag("isOffer"),
    _decimal("maxEffort"),
    _id("priceCategory", null=True),
    Field(name="roleMaxEfforts", kind="objects", default=()),
    _SORT,
    _choice("status", "offer notYetOpen open locked closed", "open"),
    _choice("timeTrackingReferenceNodeType", "any subWorkPackages workPackages", "any"),
    _flag("usePriceCategoryPerTimeTracking"),
    _TIME_CONTROL,
    *_COMPLETED,
    *_INHERITED,
    _PLANNING,
    _read("flowCustomer", "id"),
    _read("projectId", "id"),
]
_SUB_WORK_PACKAGE: Final = [
    _SIBLINGS,
    _DESCRIPTION,
    _flag("isCompleted"),
    _flag("isLocked"),
    _decimal("maxEffort"),
    _id("defaultPriceCategory", null=True),
    _SORT,
    *_COMPLETED,
    *_INHERITED,
    _PLANNING,
    _read("projectId", "id"),
]
_TASK: Final = [
    _SIBLINGS,
    Field(name="assignedUnits", kind="objects", default=()),
    _DESCRIPTION,
    _flag("hasExternalAssignee"),
    _decimal("plannedTime"),
    _SORT,
    _choice("status", "open complete", "open"),
    *_RESPONSIBLE,
    *_COMPLETED,
    _PLANNING,
]
_RECORD: Final = [
    *(
        Field(name=name, kind="unix", null=True)
        for name in ("workTimeStart", "workTimeEnd", "billingStart", "billingEnd")
    ),
    _text("message", 5000, default=""),
    _flag("isJourney"),
    *(_id(name, null=True) for name in ("referenceNode", "workPackage", "priceCategory", "priceSurcharge")),
    _id("user", required=True),
    _read("billedOn", "unix"),
]
_BILLING: Final = [
    _id("projectId", required=True, write="create"),
    Field(name="workPackageIds", kind="ids", required=True, write="create"),
    _text("internalComment", 5000, default="", write="create"),
    _text("publicNote", 5000, default="", write="create"),
    Field(name="interval", kind="text", null=True, write="create"),
    Field(name="intervalFrom", kind="date", null=True, write="create"),
    Field(name="intervalTo", kind="date", null=True, write="create"),
    _read("createdOn", "unix"),
    _read("createdBy", "id"),
    _read("customerId", "id"),
    _read("journeyBillingMode", "text"),
    _read("flatRateJourneyPrice", "number"),
    _read("sums", "object"),
    _read("timeRecordIds", "ids"),
    _read("erpStatus", "text"),
    _read("erpReference", "text"),
    _read("erpMessage", "text"),
]


def _schema(name: str, fields: Sequence[Field], **options: Any) -> Schema:
    table = {"id": _read("id", "id"), **{field.name: field for field in fields}}
    return Schema(name=name, fields=table, **options)


def _node(name: str, node_type: str, parents: str, fields: Sequence[Field] = ()) -> Schema:
    optional = "project_folders" in parents
    every = [*_STAMPS, *_parent(required=not optional), *_NODE, *fields]
    return _schema(name, every, node_type=node_type, parents=tuple(parents.split()))


SCHEMAS: Final[Mapping[str, Schema]] = {
    schema.name: schema
    for schema in (
        _schema("customers", _CUSTOMER, yields=False),
        _node("project_folders", "projectFolder", "project_folders"),
        _node("projects", "project", "project_folders", _PROJECT),
        _node("groups", "group", "projects groups", _GROUP),
        _node("work_packages", "workPackage", "projects groups", _WORK_PACKAGE),
        _node("sub_work_packages", "subWorkPackage", "work_packages", _SUB_WORK_PACKAGE),
        _node("tasks", "task", "work_packages tasks", _TASK),
        _schema("time_tracking_records", _RECORD),
        _schema("billings", _BILLING, operations=frozenset({"list", "get", "create", "put"})),
    )
}
NODES: Final = tuple(name for name, schema in SCHEMAS.items() if schema.node_type)
"""The resources that hang in the one tree."""
