"""Change what a job is: from a file, from flags, or in an editor.

Flags change only what they name when the job exists. Nobody's work is overwritten unseen: an edited job is
saved only if it is still the version that was shown.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from common.domain.errors import CronError, InvalidInput, NotFound
from common.domain.job import JobDefinition
from cronctl.client import Api
from cronctl.options import JobArgument, JobRef, NamespaceOption, Output, connect, job_ref
from cronctl.output import Column, Format, Row, print_rows

_DEFINED: Final = frozenset(JobDefinition.model_fields)
_SAVED_COLUMNS: Final = (
    Column("SAVED", lambda job: f"{job.get('namespace')}/{job.get('name')}"),
    Column("GENERATION", lambda job: job.get("generation")),
    Column("NEXT", lambda job: (job.get("state") or {}).get("next_tick")),
)


class EditorFailed(CronError):
    """The editor did not end well; nothing was saved."""


def save(
    context: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Name of the job, or namespace/name.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("-f", "--file", help="JSON or YAML of one job or several; - is standard input."),
    ] = None,
    namespace: NamespaceOption = None,
    schedule: Annotated[str | None, typer.Option(help="Cron text of 5 or 6 fields, or @every 90s.")] = None,
    command: Annotated[str | None, typer.Option(help="What the shell runs.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA zone of the schedule.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    overlap: Annotated[str | None, typer.Option(help="allow, skip, queue_one or replace.")] = None,
    catch_up: Annotated[str | None, typer.Option(help="none, last or all.")] = None,
    timeout_s: Annotated[int | None, typer.Option("--timeout", help="Seconds; 0 is none.")] = None,
    env: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for the command; repeatable.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="KEY=VALUE of the job; repeatable.")] = None,
    worker: Annotated[list[str] | None, typer.Option(help="Run on this worker only; repeatable.")] = None,
    create: Annotated[bool, typer.Option("--create", help="Refuse if the job exists.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create or change a job, from a file or from flags."""
    flags: Row = {
        "schedule": schedule,
        "command": command,
        "timezone": timezone,
        "description": description,
        "overlap": overlap,
        "catch_up": catch_up,
        "timeout_s": timeout_s,
        "env": _pairs(env, "--env"),
        "labels": _pairs(label, "--label"),
        "target": {"workers": worker} if worker else None,
    }
    given = {field: value for field, value in flags.items() if value is not None}
    if file is None and job is None:
        raise InvalidInput("name a job, or give a file with -f")
    with connect(context) as api:
        if file is None:
            assert job is not None  # noqa: S101 - checked above, for the type checker
            saved = [_save_flags(api, job_ref(job, namespace), given, create=create)]
        else:
            documents = list(read_documents(file))
            if len(documents) > 1 and (job is not None or given):
                raise InvalidInput(f"{file} holds {len(documents)} jobs: a name or other flags fit one only")
            saved = [
                _post(api, _completed(document, job, namespace, given), create=create)
                for document in documents
            ]
    print_rows(saved, _SAVED_COLUMNS, output, name=lambda row: f"{row['namespace']}/{row['name']}", empty="")


def edit(context: typer.Context, job: JobArgument, namespace: NamespaceOption = None) -> None:
    """Change a job in $VISUAL or $EDITOR, as YAML."""
    ref = job_ref(job, namespace)
    with connect(context) as api:
        answer = api.request("GET", f"/job/{ref.name}", params={"namespace": ref.namespace})
        before = yaml.safe_dump(definition_of(answer.body), sort_keys=False, allow_unicode=True)
        after = _in_editor(before, str(ref))
        if after == before:
            print(f"{ref} unchanged")
            return
        draft = Path(tempfile.gettempdir()) / f"everytick-{ref.namespace}-{ref.name}.yaml"
        try:
            document = _one_mapping(after, "the edited text")
            headers = {"If-Match": answer.etag} if answer.etag else {}
            saved = api.post("/job/save", document, headers=headers)
        except CronError as error:
            # What was typed is worth keeping, whatever the API thinks of it.
            _keep(draft, after)
            raise type(error)(f"{error}\nYour text is kept in {draft}") from error
    print(f"{ref} saved, generation {saved.get('generation')}")


def definition_of(job: Row) -> Row:
    """The part of the API's answer that a user writes; fields that say nothing are left out."""
    return {field: value for field, value in job.items() if field in _DEFINED and value is not None}


def read_documents(file: str) -> Iterable[Row]:
    """
    The jobs in *file* (`-` is standard input): a mapping, a list of them, or several YAML documents.

    Raises:
        InvalidInput: It cannot be read or is something else; the message says where.
    """
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except OSError as error:
        raise InvalidInput(f"cannot read {name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{name} is not UTF-8 text") from error
    found: list[Any] = []
    for document in _parsed(text, name):
        found.extend(document if isinstance(document, list) else [document])
    jobs = [job for job in found if job is not None]
    if not jobs:
        raise InvalidInput(f"{name} holds no job")
    for number, job in enumerate(jobs, 1):
        if not isinstance(job, dict):
            raise InvalidInput(f"{name}: job {number} is not a mapping of fields")
    return jobs


def _parsed(text: str, name: str) -> list[Any]:
    if text.lstrip().startswith(("{", "[")):
        try:
            return [json.loads(text)]
        except json.JSONDecodeError as error:
            raise InvalidInput(f"{name}:{error.lineno}:{error.colno}: {error.msg}") from error
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{name}: {error}") from error


def _one_mapping(text: str, name: str) -> Row:
    documents = _parsed(text, name)
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise InvalidInput(f"{name} is not one job")
    return documents[0]


def _completed(document: Row, job: str | None, namespace: str | None, flags: Row) -> Row:
    """The file's job with what the command line says on top; the file alone decides where that is silent."""
    completed = {**document, **flags}
    if namespace is not None:
        completed["namespace"] = namespace
    if job is not None:
        ref = job_ref(job, namespace if namespace is not None else document.get("namespace"))
        completed |= {"namespace": ref.namespace, "name": ref.name}
    return completed


def _save_flags(api: Api, ref: JobRef, given: Row, *, create: bool) -> Row:
    identity = {"namespace": ref.namespace, "name": ref.name}
    if create:
        return _post(api, {**given, **identity}, create=True)
    try:
        answer = api.request("GET", f"/job/{ref.name}", params={"namespace": ref.namespace})
    except NotFound:
        return _post(api, {**given, **identity}, create=True)
    if not given:
        raise InvalidInput(
            f"{ref} exists: say what to change, for example --schedule, or use `cronctl job edit`"
        )
    document = {**definition_of(answer.body), **given}
    headers = {"If-Match": answer.etag} if answer.etag else {}
    return api.post("/job/save", document, headers=headers)


def _post(api: Api, document: Row, *, create: bool) -> Row:
    return api.post("/job/save", document, headers={"If-None-Match": "*"} if create else {})


def _pairs(entries: list[str] | None, flag: str) -> dict[str, str] | None:
    if not entries:
        return None
    pairs = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise InvalidInput(f"{flag} {entry!r} is not NAME=VALUE")
        pairs[name] = value
    return pairs


def _in_editor(text: str, name: str) -> str:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.NamedTemporaryFile("w+", prefix="everytick-", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        try:
            code = subprocess.call([*shlex.split(editor), file.name])
        except OSError as error:
            raise EditorFailed(f"cannot start the editor {editor!r}: {error.strerror}; set EDITOR") from error
        if code != 0:
            raise EditorFailed(f"{editor} ended with exit code {code}; {name} is unchanged")
        # Editors replace the file as often as they write to it: read the path, not our handle.
        return Path(file.name).read_text()


def _keep(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
