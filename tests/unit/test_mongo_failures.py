"""What people get to read when MongoDB refuses or cannot be reached."""

import pytest
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from common.mongo.client import unavailable

REFUSED = (
    "127.0.0.1:1: [Errno 111] Connect call failed ('127.0.0.1', 1) "
    "(configured timeouts: socketTimeoutMS: 3000.0ms, connectTimeoutMS: 3000.0ms)"
)
TOPOLOGY = ", Timeout: 3.0s, Topology Description: <TopologyDescription id: 1, servers: []>"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(
            ServerSelectionTimeoutError(REFUSED + TOPOLOGY),
            "MongoDB: 127.0.0.1:1: [Errno 111] Connect call failed ('127.0.0.1', 1)",
            id="nobody listens",
        ),
        pytest.param(
            ServerSelectionTimeoutError(f"{REFUSED},{REFUSED}{TOPOLOGY}"),
            "MongoDB: 127.0.0.1:1: [Errno 111] Connect call failed ('127.0.0.1', 1),"
            "127.0.0.1:1: [Errno 111] Connect call failed ('127.0.0.1', 1)",
            id="two servers, nobody listens",
        ),
        pytest.param(
            OperationFailure("Authentication failed.", 18, {"ok": 0.0, "codeName": "AuthenticationFailed"}),
            "MongoDB: Authentication failed.",
            id="refused with a document",
        ),
        pytest.param(PyMongoError(), "MongoDB: PyMongoError", id="no word at all"),
    ],
)
def test_the_reason_is_whole_and_nothing_else(error, expected):
    """Address and reason stay; the driver's settings, its topology and the server's document go."""
    assert expected == str(unavailable(error))
