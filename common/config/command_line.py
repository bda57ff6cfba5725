"""The command line of `master` and `worker`: options, checks, and what can be printed.

The only place of the configuration that prints and ends the program. Exit codes: 0 fine, 1 an online check
failed, 2 wrong configuration or usage. Errors and warnings go to stderr, what was asked for to stdout.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Generic, NoReturn, Protocol, TypeVar

from common.config.loader import Given, Loaded, Program, flags_of, load, printable
from common.config.sections import Section
from common.config.texts import env_suffix
from common.config.wording import did_you_mean
from common.domain.errors import ConfigError, CronError

C = TypeVar("C", bound=Section)

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_WRONG_CONFIGURATION: Final = 2
#: As the shell counts a program that Ctrl-C ended.
EXIT_INTERRUPTED: Final = 130

#: An online check has deadlines of its own; this one ends a check that forgot them.
_CHECK_LIMIT_S: Final = 30


class OnlineCheck(Protocol):
    """One thing `--check=online` looks at: etcd, MongoDB, the port, ..."""

    @property
    def name(self) -> str:
        """What is looked at, as it stands on the screen."""
        ...

    async def run(self) -> str:
        """
        Return what was found, in a few words.

        Raises:
            CronError: It does not work, and why.
        """
        ...


@dataclass(frozen=True, slots=True)
class Errand(Generic[C]):
    """Something a program does once instead of running: `run` returns what was done, in words."""

    help: str
    run: Callable[[C], Awaitable[str]]


def configuration_of(
    program: Program[C],
    argv: Sequence[str],
    env: Mapping[str, str],
    online_checks: Callable[[C], Sequence[OnlineCheck]],
    errands: Mapping[str, Errand[C]] | None = None,
) -> C:
    """
    Return the checked configuration, or do what was asked for instead and raise SystemExit.

    Args:
        argv: Without the program's own name.
        online_checks: Makes the checks of `--check=online` for a configuration.
        errands: By the option that asks for one.
    """
    errands = errands or {}
    options, given = _parse(program, argv, errands)
    if options.print_schema:
        _say(json.dumps(program.model.model_json_schema(by_alias=True), indent=2, ensure_ascii=False))
        raise SystemExit(EXIT_OK)
    try:
        loaded = load(program, given, env)
    except ConfigError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_WRONG_CONFIGURATION) from None
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if options.print_config:
        _say("\n".join(_columns(printable(loaded))))
        raise SystemExit(EXIT_OK)
    if options.check:
        raise SystemExit(_check(loaded, online_checks if options.check == "online" else None))
    if options.errand is not None:
        raise SystemExit(_do(program.name, errands[options.errand], loaded.config))
    loaded.config.came_from(printable(loaded))
    return loaded.config


def product_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("everytick")
    except PackageNotFoundError:
        # A source tree on the path that was never installed.
        return "unknown (not installed)"


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(EXIT_WRONG_CONFIGURATION)


class _Remember(argparse.Action):
    """Keeps settings in the order they were given, so that of two the last one counts."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        option = option_string or self.option_strings[0]
        if self.const is None:
            key, separator, text = str(values).partition("=")
            if not separator or not key.strip():
                parser.error(f"{option} {values}: must be key=value, such as {option} logLevel=debug")
            option, key = f"{option} {key.strip()}", key.strip()
        else:
            key, text = self.const, str(values)
        namespace.settings = [*namespace.settings, (option, key, text)]


def _parse(
    program: Program[C], argv: Sequence[str], errands: Mapping[str, Errand[C]]
) -> tuple[argparse.Namespace, Given]:
    parser = _parser(program, errands)
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        known = [option for action in parser._actions for option in action.option_strings]
        first = unknown[0].partition("=")[0]
        hint = did_you_mean(first, known) if first.startswith("-") else ""
        parser.error(f"unknown {'option' if first.startswith('-') else 'argument'} {first}{hint}")
    return options, Given(options.config, tuple(options.settings))


def _parser(program: Program[C], errands: Mapping[str, Errand[C]]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program.name,
        usage=f"{program.name} [-config FILE] [--set KEY=VALUE]... [OPTION]...",
        description=program.summary,
        epilog="Command line wins over environment, environment over file, file over defaults, key by key. "
        f"Environment variables are {program.name.upper()}_ and the key in upper case, such as "
        f"{program.name.upper()}_{env_suffix('etcdEndpoints')}.",
        allow_abbrev=False,
    )
    parser.set_defaults(settings=[])
    parser.add_argument("-config", "--config", metavar="FILE", type=Path, help="JSON configuration file")
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action=_Remember, help="set one key of the configuration; repeatable"
    )
    parser.add_argument(
        "--check",
        nargs="?",
        const="offline",
        choices=("offline", "online"),
        help="check the configuration and exit; --check=online also reaches what it names",
    )
    parser.add_argument(
        "--print-config", action="store_true", help="print each value with the layer that set it, and exit"
    )
    parser.add_argument(
        "--print-schema", action="store_true", help="print the JSON schema of the configuration, and exit"
    )
    parser.set_defaults(errand=None)
    for option, errand in errands.items():
        parser.add_argument(
            option, dest="errand", action="store_const", const=option, help=f"{errand.help}, and exit"
        )
    parser.add_argument("--version", action="version", version=_version_line(program.name))
    group = parser.add_argument_group("settings", "one option for each key of the configuration file")
    fields = {field.alias: field for field in program.model.model_fields.values()}
    for option, key in flags_of(program.model).items():
        text = (fields[key].description or "").replace("`", "").replace("%", "%%")
        group.add_argument(option, action=_Remember, const=key, metavar="VALUE", help=text)
    return parser


def _version_line(program_name: str) -> str:
    return f"everytick {program_name} {product_version()} (Python {platform.python_version()})"


def _columns(rows: Iterable[tuple[str, str, str]]) -> list[str]:
    """Key and value padded, layer last; one over-long value does not push all layers off the screen."""
    table = list(rows)
    key_width = max(len(key) for key, _, _ in table)
    value_width = min(48, max(len(value) for _, value, _ in table))
    return [f"{key:<{key_width}}  {value:<{value_width}}  {layer}" for key, value, layer in table]


def _check(loaded: Loaded[C], online_checks: Callable[[C], Sequence[OnlineCheck]] | None) -> int:
    _say(f"{_mark(True)} {loaded.source}: configuration is fine")
    if online_checks is None:
        return EXIT_OK
    try:
        return asyncio.run(_run_all(online_checks(loaded.config)))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _do(name: str, errand: Errand[C], config: C) -> int:
    async def run() -> str:
        return await errand.run(config)

    try:
        _say(asyncio.run(run()))
    except CronError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_OK


async def _run_all(checks: Sequence[OnlineCheck]) -> int:
    failed = False
    for check in checks:
        found, is_fine = await _run_one(check)
        failed = failed or not is_fine
        _say(f"{_mark(is_fine)} {check.name}: {found}")
    return EXIT_FAILED if failed else EXIT_OK


async def _run_one(check: OnlineCheck) -> tuple[str, bool]:
    try:
        async with asyncio.timeout(_CHECK_LIMIT_S):
            return await check.run(), True
    except TimeoutError:
        return f"no answer within {_CHECK_LIMIT_S} s", False
    except CronError as error:
        return str(error), False
    except Exception as error:
        # Protects the person at the terminal from a traceback, and the checks after this one.
        return f"{type(error).__name__}: {error}", False


def _say(text: str) -> None:
    """Print to stdout; a reader that has gone (`| head`) is no reason for a traceback."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Python flushes once more at its end and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mark(is_fine: bool) -> str:
    sign, plain = ("✓", "ok  ") if is_fine else ("✗", "FAIL")
    try:
        sign.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return sign
