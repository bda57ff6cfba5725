"""The settings both programs share, as pydantic models: etcd, MongoDB, log.

Pure: no file is opened, no name resolved. Keys are the camelCase of the attribute, less the unit the
attribute ends in (`etcd_dial_timeout_ms` is `etcdDialTimeout`). Rules that look at several keys are
`refusals()`, so that a loader can report them beside the errors of single keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic.alias_generators import to_camel

from common.config.addresses import (
    checked_mongo_uri,
    endpoint_host,
    is_loopback,
    mongo_password,
    normal_endpoint,
)

WELL_KNOWN_SECRETS: Final = frozenset(
    {
        "admin",
        "changeit",
        "changeme",
        "default",
        "etcd",
        "everytick",
        "example",
        "mongo",
        "mongodb",
        "passw0rd",
        "password",
        "root",
        "secret",
        "test",
        "123456",
        "12345678",
    }
)


@dataclass(frozen=True, slots=True)
class FileRule:
    """What must hold for the file a key names: kept from others (secret), there already (required)."""

    is_secret: bool = False
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Keys whose values do not go together; the first is the one to blame."""

    keys: tuple[str, ...]
    message: str


def _checked_path(value: object) -> object:
    # An empty path would quietly become the working directory.
    if value == "":
        raise ValueError("must not be empty: leave the key out, or give a path")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("must not hold a NUL character")
    return value


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("has a ~ that stands for nobody's home directory") from None


def _checked_prefix(prefix: str) -> str:
    if not (prefix.startswith("/") and prefix.endswith("/") and len(prefix) > 2) or "//" in prefix:
        raise ValueError("must start and end with a slash, with a name between, such as /cron/")
    return prefix


def _checked_mongo_secret(uri: SecretStr) -> SecretStr:
    checked_mongo_uri(uri.get_secret_value())
    return uri


def _checked_database(name: str) -> str:
    if not 1 <= len(name.encode()) <= 63 or set(name) & set('/\\. "$\0'):
        raise ValueError('must be 1 to 63 bytes without / \\ . " $ and spaces')
    return name


def config_key(attribute: str) -> str:
    """Return the configuration key of a model attribute."""
    return to_camel(attribute.removesuffix("_ms").removesuffix("_s"))


FilePath = Annotated[Path, BeforeValidator(_checked_path), AfterValidator(_expanded)]
Endpoint = Annotated[str, AfterValidator(normal_endpoint)]
Prefix = Annotated[str, AfterValidator(_checked_prefix)]
MongoUri = Annotated[SecretStr, AfterValidator(_checked_mongo_secret)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class Section(BaseModel):
    """What every part of a configuration has in common: frozen, strict, nothing unknown."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=config_key,
        validate_by_alias=True,
        validate_by_name=True,
        hide_input_in_errors=True,
    )

    #: `...File` keys and the key whose value is read from that file.
    SECRET_FILES: ClassVar[dict[str, str]] = {}

    #: (key, value as it may be shown, layer that set it); empty when no layers were read.
    _effective: tuple[tuple[str, str, str], ...] = PrivateAttr(default=())

    @property
    def effective(self) -> tuple[tuple[str, str, str], ...]:
        """Every key with its value as JSON, secrets masked, and where it comes from."""
        return self._effective

    def came_from(self, effective: Iterable[tuple[str, str, str]]) -> None:
        """Remember where the values come from, for who asks the running program."""
        self._effective = tuple(effective)

    def refusals(self) -> Iterable[Refusal]:
        """Yield what is wrong with values that are right one by one."""
        return ()


class EtcdSection(Section):
    """How to reach etcd, and where in it everything lives."""

    etcd_endpoints: Annotated[
        tuple[Endpoint, ...],
        Field(min_length=1, description="Addresses of etcd, tried in turn: `host:port`, or with `https://`."),
    ] = ("localhost:2379",)
    etcd_dial_timeout_ms: Annotated[
        int, Field(ge=100, le=600_000, description="Longest wait for a connection to etcd, in milliseconds.")
    ] = 5_000
    etcd_username: Annotated[
        str | None, Field(min_length=1, description="User of etcd, when its authentication is on.")
    ] = None
    etcd_password: Annotated[
        SecretStr | None,
        Field(description="Its password. Better kept in the environment or in `etcdPasswordFile`."),
    ] = None
    etcd_password_file: Annotated[
        FilePath | None,
        Field(description="File that holds the password; others must not be able to read it."),
        FileRule(is_secret=True),
    ] = None
    etcd_ca_cert: Annotated[
        FilePath | None,
        Field(description="Certificates (PEM) that etcd's own must be signed by. Turns TLS on."),
        FileRule(),
    ] = None
    etcd_cert: Annotated[
        FilePath | None,
        Field(description="Client certificate (PEM); needs `etcdKey`. Turns TLS on."),
        FileRule(),
    ] = None
    etcd_key: Annotated[
        FilePath | None,
        Field(description="Key of the client certificate (PEM); others must not be able to read it."),
        FileRule(is_secret=True),
    ] = None
    key_prefix: Annotated[Prefix, Field(description="Where jobs and everything about them live in etcd.")] = (
        "/cron/"
    )
    health_prefix: Annotated[Prefix, Field(description="Where workers register in etcd.")] = "/agent/health/"
    allow_insecure_etcd: Annotated[
        bool,
        Field(description="Accept an etcd on another host that has neither TLS nor a password."),
    ] = False
    allow_unsafe_etcd: Annotated[
        bool,
        Field(description="Accept etcd 3.5.0 to 3.5.2, which can lose data in a crash."),
    ] = False

    @property
    def etcd_uses_tls(self) -> bool:
        """True when every connection to etcd is encrypted."""
        return all(map(self._is_encrypted, self.etcd_endpoints))

    def _is_encrypted(self, endpoint: str) -> bool:
        # As the etcd adapter connects: the scheme decides, and without one the files do.
        has_files = self.etcd_ca_cert is not None or self.etcd_cert is not None
        return endpoint.startswith("https://") or (has_files and "://" not in endpoint)

    def refusals(self) -> Iterable[Refusal]:
        yield from super().refusals()
        yield from self._etcd_tls_refusals()
        yield from self._etcd_password_refusals()
        if self.key_prefix.startswith(self.health_prefix) or self.health_prefix.startswith(self.key_prefix):
            yield Refusal(
                ("healthPrefix", "keyPrefix"),
                f"must lie beside keyPrefix ({self.key_prefix}), neither inside nor around it",
            )

    def _etcd_tls_refusals(self) -> Iterable[Refusal]:
        encrypted = [endpoint for endpoint in self.etcd_endpoints if self._is_encrypted(endpoint)]
        has_tls = encrypted or self.etcd_ca_cert is not None or self.etcd_cert is not None
        if has_tls and any(endpoint.startswith("http://") for endpoint in self.etcd_endpoints):
            yield Refusal(
                ("etcdEndpoints", "etcdCaCert", "etcdCert"),
                "has an http:// address although TLS is on (https:// beside it, etcdCaCert or etcdCert)",
            )
        yield from one_needs_other("etcdCert", self.etcd_cert, "etcdKey", self.etcd_key)
        yield from one_needs_other("etcdKey", self.etcd_key, "etcdCert", self.etcd_cert)
        readable = [endpoint for endpoint in self.etcd_endpoints if endpoint not in encrypted]
        away = [host for host in map(endpoint_host, readable) if not is_loopback(host)]
        if away and not (self.etcd_password or self.allow_insecure_etcd):
            yield Refusal(
                ("etcdEndpoints", "etcdPassword", "allowInsecureEtcd"),
                f"etcd on another host ({away[0]}) has neither TLS nor a password: whoever reaches "
                "it can run commands. Set etcdCaCert or etcdPasswordFile, or accept it (allowInsecureEtcd)",
            )

    def _etcd_password_refusals(self) -> Iterable[Refusal]:
        yield from one_needs_other("etcdPassword", self.etcd_password, "etcdUsername", self.etcd_username)
        if self.etcd_username is not None and self.etcd_password is None:
            yield Refusal(
                ("etcdUsername", "etcdPassword"), "needs a password: set etcdPasswordFile or etcdPassword"
            )
        if self.etcd_password is not None:
            yield from weak_secret("etcdPassword", self.etcd_password.get_secret_value())


class MongoSection(Section):
    """How to reach MongoDB."""

    mongo_uri: Annotated[MongoUri, Field(description="Address of MongoDB, options included.")] = SecretStr(
        "mongodb://localhost:27017"
    )
    mongo_uri_file: Annotated[
        FilePath | None,
        Field(description="File that holds `mongoUri`; others must not be able to read it."),
        FileRule(is_secret=True),
    ] = None
    mongo_connect_timeout_ms: Annotated[
        int,
        Field(ge=100, le=600_000, description="Longest wait for a connection to MongoDB, in milliseconds."),
    ] = 3_000
    mongo_database: Annotated[
        str, AfterValidator(_checked_database), Field(description="Database that holds history and accounts.")
    ] = "cron"

    def refusals(self) -> Iterable[Refusal]:
        yield from super().refusals()
        password = mongo_password(self.mongo_uri.get_secret_value())
        if password is not None:
            yield from weak_secret("mongoUri", password, inside="the password in it ")


class LogSection(Section):
    """What the program says about itself, and where."""

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(description="Least important events that are logged."),
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        Field(description="`auto` is `console` on a terminal and `json` everywhere else."),
    ] = "auto"
    log_file: Annotated[
        FilePath | None, Field(description="File that gets every event too; stderr always does.")
    ] = None
    log_file_max_bytes: Annotated[
        int,
        Field(
            ge=0,
            description="Begin a new log file at this size. 0 leaves that to logrotate.",
        ),
    ] = 50 * 1024 * 1024
    log_file_backups: Annotated[
        int, Field(ge=1, le=1_000, description="Older log files that are kept when we begin new ones.")
    ] = 5


def one_needs_other(key: str, value: object, other_key: str, other: object) -> Iterable[Refusal]:
    """Yield a refusal when *key* is set and *other_key* is not."""
    if value is not None and other is None:
        yield Refusal((key, other_key), f"needs {other_key} as well")


def weak_secret(key: str, secret: str, *, inside: str = "") -> Iterable[Refusal]:
    """Yield a refusal when *secret* is empty or one that everybody tries first."""
    if not secret:
        yield Refusal((key,), f"{inside}must not be empty")
    elif secret.lower() in WELL_KNOWN_SECRETS:
        yield Refusal((key,), f"{inside}is one that everybody tries first: choose another")


#: Shared by both programs; in `Section.SECRET_FILES` of each.
SECRET_FILES: Final = {"etcdPasswordFile": "etcdPassword", "mongoUriFile": "mongoUri"}
