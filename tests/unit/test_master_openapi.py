"""The description of the API: committed, complete, and true to the models."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from master.api import examples
from master.api.openapi import text_of
from master.app import ROUTERS, describe

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
ROUTES = {
    route.name: route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
}
OPERATIONS = [
    pytest.param(f"{method.upper()} {path}", operation, id=f"{method.upper()} {path}")
    for path, methods in describe()["paths"].items()
    for method, operation in methods.items()
]


def test_committed_document_is_current():
    """What the code says; `python -m master.api.openapi > docs/openapi.json` renews it."""
    assert COMMITTED.read_text() == text_of(describe())


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_operation_is_described(name: str, operation: dict[str, Any]):
    """Every operation has a summary, a description, an example of its answer and its error answers."""
    answers = operation["responses"]
    good = next(answer for status, answer in answers.items() if status.startswith("2"))
    has_example = any("example" in content for content in good.get("content", {}).values())
    needs_token = operation.get("security") != []
    expected_errors = {"401", "403", "422", "503"} if needs_token else set()

    assert operation["summary"]
    assert operation["description"]
    assert has_example or "204" in answers
    assert expected_errors <= set(answers)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_error_answers_are_problems(name: str, operation: dict[str, Any]):
    """Each error answer is `application/problem+json` with the one model, and nothing else."""
    schemas = [
        {kind: content.get("schema") for kind, content in answer["content"].items()}
        for status, answer in operation["responses"].items()
        if status.startswith("4")
    ]

    assert [
        {"application/problem+json": {"$ref": "#/components/schemas/Problem"}} for _ in schemas
    ] == schemas


@pytest.mark.parametrize("name", sorted(examples.ANSWERS))
def test_example_fits_its_model(name: str):
    """What the document shows as an answer is one, with every field that is always sent."""
    model = TypeAdapter(ROUTES[name].response_model)
    read = model.validate_python(examples.ANSWERS[name])

    assert model.dump_python(read) == model.dump_python(read, exclude_unset=True)


def test_every_json_operation_has_an_example():
    """No operation with a model goes without."""
    with_model = {name for name, route in ROUTES.items() if route.response_model is not None}

    assert with_model == set(examples.ANSWERS)
