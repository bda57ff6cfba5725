"""How to reach etcd: addresses, credentials, TLS and time limits.

Plain values. Checked when they are made, so that a wrong address is a `ConfigError` that names it and not a
connection that never comes up. The files are read when the store opens its first connection.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from common.domain.errors import ConfigError

_DEFAULT_PORT = 2379


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint: `host:port` as gRPC wants it (IPv6 in brackets), and whether TLS is asked for."""

    target: str
    tls: bool


def parse_endpoint(endpoint: str, *, tls_configured: bool) -> Address:
    """
    Read `host:port`, `http://host:port` or `https://host:port`; without a scheme TLS follows the settings.

    Raises:
        ConfigError: It is none of these, or says http although TLS files are configured.
    """
    has_scheme = "://" in endpoint
    try:
        parts = urlsplit(endpoint if has_scheme else f"//{endpoint}")
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError as error:
        raise _not_an_address(endpoint) from error
    if not host or parts.scheme not in ("", "http", "https") or parts.path not in ("", "/"):
        raise _not_an_address(endpoint)
    if parts.scheme == "http" and tls_configured:
        raise ConfigError(
            f"etcd endpoint {endpoint!r} is not encrypted although TLS files for etcd are set: "
            "write https:// or remove the TLS files",
            endpoint=endpoint,
        )
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Address(target=target, tls=parts.scheme == "https" or (not has_scheme and tls_configured))


def _not_an_address(endpoint: str) -> ConfigError:
    return ConfigError(
        f"etcd endpoint {endpoint!r} is not an address: write host:port, http://host:port or https://host:port",
        endpoint=endpoint,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSettings:
    """
    Everything the adapter needs to know.

    Attributes:
        endpoints: Tried in turn; one connection is in use at a time.
        dial_timeout_s: How long one attempt to connect may take.
        call_timeout_s: Deadline of every request.
        renewal_timeout_s: Deadline of one lease renewal. Shorter, so that a lease of 5 s has time for a
            second try on another endpoint.
        username, password: For an etcd with authentication switched on.
        ca_cert: File with the authorities the server's certificate must come from.
        cert, key: Files of the client certificate, both or neither.
        tls_server_name: The name to look for in the server's certificate when it is not the host.
        progress_after_s: Silence on a watch after which the server is asked for a sign of life.
        silence_limit_s: Silence on a watch after which it counts as broken.
    """

    endpoints: tuple[str, ...]
    dial_timeout_s: float = 2.0
    call_timeout_s: float = 5.0
    renewal_timeout_s: float = 2.0
    username: str = ""
    password: str = field(default="", repr=False)
    ca_cert: str = ""
    cert: str = ""
    key: str = ""
    tls_server_name: str = ""
    progress_after_s: float = 30.0
    silence_limit_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.endpoints:
            raise ConfigError("no etcd endpoint is set: name at least one host:port")
        if bool(self.cert) != bool(self.key):
            raise ConfigError("the client certificate for etcd needs both files: the certificate and its key")
        if self.password and not self.username:
            raise ConfigError("a password for etcd is set but no user name")
        self.addresses()

    def addresses(self) -> tuple[Address, ...]:
        """
        The endpoints, parsed.

        Raises:
            ConfigError: One of them is not an address.
        """
        tls_configured = bool(self.ca_cert or self.cert)
        return tuple(parse_endpoint(endpoint, tls_configured=tls_configured) for endpoint in self.endpoints)
