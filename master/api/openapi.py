"""The OpenAPI document, as it is committed in `docs/openapi.json` and served at `/openapi.json`.

`python -m master.api.openapi` prints it.
"""

import json
import sys
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from master.api import examples
from master.api.errors import MEDIA_TYPE

_OPEN: Final = frozenset(
    {
        "/livez",
        "/readyz",
        "/healthz",
        "/api/v1/auth/state",
        "/api/v1/auth/setup",
        "/api/v1/auth/login",
    }
)
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def document(app: FastAPI) -> dict[str, Any]:
    """The description of *app*'s routes; made once."""
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        described["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
            "session": {
                "type": "apiKey",
                "in": "cookie",
                "name": "everytick_session",
                "description": "What signing in gives; changes also need the header `X-CSRF-Token`.",
            },
        }
        described["security"] = [{"token": []}, {"session": []}]
        for path, methods in described["paths"].items():
            for method in _METHODS:
                if method in methods:
                    _complete(path, methods[method])
        app.openapi_schema = _plain_maps(described)
    return app.openapi_schema


def text_of(described: dict[str, Any]) -> str:
    """The document as it stands in the repository."""
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _complete(path: str, operation: dict[str, Any]) -> None:
    if path in _OPEN:
        operation["security"] = []
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        example = examples.ANSWERS.get(operation["operationId"])
        if status.startswith("2") and example is not None and "application/json" in content:
            content["application/json"]["example"] = example
        # FastAPI files every model under the route's own media type.
        if MEDIA_TYPE in content and "application/json" in content:
            content[MEDIA_TYPE]["schema"] = content.pop("application/json")["schema"]


def _plain_maps(node: Any) -> Any:
    """
    Maps with a rule for their keys, as `additionalProperties` with `propertyNames`.

    pydantic writes `patternProperties`, which means the same and which generators of clients do not read.
    """
    if isinstance(node, list):
        return [_plain_maps(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _plain_maps(value) for name, value in node.items()}
    patterns = plain.get("patternProperties")
    if isinstance(patterns, dict) and len(patterns) == 1:
        (pattern, values), *_ = patterns.items()
        del plain["patternProperties"]
        plain |= {"additionalProperties": values, "propertyNames": {"pattern": pattern}}
    return plain


def main() -> None:
    """Print the document."""
    from master.app import describe

    sys.stdout.write(text_of(describe()))


if __name__ == "__main__":
    main()
