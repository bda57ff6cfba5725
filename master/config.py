"""What a master can be told: keys, defaults, rules, and its command line.

Nothing is read at import time.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from common.config.addresses import is_loopback
from common.config.command_line import Errand, OnlineCheck, configuration_of
from common.config.files import default_state_root
from common.config.loader import Program
from common.config.sections import (
    SECRET_FILES,
    EtcdSection,
    FilePath,
    FileRule,
    LogSection,
    MongoSection,
    Refusal,
    one_needs_other,
)
from common.domain.ids import Name
from master.domain.oidc import grant_of_text

_DAYS_LIMIT: Final = 36_500


def _checked_host(host: str) -> str:
    if not host or host != host.strip() or "/" in host or any(letter.isspace() for letter in host):
        raise ValueError("must be an address or a host name alone, such as 127.0.0.1 or ::")
    return host


def _checked_grant(text: str) -> str:
    try:
        grant_of_text(text)
    except ValueError as error:
        raise ValueError(f"must be a role, such as viewer or editor:shop,mail ({error})") from error
    return text


GrantText = Annotated[str, AfterValidator(_checked_grant)]


class MasterConfig(LogSection, MongoSection, EtcdSection):
    """Everything a master can be told."""

    SECRET_FILES = SECRET_FILES | {"oidcClientSecretFile": "oidcClientSecret"}

    api_host: Annotated[
        str,
        AfterValidator(_checked_host),
        Field(description="Address the API and the dashboard listen on. Another than loopback needs TLS."),
    ] = "127.0.0.1"
    api_port: Annotated[
        int, Field(ge=0, le=65_535, description="Port they listen on; 0 takes any free one.")
    ] = 8070
    tls_cert: Annotated[
        FilePath | None, Field(description="Certificate chain (PEM) of the API; needs `tlsKey`."), FileRule()
    ] = None
    tls_key: Annotated[
        FilePath | None,
        Field(description="Its key (PEM); others must not be able to read it."),
        FileRule(is_secret=True),
    ] = None
    behind_tls_proxy: Annotated[
        bool, Field(description="A proxy in front of the master speaks TLS with the browsers.")
    ] = False
    admin_token_file: Annotated[
        FilePath | None,
        Field(
            description="File the admin token is kept in, mode 0600; created at the first start. "
            "Without one: `admin-token` in `stateDir`."
        ),
        FileRule(is_secret=True, is_required=False),
    ] = None
    history_days: Annotated[
        int,
        Field(
            ge=1, le=_DAYS_LIMIT, description="Days that executions are kept, unless a job says otherwise."
        ),
    ] = 30
    audit_days: Annotated[
        int, Field(ge=1, le=_DAYS_LIMIT, description="Days that the audit trail is kept.")
    ] = 365
    master_id: Annotated[
        Name | None,
        Field(description="Name of this master among others; host name and process id by default."),
    ] = None
    metrics_jobs: Annotated[
        int,
        Field(
            ge=0,
            le=10_000,
            description="Jobs with series of their own in `/metrics`, the first by name; others share one.",
        ),
    ] = 200
    event_streams_per_user: Annotated[
        int,
        Field(ge=1, le=10_000, description="Live event streams one user may have open at this master."),
    ] = 20
    state_dir: Annotated[
        FilePath,
        Field(
            description="Directory for what the master keeps; below `/var/lib/everytick` or the user's own."
        ),
    ] = Path("/var/lib/everytick/master")
    shutdown_grace_s: Annotated[
        int, Field(ge=0, le=3_600, description="Longest wait for open requests when stopping, in seconds.")
    ] = 10

    oidc_issuer: Annotated[
        str | None,
        Field(
            pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/]).+$",
            description="Address of an OpenID Connect provider people may sign in with; needs the extra "
            "`oidc`. It must be `https`, except on this host.",
        ),
    ] = None
    oidc_client_id: Annotated[
        str | None, Field(min_length=1, description="What the provider knows this installation as.")
    ] = None
    oidc_client_secret: Annotated[
        SecretStr | None, Field(description="Secret of that client; better in a file.")
    ] = None
    oidc_client_secret_file: Annotated[
        FilePath | None, Field(description="File that holds it alone."), FileRule(is_secret=True)
    ] = None
    oidc_scopes: Annotated[str, Field(description="What the provider is asked for.")] = "openid profile email"
    oidc_groups_claim: Annotated[
        str, Field(min_length=1, description="Claim of the token that lists somebody's groups.")
    ] = "groups"
    oidc_roles: Annotated[
        dict[str, GrantText],
        Field(
            default_factory=dict,
            max_length=256,
            description="Role of each group: `viewer`, `editor:shop,mail`. Without one nobody of it gets in.",
        ),
    ]
    oidc_name: Annotated[
        str, Field(min_length=1, max_length=64, description="What the button at the sign-in page says.")
    ] = "single sign-on"

    @property
    def token_file(self) -> Path:
        """Where the admin token is kept, given or not."""
        return self.admin_token_file or self.state_dir / "admin-token"

    @property
    def uses_tls(self) -> bool:
        """True when the master itself speaks TLS."""
        return self.tls_cert is not None

    def refusals(self) -> Iterable[Refusal]:
        yield from super().refusals()
        yield from one_needs_other("tlsCert", self.tls_cert, "tlsKey", self.tls_key)
        yield from one_needs_other("tlsKey", self.tls_key, "tlsCert", self.tls_cert)
        yield from one_needs_other("oidcIssuer", self.oidc_issuer, "oidcClientId", self.oidc_client_id)
        yield from one_needs_other("oidcClientId", self.oidc_client_id, "oidcIssuer", self.oidc_issuer)
        if not (is_loopback(self.api_host) or self.uses_tls or self.behind_tls_proxy):
            yield Refusal(
                ("apiHost", "tlsCert", "behindTlsProxy"),
                "other hosts can reach this address, so passwords would cross the network readable: "
                "set tlsCert and tlsKey, or behindTlsProxy when a proxy speaks TLS, or stay on 127.0.0.1",
            )


def _defaults(env: Mapping[str, str]) -> Mapping[str, object]:
    return {"stateDir": str(default_state_root(env) / "master")}


PROGRAM: Final = Program(
    name="master",
    model=MasterConfig,
    summary="Serve the API and the dashboard of everytick, and close what dead workers left open.",
    defaults=_defaults,
)


def parse_command_line(
    argv: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    online_checks: Callable[[MasterConfig], Sequence[OnlineCheck]] = lambda _config: (),
    errands: Mapping[str, Errand[MasterConfig]] | None = None,
) -> MasterConfig:
    """
    Return the configuration of this start; ends the program where it was asked for something else.

    Args:
        argv: Arguments without the program's name; those of this process by default.
        env: Environment; that of this process by default.
        online_checks: Makes what `--check=online` looks at.
        errands: What the program can do instead of serving, by option.

    Raises:
        SystemExit: 0 when only asked for a check, a print or help; 1 for a failed check; 2 for what is wrong.
    """
    return configuration_of(
        PROGRAM,
        sys.argv[1:] if argv is None else argv,
        os.environ if env is None else env,
        online_checks,
        errands,
    )
