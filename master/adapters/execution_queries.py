"""What lists of executions ask of MongoDB: filters, the walk through an index, and where a page begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from common.domain.records import Document
from common.mongo.schema import BY_END, RARE_CAUSES, RARE_STATUSES
from master.ports import ExecutionFilter, ExecutionKey, ExecutionOrder

#: More than clocks of hosts and starts ahead of time ever differ.
_CLOCKS_APART: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One page of a list: a condition, an order, and the index to walk where the server shall not choose."""

    condition: Document
    order: list[tuple[str, int]]
    index: str | None


def list_query(where: ExecutionFilter, order: ExecutionOrder, after: ExecutionKey | None) -> ListQuery:
    """The executions of *where* in *order*, behind *after*."""
    direction = DESCENDING if order.is_descending else ASCENDING
    condition = condition_of(where)
    is_by_end = order.field == "finished_at"
    if is_by_end:
        # Documents without the field would sort before (or behind) all others.
        condition["finished_at"] = {"$type": "date"}
        if where.since is not None:
            # Nothing ends before it is due, give or take clocks: so the walk by end need not go there.
            condition["finished_at"] |= {"$gte": where.since - _CLOCKS_APART}
    if after is not None:
        condition = {"$and": [condition, _behind(order, after)]}
    index = BY_END if is_by_end and not _is_narrow(where) else None
    return ListQuery(condition, [(order.field, direction), ("_id", direction)], index)


def _is_narrow(where: ExecutionFilter) -> bool:
    """
    Whether a filter leads to few executions by an index of its own.

    Where none does, the server would by itself take the index of the times they were due, read all of them
    and sort: for a list by their end that is all of history. The index by end carries that time as well, so
    what was due too late is passed over there without being read.
    """
    return any((where.job, where.uid, where.worker, where.statuses, where.causes))


def condition_of(where: ExecutionFilter) -> Document:
    """*where* as a query."""
    condition: Document = {
        name: value for name in ("uid", "job", "worker") if (value := getattr(where, name)) is not None
    }
    if where.namespaces is not None:
        condition["namespace"] = _one_of(where.namespaces)
    parts = []
    if where.statuses:
        parts.append(_any("status", [status.value for status in where.statuses], RARE_STATUSES))
    if where.causes:
        parts.append(_any("cause", [cause.value for cause in where.causes], RARE_CAUSES))
    for part in parts:
        both = condition.get("$and", []) + part.get("$and", [])
        condition |= part | ({"$and": both} if both else {})
    scheduled = within(where.since, where.until)
    if scheduled:
        condition["scheduled_at"] = scheduled
    return condition


def rare_ones(field: str, values: Sequence[str], rare: Sequence[str]) -> Document:
    """
    *field* has one of *values*, all of them among *rare*, for which there is a partial index.

    The server does not see by itself that an `$in` lies within the index's own condition, and would walk
    through everything by time instead: so that condition is said as well.
    """
    return {"$and": [{field: {"$in": list(rare)}}, {field: {"$in": list(values)}}]}


def _any(field: str, values: Sequence[str], rare: Sequence[str]) -> Document:
    if len(values) > 1 and all(value in rare for value in values):
        return rare_ones(field, values, rare)
    return {field: _one_of(values)}


def _one_of(values: Sequence[str]) -> object:
    return values[0] if len(values) == 1 else {"$in": list(values)}


def within(first: object, before: object) -> dict[str, object]:
    bounds = {"$gte": first, "$lt": before}
    return {operator: bound for operator, bound in bounds.items() if bound is not None}


def _behind(order: ExecutionOrder, key: ExecutionKey) -> Mapping[str, Any]:
    operator = "$lt" if order.is_descending else "$gt"
    return {
        "$or": [
            {order.field: {operator: key.at}},
            {order.field: key.at, "_id": {operator: key.id}},
        ]
    }
