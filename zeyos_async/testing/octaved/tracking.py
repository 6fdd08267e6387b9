"""Time tracking records: what they refer to, and the price categories of their work packages."""

from __future__ import annotations

from typing import Any, Final

from .refusals import Refusal
from .store import Row, Store

__all__ = ["prepare_record", "switch_categories"]

_REFERENCES: Final = ("work_packages", "sub_work_packages")


def prepare_record(store: Store, values: Row, row: Row | None) -> None:
    """Fill in what follows from the given fields.

    Raises:
        Refusal: 400 or 409, for a reference that can't be tracked on.
    """
    for billing, work in (("billingStart", "workTimeStart"), ("billingEnd", "workTimeEnd")):
        # The document has billing times default to the work's, a patch included.
        if values.get(work) is not None and values.get(billing) is None:
            values[billing] = values[work]
    reference = values.get("referenceNode") or values.get("workPackage")
    if reference is None:
        return
    node_entry = store.node(reference)
    if node_entry is None or node_entry[0] not in _REFERENCES:
        name = "referenceNode" if values.get("referenceNode") else "workPackage"
        raise _refuse(name, "must be a work package or sub work package")
    values["referenceNode"] = reference
    _check_trackable(store, node_entry, values, row)


def _check_trackable(store: Store, node_entry: tuple[str, Row], values: Row, row: Row | None) -> None:
    resource, node = node_entry
    package = store.find_nearest(node, "work_packages")
    assert package is not None  # a sub work package hangs below one
    values["workPackage"] = package["id"]
    if node["isLocked"] or package["isLocked"]:
        raise Refusal(409, "the work package is locked for time tracking")
    allowed = package["timeTrackingReferenceNodeType"]
    if allowed not in ("any", "subWorkPackages" if resource == "sub_work_packages" else "workPackages"):
        raise _refuse("referenceNode", f"time is tracked on {allowed} only")
    category = values.get("priceCategory", row["priceCategory"] if row else None)
    if package["usePriceCategoryPerTimeTracking"] and category is None:
        raise _refuse("priceCategory", "is required by this work package")


def _refuse(field: str, message: str) -> Refusal:
    return Refusal(400, "the body does not fit the schema", fields={field: message})


def switch_categories(store: Store, package: Row, values: dict[str, Any]) -> None:
    """Give or take the price categories of a package's records, where that setting is patched.

    Raises:
        Refusal: 400, if the billing type is not billed by the hour.
    """
    switched = values.get("usePriceCategoryPerTimeTracking")
    if switched is None or switched == package["usePriceCategoryPerTimeTracking"]:
        return
    billing_type = str(values.get("billingType", package["billingType"]))
    if switched and not billing_type.startswith("effort"):
        raise _refuse("usePriceCategoryPerTimeTracking", f"is not allowed for {billing_type}")
    category = package["priceCategory"] if switched else None
    for record in store.rows["time_tracking_records"].values():
        if record["workPackage"] == package["id"]:
            record["priceCategory"] = category
