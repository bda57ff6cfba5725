"""A transaction whose answer got lost, brought to a known end.

Only for transactions that compare what they replace: sent again, such a transaction either does its work or
finds that its first sending did.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from common.domain.errors import OutcomeUnknown
from common.kv.port import KeyValueStore
from common.kv.values import Compare, Put, TxnResult

log = structlog.get_logger()

SENDINGS: Final = 3


async def write_once(
    store: KeyValueStore,
    *,
    compares: Sequence[Compare],
    puts: Sequence[Put] = (),
    deletes: Sequence[str] = (),
    reads: Sequence[str],
    sendings: int = SENDINGS,
) -> tuple[TxnResult, bool]:
    """
    Send the transaction until it is known what became of it, *sendings* times at most.

    Returns:
        The last answer, and whether an earlier sending may have succeeded: then a refusal can be the echo of
        our own write, and the caller compares what it reads with what it wrote.

    Raises:
        OutcomeUnknown: No answer came at all. The write may still have been made.
        StoreUnavailable: It surely was not.
    """
    for sending in range(1, sendings + 1):
        try:
            result = await store.txn(compares=compares, puts=puts, deletes=deletes, reads=reads)
        except OutcomeUnknown as error:
            log.warning("write.unknown", sending=sending, reason=str(error))
            if sending == sendings:
                raise OutcomeUnknown(
                    "etcd did not answer: the change may or may not have been made; look before repeating it",
                    store="etcd",
                ) from error
        else:
            return result, sending > 1
    raise AssertionError("unreachable")
