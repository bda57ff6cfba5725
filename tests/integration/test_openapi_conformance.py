"""The OpenAPI document against the real application: requests made of it, and answers held against it.

Deterministic and bounded: the same document makes the same requests. The stream of events, which does not
end, is left out. The credential is always the administrator's: rights are tried by `test_rights_walk.py`.
"""

from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from master.app import describe
from tests.integration.api_client import RunningApi

pytestmark = pytest.mark.integration

_EXAMPLES: Final = 6
_LEFT_OUT: Final = {"GET /api/v1/events"}
load_all_checks()
_CHECKS: Final = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
_OPERATIONS: Final = {
    operation.label: operation
    for operation in (found.ok() for found in schemathesis.openapi.from_dict(describe()).get_all_operations())
    if operation.label not in _LEFT_OUT
}


def cases_of(label: str) -> list[Case]:
    """Requests that keep to the document, and requests that do not."""
    cases: list[Case] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @settings(
            max_examples=_EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(_OPERATIONS[label].as_strategy(generation_mode=mode))
        def collect(case: Case) -> None:
            cases.append(case)

        try:
            collect()
        except Exception as error:
            if "Unsatisfiable" not in type(error).__name__ and "skip" not in type(error).__name__.lower():
                raise
    return cases


@pytest.mark.timeout(400)
async def test_every_operation_keeps_to_the_document(api: RunningApi):
    """No 5xx, only documented statuses and media types, and bodies of the documented shape."""
    saved = await api.post("/job/save", {"name": "a", "command": "true"})
    assert saved.status_code == 200
    wrong: dict[str, str] = {}
    asked = 0
    for label in _OPERATIONS:
        for case in cases_of(label):
            asked += 1
            fault = await fault_of(api, case)
            if fault:
                wrong.setdefault(label, fault)

    assert asked > len(_OPERATIONS)
    assert not wrong, "\n".join(f"{label}: {fault}" for label, fault in wrong.items())


async def fault_of(api: RunningApi, case: Case) -> str | None:
    """How the answer to *case* deviates from the document."""
    sent: dict[str, Any] = case.as_transport_kwargs(base_url="http://127.0.0.1")
    method, url = sent.pop("method"), sent.pop("url")
    sent.pop("cookies", None)
    # The token stays that of the administrator: it is not what is tried here.
    sent["headers"] = {
        name: value
        for name, value in sent["headers"].items()
        if name.lower() not in ("authorization", "cookie")
    }
    content = sent.pop("data", None)
    answer = await api.client.request(method, url, content=content, **sent)
    try:
        case.validate_response(answer, checks=_CHECKS)
    except FailureGroup as error:
        # A parameter with a slash, or with nothing in it, makes another address.
        if answer.status_code in (404, 405) and answer.json()["code"] in (
            "route_not_found",
            "method_not_allowed",
        ):
            return None
        return f"{answer.status_code} {method} {url} {error.exceptions[0]!s:.300} {answer.text[:300]}"
    return None
