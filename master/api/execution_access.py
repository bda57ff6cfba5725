"""Rights over things that are named by an execution's id: the namespace is known after the look-up only."""

from common.domain.records import Document
from master.api.auth import check_found
from master.api.deps import Services
from master.domain.rights import Principal, Right
from master.services.history import not_found


async def visible_execution(
    services: Services, principal: Principal, right: Right, execution_id: str
) -> Document:
    """
    The stored document of an execution the principal has *right* over.

    Raises:
        ExecutionNotFound: There is none, or the principal may not see its namespace.
        NotAllowed: It may see it, and lacks *right*.
        StoreUnavailable: MongoDB is away, and the execution does not run.
    """
    document = await services.history.document(execution_id)
    check_found(principal, right, document["namespace"], not_found(execution_id))
    return document


async def check_execution(services: Services, principal: Principal, right: Right, execution_id: str) -> None:
    """
    Like `visible_execution`, for who does not need the document.

    Whoever has *right* everywhere is not asked for one: a kill must work while MongoDB is away, also when
    this master has not seen the execution yet.
    """
    if not principal.may(right, None):
        await visible_execution(services, principal, right, execution_id)
