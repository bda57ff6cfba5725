"""Options and arguments that several commands share, and how a command gets its connection."""

from dataclasses import dataclass
from typing import Annotated

import typer

from common.domain.errors import InvalidInput
from common.domain.ids import checked_name
from cronctl.client import Api
from cronctl.completion import complete_job
from cronctl.contexts import environment, find_connection
from cronctl.output import Format


@dataclass(frozen=True, slots=True)
class Target:
    """What the flags before the command say about where to connect."""

    api: str | None = None
    token: str | None = None
    context: str | None = None

    def connect(self) -> Api:
        """The API to talk to; see `contexts.find_connection` for what it raises."""
        connection = find_connection(environment(), api=self.api, token=self.token, context=self.context)
        return Api(connection)


@dataclass(frozen=True, slots=True)
class JobRef:
    """A job as it was typed: `name`, `namespace/name`, or `name` with --namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def job_ref(typed: str, namespace: str | None) -> JobRef:
    """
    Read the job's name.

    Raises:
        InvalidInput: It cannot be a name, or two different namespaces were given.
    """
    head, slash, tail = typed.partition("/")
    if slash and namespace is not None and namespace != head:
        raise InvalidInput(f"{typed!r} names the namespace {head!r}, and --namespace says {namespace!r}")
    found = JobRef(head, tail) if slash else JobRef(namespace or "default", typed)
    for part in (found.namespace, found.name):
        try:
            checked_name(part)
        except ValueError as error:
            raise InvalidInput(f"{part!r} is not a name: it {error}") from None
    return found


def connect(context: typer.Context) -> Api:
    """The connection the flags and the environment ask for."""
    target = context.find_object(Target)
    return (target or Target()).connect()


Output = Annotated[Format, typer.Option("-o", "--output", help="How to print the result.")]
JobArgument = Annotated[
    str,
    typer.Argument(metavar="JOB", help="Name of the job, or namespace/name.", autocompletion=complete_job),
]
NamespaceOption = Annotated[
    str | None, typer.Option("-n", "--namespace", help="Namespace of the job; 'default' unless given.")
]
