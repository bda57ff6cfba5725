"""Which installation a command talks to, and with which token.

Each of the two is taken from the first that names it: the flag, the environment (`EVERYTICK_API`,
`EVERYTICK_TOKEN`), the context of `cronctl login`, a `cronctl up` that runs on the data directory. A token of
a lower source is never sent to the address of a higher one: it belongs to another installation.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from common.domain.errors import CronError, InvalidInput, NotFound
from cronctl.up_layout import DataDir, default_data_dir, write_atomically

NO_INSTALLATION: Final = (
    "no installation is known: start one here with `cronctl up`, "
    "or name one with --api, EVERYTICK_API or `cronctl login`"
)


class UnknownContext(NotFound):
    """There is no context of that name."""


class NoInstallation(CronError):
    """No address of an API is known."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is and the token for it; *origin* says where the address was found."""

    api: str
    token: str | None
    origin: str


class Context(BaseModel):
    """One installation in the contexts file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]
    token: str


class Contexts(BaseModel):
    """The contexts file: `current` is used unless --context names another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str | None = None
    contexts: dict[str, Context] = {}

    def with_context(self, name: str, context: Context) -> "Contexts":
        """A copy in which *name* is kept and current."""
        return Contexts(current=name, contexts={**self.contexts, name: context})


def contexts_path(env: Mapping[str, str]) -> Path:
    """`everytick/contexts.yaml` below `XDG_CONFIG_HOME` or `~/.config`."""
    xdg = env.get("XDG_CONFIG_HOME", "")
    home = Path(xdg) if xdg.startswith("/") else Path("~/.config").expanduser()
    return home / "everytick" / "contexts.yaml"


def read_contexts(path: Path) -> Contexts:
    """
    Read the contexts; a missing file holds none.

    Raises:
        InvalidInput: The file is not what `cronctl login` writes, or others can read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidInput(f"{path} holds tokens and others can read it: chmod 600 {path}")
        document: Any = yaml.safe_load(path.read_text()) or {}
        return Contexts.model_validate(document)
    except FileNotFoundError:
        return Contexts()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValidationError) as error:
        raise InvalidInput(f"{path} cannot be understood; mend it or delete it and log in again") from error


def write_contexts(path: Path, contexts: Contexts) -> None:
    """Replace the contexts file; readable by its owner only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, yaml.safe_dump(contexts.model_dump(exclude_none=True), sort_keys=True))


def find_connection(
    env: Mapping[str, str], *, api: str | None = None, token: str | None = None, context: str | None = None
) -> Connection:
    """
    Decide where to connect; the arguments are the flags.

    Raises:
        NoInstallation: Nothing names an address.
        UnknownContext: *context* is not in the contexts file.
    """
    named_token = token or env.get("EVERYTICK_TOKEN")
    if named_api := (api or env.get("EVERYTICK_API")):
        root = _root(named_api)
        return Connection(root, named_token or _token_for(root, env), "--api" if api else "EVERYTICK_API")
    kept = _from_contexts(env, context) or _from_data_dir(env)
    if kept is None:
        raise NoInstallation(NO_INSTALLATION)
    return Connection(kept.api, named_token or kept.token, kept.origin)


def _token_for(api: str, env: Mapping[str, str]) -> str | None:
    """The token that is kept for this very address, if one is."""
    kept = [
        context
        for context in read_contexts(contexts_path(env)).contexts.values()
        if _root(context.api) == api
    ]
    if kept:
        return kept[0].token
    running = _from_data_dir(env)
    return running.token if running is not None and running.api == api else None


def _from_contexts(env: Mapping[str, str], name: str | None) -> Connection | None:
    path = contexts_path(env)
    contexts = read_contexts(path)
    chosen = name or env.get("EVERYTICK_CONTEXT") or contexts.current
    if chosen is None:
        return None
    if chosen not in contexts.contexts:
        known = ", ".join(sorted(contexts.contexts)) or "none"
        raise UnknownContext(f"there is no context {chosen!r} in {path} (known: {known})")
    context = contexts.contexts[chosen]
    return Connection(_root(context.api), context.token, f"context {chosen}")


def _from_data_dir(env: Mapping[str, str]) -> Connection | None:
    directory = DataDir(default_data_dir(env))
    addresses = directory.read_addresses()
    if addresses is None or not directory.is_held():
        return None
    try:
        token = directory.admin_token.read_text().strip()
    except OSError:
        return None
    return Connection(_root(addresses.api), token, f"cronctl up in {directory.path}")


def _root(api: str) -> str:
    """The address without the path of the API, however much of it was given."""
    address = api if "://" in api else f"http://{api}"
    return address.rstrip("/").removesuffix("/api/v1").rstrip("/")


def environment() -> Mapping[str, str]:
    """The process's environment; a function so that nothing is read at import time."""
    return os.environ
