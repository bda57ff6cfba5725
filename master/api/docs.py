"""The API's own manual at `/docs`: a small page that reads `/openapi.json`, without anything from elsewhere.

Swagger's page needs a download from a foreign host or megabytes of scripts; this one shows the same document
in a hundred lines that the content security policy lets pass.
"""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response
from starlette.responses import FileResponse

router = APIRouter(include_in_schema=False)

_PAGE: Final = Path(__file__).parent / "manual"


@router.get("/docs")
async def page() -> Response:
    """The page."""
    return FileResponse(_PAGE / "manual.html", media_type="text/html")


@router.get("/docs/manual.js")
async def script() -> Response:
    """What fills it."""
    return FileResponse(_PAGE / "manual.js", media_type="text/javascript")


@router.get("/docs/manual.css")
async def style() -> Response:
    """How it looks."""
    return FileResponse(_PAGE / "manual.css", media_type="text/css")
