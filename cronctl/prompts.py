"""Asking for what must not stand on a command line: hidden on a terminal, else a line of standard input."""

import sys

import typer

from common.domain.errors import InvalidInput


def asked_secret(what: str) -> str:
    """A token, without the space around it."""
    secret = _asked(what).strip()
    if not secret:
        raise InvalidInput(f"no {what.lower()} was given")
    return secret


def asked_password(what: str) -> str:
    """A password as it is typed."""
    password = _asked(what).rstrip("\r\n")
    if not password:
        raise InvalidInput("no password was given")
    return password


def asked_new_password(name: str) -> str:
    """A new password for *name*; typed twice on a terminal."""
    password = asked_password(f"New password of {name}")
    if sys.stdin.isatty() and password != asked_password("Once more"):
        raise InvalidInput("the two passwords differ")
    return password


def _asked(what: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline()
