"""From layers to a checked configuration: everything wrong is found, and told at once.

Precedence, key by key: command line, then environment, then file, then defaults. Reads the files it is
pointed at and nothing else; prints nothing, ends nothing (that is `command_line`).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from common.config.addresses import masked_mongo_uri, mongo_password
from common.config.files import file_problems, is_readable_by_others, read_file_layer, read_secret
from common.config.layering import MASK, Layer, Origin, Problem, Setting, Settings, merge, told
from common.config.sections import FileRule, Section
from common.config.texts import annotations_by_key, env_suffix, option_of, value_of
from common.config.wording import did_you_mean, message_of, nearest
from common.domain.errors import ConfigError

C = TypeVar("C", bound=Section)

#: Nearer to one of our variables than this, an unknown variable is a typing error; else it is a stranger's.
_TYPING_ERROR_CUTOFF: Final = 0.85


@dataclass(frozen=True, slots=True)
class Program(Generic[C]):
    """
    A program with a configuration.

    Attributes:
        name: As typed; its upper case is the prefix of the environment variables.
        model: What the configuration must be.
        summary: One line for `--help`.
        defaults: Defaults that depend on this host or user, by key; they stand in the default layer.
    """

    name: str
    model: type[C]
    summary: str
    defaults: Callable[[Mapping[str, str]], Mapping[str, object]] = lambda _env: {}


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says about the configuration: the file, and settings as (option, key, text)."""

    path: Path | None = None
    settings: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """
    A configuration that holds, with where each value comes from.

    Attributes:
        source: The file, or the program's name without one: what messages are about.
        settings: By key, in the order of the model; secrets in the clear, `printable` masks them.
        warnings: Lines a person should read, though nothing is wrong.
    """

    config: C
    source: str
    settings: Settings
    warnings: tuple[str, ...]


def load(program: Program[C], given: Given, env: Mapping[str, str]) -> Loaded[C]:
    """
    Read all layers and check the result.

    Raises:
        ConfigError: Its message has one line per problem, each with the key and the layer that set it.
    """
    source = str(given.path) if given.path else program.name
    problems: list[Problem] = []
    warnings: list[str] = []
    file_layer = read_file_layer(given.path) if given.path else {}
    layers = [
        _defaults(program, env),
        _known_keys(program.model, file_layer, problems),
        _from_environment(program, env, problems, warnings),
        _from_command_line(program.model, given.settings, problems),
    ]
    settings = _with_secrets_read(program.model, merge(*layers), problems)
    config = _validated(program.model, settings, problems)
    if problems:
        raise ConfigError("\n".join(told(problem, source) for problem in problems), problems=problems)
    warnings += _warnings_about_secrets(program.model, settings)
    return Loaded(config, source, settings, tuple(f"{source}: {warning}" for warning in warnings))


def printable(loaded: Loaded[C]) -> Iterable[tuple[str, str, str]]:
    """Yield (key, value as JSON, layer) in the order of the model, secrets masked."""
    for key, field in _fields_by_key(type(loaded.config)).items():
        setting = loaded.settings[key]
        value = json.dumps(masked(key, field, setting.value), ensure_ascii=False)
        yield key, value, str(setting.origin)


def masked(key: str, field: FieldInfo, value: object) -> object:
    """Return *value* as it may be shown to anybody."""
    if value is None or not is_secret(field):
        return value
    return masked_mongo_uri(str(value)) if key == "mongoUri" else MASK


def is_secret(field: FieldInfo) -> bool:
    """True when the value itself must not be shown."""
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _fields_by_key(model: type[Section]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _defaults(program: Program[C], env: Mapping[str, str]) -> Settings:
    fields = _fields_by_key(program.model)
    values: dict[str, object] = {
        key: _as_json(field.get_default(call_default_factory=True)) for key, field in fields.items()
    }
    values.update(program.defaults(env))
    return {key: Setting(value, Origin(Layer.DEFAULT)) for key, value in values.items()}


def _as_json(value: object) -> object:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case tuple():
            return list(value)
        case Path():
            return str(value)
        case _:
            return value


def _known_keys(model: type[Section], layer: Settings, problems: list[Problem]) -> Settings:
    known = annotations_by_key(model)
    for key, setting in layer.items():
        if key not in known:
            hint = did_you_mean(key, list(known))
            problems.append(Problem(f"unknown key{hint} (in {setting.origin})", key))
    return {key: setting for key, setting in layer.items() if key in known}


def _from_environment(
    program: Program[C], env: Mapping[str, str], problems: list[Problem], warnings: list[str]
) -> Settings:
    prefix = f"{program.name.upper()}_"
    known = {prefix + env_suffix(key): key for key in annotations_by_key(program.model)}
    types = annotations_by_key(program.model)
    layer: dict[str, Setting] = {}
    strangers: list[str] = []
    for name in sorted(env):
        if not name.startswith(prefix) or not env[name].strip():
            # Compose files and unit files hand on variables that are empty; empty means not set.
            continue
        if name in known:
            key = known[name]
            layer[key] = Setting(value_of(env[name], types[key]), Origin(Layer.ENVIRONMENT, name))
        elif suggestion := nearest(name, known, cutoff=_TYPING_ERROR_CUTOFF):
            problems.append(Problem(f"unknown environment variable; did you mean {suggestion}?", name))
        else:
            strangers.append(name)
    if strangers:
        # Kubernetes sets MASTER_PORT_8070_TCP and its like for a service named master: not ours to refuse.
        warnings.append(
            f"environment variables that are no settings of {program.name}: {', '.join(strangers)}"
        )
    return layer


def _from_command_line(
    model: type[Section], settings: Iterable[tuple[str, str, str]], problems: list[Problem]
) -> Settings:
    fields = _fields_by_key(model)
    layer: dict[str, Setting] = {}
    for option, key, text in settings:
        if key not in fields:
            problems.append(Problem(f"unknown key{did_you_mean(key, list(fields))} (in {option})", key))
        elif is_secret(fields[key]) and _has_secret(key, text):
            problems.append(
                Problem(
                    "a secret on the command line can be read by every user of this host: "
                    f"use {key}File or the environment",
                    key,
                )
            )
        else:
            value = value_of(text, fields[key].annotation)
            layer[key] = Setting(value, Origin(Layer.COMMAND_LINE, option))
    return layer


def _has_secret(key: str, text: str) -> bool:
    return key != "mongoUri" or mongo_password(text) is not None


def _with_secrets_read(
    model: type[Section], settings: Mapping[str, Setting], problems: list[Problem]
) -> dict[str, Setting]:
    """Put what a `...File` key points at in place of the key it stands for, unless that key outranks it."""
    resolved = dict(settings)
    for file_key, key in model.SECRET_FILES.items():
        pointer, direct = resolved[file_key], resolved[key]
        # What is no path at all is told by validation, a moment later.
        if not isinstance(pointer.value, str) or not pointer.value or "\0" in pointer.value:
            continue
        if direct.value is not None and direct.origin.layer > pointer.origin.layer:
            continue
        if direct.origin.layer == pointer.origin.layer:
            problems.append(Problem(f"stands beside {key}: keep one of the two", file_key, pointer))
            continue
        try:
            path = Path(pointer.value).expanduser()
            resolved[key] = Setting(read_secret(path), Origin(pointer.origin.layer, f"{path} ({file_key})"))
        except ValueError as error:
            problems.append(Problem(str(error), file_key, pointer))
        except RuntimeError:
            continue  # a ~ that nobody's home stands for: told by validation as well
    return resolved


def _validated(model: type[C], settings: Settings, problems: list[Problem]) -> C:
    """
    The checked model. Keys that are wrong by themselves fall back to their defaults, so that the rules
    about several keys, and the files, can still be judged and told in the same go.
    """
    broken = {problem.key for problem in problems}
    fields = _fields_by_key(model)
    found = list(_errors_by_key(model, settings))
    for key, message in found:
        problems.append(Problem(message, key, settings[key], is_secret(fields[key])))
        broken.add(key)
    wrong = {key for key, _ in found}
    config = model.model_validate_json(
        json.dumps({key: setting.value for key, setting in settings.items() if key not in wrong})
    )
    for refusal in config.refusals():
        if broken.isdisjoint(refusal.keys):
            key = refusal.keys[0]
            problems.append(Problem(refusal.message, key, settings[key], is_secret(fields[key])))
    files = _named_files(config, settings)
    problems.extend(problem for problem in file_problems(files) if problem.key not in broken)
    return config


def _errors_by_key(model: type[Section], settings: Settings) -> Iterable[tuple[str, str]]:
    values: dict[str, object] = {}
    for key, setting in settings.items():
        try:
            json.dumps(setting.value, allow_nan=False, ensure_ascii=False).encode()
            values[key] = setting.value
        except ValueError:
            yield key, "is not valid text or not a finite number"
    fields = _fields_by_key(model)
    try:
        model.model_validate_json(json.dumps(values))
    except ValidationError as failure:
        seen: set[str] = set()
        for error in failure.errors(include_url=False):
            key = str(error["loc"][0])
            # pydantic counts the entries that passed: a list of one bad entry is "too short" as well.
            if error["type"] == "too_short" and key in seen:
                continue
            seen.add(key)
            yield key, message_of(error, is_secret=is_secret(fields[key]))


def _named_files(config: Section, settings: Settings) -> Iterable[tuple[str, Path, FileRule, Setting]]:
    for name, field in type(config).model_fields.items():
        rules = [rule for rule in field.metadata if isinstance(rule, FileRule)]
        path: Any = getattr(config, name)
        if rules and path is not None:
            key = field.alias or name
            yield key, path, rules[0], settings[key]


def _warnings_about_secrets(model: type[Section], settings: Settings) -> Iterable[str]:
    for key, field in _fields_by_key(model).items():
        setting = settings[key]
        if setting.value is None or not is_secret(field) or setting.origin.layer is not Layer.FILE:
            continue
        path = Path(setting.origin.name)
        if _has_secret(key, str(setting.value)) and is_readable_by_others(path):
            yield f"{key}: every user of this host can read it there: chmod o-r {path}, or use {key}File"


def flags_of(model: type[Section]) -> Mapping[str, str]:
    """Return the named option of every key: `--log-level` -> `logLevel`."""
    # Those of secrets too: whoever tries one is told why not, and what instead.
    return {option_of(key): key for key in _fields_by_key(model)}
