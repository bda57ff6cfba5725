"""Values nobody is shown: masked on the way out, kept when the mask comes back.

Pure. A client that reads a job, changes its schedule and saves it sends the masks back; they stand for the
values that are stored. A mask with nothing stored behind it is refused, because it would become the value.
"""

from collections.abc import Mapping
from typing import Any, Final

from common.domain.errors import InvalidJob
from common.domain.job import EnvValue, JobDefinition, SecretValue

MASK: Final = "********"


def masked_fields(definition: JobDefinition) -> dict[str, Any]:
    """The fields of *definition* (or of a stored job) as JSON values, secret values masked."""
    fields = definition.model_dump(mode="json")
    for values in (fields["env"], (fields["request"] or {}).get("headers", {})):
        for name, value in values.items():
            if isinstance(value, dict):
                values[name] = {"secret": True, "value": MASK}
    return fields


def with_stored_secrets(sent: JobDefinition, stored: JobDefinition | None) -> JobDefinition:
    """
    *sent*, with the values of *stored* in place of masks.

    Raises:
        InvalidJob: A value is masked and there is none to keep; names the field.
    """
    env = _unmasked(sent.env, stored.env if stored else {}, "env")
    request = sent.request
    if request is not None:
        kept = stored.request.headers if stored and stored.request else {}
        headers = _unmasked(request.headers, kept, "request.headers")
        request = request.model_copy(update={"headers": headers})
    return sent.model_copy(update={"env": env, "request": request})


def _unmasked(
    sent: Mapping[str, EnvValue], stored: Mapping[str, EnvValue], where: str
) -> dict[str, EnvValue]:
    values: dict[str, EnvValue] = {}
    for name, value in sent.items():
        if isinstance(value, SecretValue) and value.value == MASK:
            kept = stored.get(name)
            if not isinstance(kept, SecretValue):
                raise InvalidJob(
                    f"{where}.{name}: {MASK} stands for a stored secret value, and there is none",
                    field=f"{where}.{name}",
                )
            value = kept
        values[name] = value
    return values
