"""Billings: which work packages and time tracking records one takes in."""

from __future__ import annotations

import datetime as dt
from typing import Final

from .store import Row, Store

__all__ = ["add_up", "bill", "day_of"]

_EPOCH: Final = dt.date(1970, 1, 1)


def day_of(seconds: int) -> str:
    """Return the day of wall-clock seconds."""
    return (_EPOCH + dt.timedelta(days=seconds // 86_400)).isoformat()


def bill(store: Store, billing: Row) -> None:
    """Attach packages and records to a new billing, and mark the records as billed."""
    project = store.find("projects", billing["projectId"])
    # Packages of another project are left out rather than refused: the document says nothing of them.
    below = {row["id"] for _, row in store.descendants(project["id"])}
    billing["workPackageIds"] = [key for key in billing["workPackageIds"] if key in below]
    records = [row for row in store.rows["time_tracking_records"].values() if _includes(billing, row)]
    for row in records:
        row["billedOn"] = store.now()
    customer = store.rows["customers"].get(project["flowCustomer"], {})
    billing |= {
        "timeRecordIds": [row["id"] for row in records],
        "createdOn": store.now(),
        "createdBy": store.user,
        "customerId": project["flowCustomer"],
        "journeyBillingMode": customer.get("journeyBillingMode") or "flatRate",
        "flatRateJourneyPrice": 0,
        "erpStatus": "none",
    }


def _includes(billing: Row, record: Row) -> bool:
    if record["workPackage"] not in billing["workPackageIds"]:
        return False
    if billing["intervalFrom"] is None and billing["intervalTo"] is None:
        return record["billedOn"] is None
    if record["workTimeStart"] is None:
        return False
    day = day_of(record["workTimeStart"])
    return (billing["intervalFrom"] or "0") <= day <= (billing["intervalTo"] or "9")


def add_up(store: Store, billing: Row) -> Row:
    """Add up the records of a billing, in hours; the document does not say what is summed."""
    rows = [store.rows["time_tracking_records"].get(key) for key in billing["timeRecordIds"]]
    ended = [row for row in rows if row and row["billingStart"] is not None and row["billingEnd"] is not None]
    return {"billedHours": sum(row["billingEnd"] - row["billingStart"] for row in ended) / 3600}
