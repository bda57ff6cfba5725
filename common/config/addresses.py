"""Addresses as people write them: etcd endpoints, MongoDB URIs, hosts that are this host.

Pure: no name is resolved. Messages are ends of sentences that start with the configuration key.
"""

import ipaddress
import re
from typing import Final
from urllib.parse import unquote

ETCD_PORT: Final = 2379
_MONGO_SCHEMES: Final = ("mongodb://", "mongodb+srv://")
_HOST: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_SECRET_OPTION: Final = re.compile(r"((?:password|authMechanismProperties)=)[^&]*", re.IGNORECASE)
_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def normal_endpoint(text: str) -> str:
    """
    Return an etcd endpoint as `host:port`, `http://host:port` or `https://host:port`.

    The port is 2379 where none is given; a trailing slash goes.

    Raises:
        ValueError: It is none of these.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "", scheme
    if scheme.lower() not in ("", "http", "https"):
        raise ValueError(f"{text!r} must be host:port, http://host:port or https://host:port")
    rest = rest.removesuffix("/")
    if "@" in rest:
        raise ValueError("must not carry credentials: use etcdUsername and etcdPasswordFile")
    host, port = split_host_port(rest, default_port=ETCD_PORT)
    prefix = f"{scheme.lower()}://" if scheme else ""
    return f"{prefix}{f'[{host}]' if ':' in host else host}:{port}"


def split_host_port(text: str, *, default_port: int) -> tuple[str, int]:
    """
    Return host (an IPv6 address without its brackets) and port of `host`, `host:port` or `[v6]:port`.

    Raises:
        ValueError: Not a host, or the port is not between 1 and 65535.
    """
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, port_text = bracketed[1], bracketed[2]
        if not _is_ipv6(host):
            raise ValueError(f"{text!r} has no IPv6 address in its brackets")
    elif text.count(":") > 1:
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, such as [::1]:{default_port}")
    else:
        host, separator, port_part = text.partition(":")
        port_text = port_part if separator else None
        if not _HOST.fullmatch(host):
            raise ValueError(f"{text!r} has no host name, such as localhost:{default_port}")
    if port_text is None:
        return host, default_port
    if not port_text.isascii() or not port_text.isdecimal() or not 1 <= int(port_text[:6]) <= 65535:
        raise ValueError(f"{text!r} must end in a port between 1 and 65535")
    return host, int(port_text)


def endpoint_host(endpoint: str) -> str:
    """Return the host of an endpoint made by `normal_endpoint`."""
    host, _ = split_host_port(endpoint.rpartition("://")[2], default_port=ETCD_PORT)
    return host


def is_loopback(host: str) -> bool:
    """True when *host* can only be this host: `localhost`, 127.0.0.0/8 or ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_mongo_uri(uri: str) -> str:
    """
    Return *uri* if its outer shape is right; its options are MongoDB's own business.

    Raises:
        ValueError: What is wrong, quoting nothing: a mistyped URI shows its password anywhere.
    """
    scheme = next((scheme for scheme in _MONGO_SCHEMES if uri.startswith(scheme)), None)
    if scheme is None:
        raise ValueError("must start with mongodb:// or mongodb+srv://, such as mongodb://localhost:27017")
    credentials, rest = _mongo_parts(uri)
    if credentials is not None and (re.search(r"[@/?#]", credentials) or _PERCENT.search(credentials)):
        raise ValueError(
            "user name and password must be percent-encoded (@ is %40, : is %3A, / is %2F, % is %25)"
        )
    hosts = re.split(r"[/?]", rest, maxsplit=1)[0]
    if scheme == "mongodb+srv://" and ("," in hosts or ":" in hosts):
        raise ValueError("mongodb+srv:// takes one host name and no port")
    if not all(_is_mongo_host(unquote(host)) for host in hosts.split(",")):
        raise ValueError(
            "needs host, host:port or [IPv6]:port after the user name and password, if there are any"
        )
    return uri


def mongo_password(uri: str) -> str | None:
    """Return the password inside a MongoDB URI, decoded; None when there is none."""
    credentials, _ = _mongo_parts(uri)
    if credentials is None or ":" not in credentials:
        return None
    return unquote(credentials.partition(":")[2])


def masked_mongo_uri(uri: str) -> str:
    """Return *uri* with `***` for its password and for options that hold a secret."""
    credentials, rest = _mongo_parts(uri)
    rest = _SECRET_OPTION.sub(r"\1***", rest)
    scheme = uri.partition("://")[0]
    if credentials is None:
        return f"{scheme}://{rest}"
    user, colon, _password = credentials.partition(":")
    return f"{scheme}://{user}{':***' if colon else ''}@{rest}"


def _mongo_parts(uri: str) -> tuple[str | None, str]:
    """Credentials (still encoded) and the rest, parted at the last @: a password may hold one by mistake."""
    credentials, at, rest = uri.partition("://")[2].rpartition("@")
    return (credentials if at else None), rest


def _is_mongo_host(text: str) -> bool:
    if text.endswith(".sock"):
        return True
    try:
        split_host_port(text, default_port=27017)
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False
