"""What the shell offers for a half-typed name: asked of the server, within a moment, silent when it fails."""

from collections.abc import Iterable
from typing import Final

import typer

from common.domain.errors import CronError
from cronctl.client import Api
from cronctl.contexts import contexts_path as path_of_contexts
from cronctl.contexts import environment, find_connection, read_contexts

#: A shell that hangs is worse than one that offers nothing.
_PATIENCE_S: Final = 1.0
_MOST: Final = 100


def complete_job(context: typer.Context, incomplete: str) -> list[str]:
    """Names of jobs; with their namespace once one was typed."""
    namespace, slash, head = incomplete.rpartition("/")
    chosen = namespace or context.params.get("namespace") or "default"
    found = _names(context, "/job/list", "name", namespace=chosen, q=head or None)
    return [f"{chosen}/{name}" if slash else name for name in found if name.startswith(head)]


def complete_worker(context: typer.Context, incomplete: str) -> list[str]:
    """Ids of workers."""
    return [name for name in _names(context, "/worker/list", "id") if name.startswith(incomplete)]


def complete_context(incomplete: str) -> list[str]:
    """Names of contexts that are kept."""
    try:
        kept = read_contexts(path_of_contexts(environment())).contexts
    except CronError:
        return []
    return sorted(name for name in kept if name.startswith(incomplete))


def _names(context: typer.Context, path: str, field: str, **params: object) -> Iterable[str]:
    # The root's callback has not run: its flags are read where they were parsed.
    flags = context.find_root().params
    try:
        connection = find_connection(
            environment(),
            api=flags.get("api"),
            token=flags.get("token"),
            context=flags.get("context_name"),
        )
        with Api(connection, timeout_s=_PATIENCE_S) as api:
            return [str(row[field]) for row in api.get(path, page_size=_MOST, **params)["items"]]
    except CronError:
        return []
