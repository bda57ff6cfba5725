"""The dashboard's files: built by the front end into `master/static`, served as they are.

Every path that is no file is answered with the page itself, which then shows the right view; a path under
`/api` never is. Files below `/assets/` carry a hash of their content in their name and may be kept for ever.
"""

import mimetypes
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from master.api.errors import problem

STATIC: Final = Path(__file__).parent / "static"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = """<!doctype html><html lang="en"><title>everytick</title>
<h1>The dashboard has not been built</h1>
<p>Run <code>make setup</code>. The API is at <a href="/docs">/docs</a>.</p></html>
"""
# Python's own table depends on the host; browsers refuse scripts of another type (nosniff).
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def dashboard_route(folder: Path = STATIC) -> Route:
    """The route behind all others: the files in *folder*, and the page for everything else."""

    async def serve(request: Request) -> Response:
        path: str = request.path_params["path"]
        if path == "api" or path.startswith("api/"):
            return problem(request.scope, 404, "route_not_found", f"There is nothing at {request.url.path}.")
        file = _file(folder, path)
        if file is not None:
            headers = (
                {"Cache-Control": _FOR_EVER} if path.startswith("assets/") else {"Cache-Control": "no-cache"}
            )
            return FileResponse(file, headers=headers, media_type=_type(file))
        if path.startswith("assets/"):
            return problem(request.scope, 404, "route_not_found", f"There is nothing at {request.url.path}.")
        page = folder / "index.html"
        if not page.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=200 if not path else 404)
        return FileResponse(page, headers={"Cache-Control": "no-cache"}, media_type="text/html")

    return Route("/{path:path}", serve, methods=["GET"], include_in_schema=False)


def _file(folder: Path, path: str) -> Path | None:
    """The file at *path* inside *folder*; None when there is none, or it would be outside."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or any(part.startswith(".") or "\0" in part for part in parts):
        return None
    file = folder.joinpath(*parts)
    return file if file.is_file() and file.resolve().is_relative_to(folder.resolve()) else None


def _type(file: Path) -> str:
    return _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
