"""Area: who may come in."""

import socket

from common.domain.errors import ConfigError
from master.adapters.mongo_accounts import MongoAccounts
from master.adapters.mongo_credentials import MongoCredentials
from master.assembly.ground import Ground
from master.domain.oidc import grant_of_text
from master.services.accounts import Accounts
from master.services.admin_token import AdminTokens, read_or_create_token
from master.services.api_tokens import ApiTokens
from master.services.identities import Identities
from master.services.oidc import Oidc
from master.services.password_hashing import PasswordHashing
from master.services.people import People
from master.services.sessions import Sessions
from master.services.setup import Setup, terminal
from master.services.sign_in import SignIn
from master.services.sign_in_throttle import SignInThrottle


def make_people(ground: Ground) -> People:
    """
    The people's services.

    Raises:
        ConfigError: The file of the admin token cannot be used.
    """
    clock, database = ground.clock, ground.database
    store = MongoAccounts(database, clock, lambda: ground.reader.is_connected)
    credentials = MongoCredentials(database, clock, lambda: ground.reader.is_connected)
    hashing = PasswordHashing()
    sessions, tokens = Sessions(credentials, clock), ApiTokens(credentials, clock)
    accounts = Accounts(store, sessions, tokens, hashing, clock)
    setup = Setup(store, credentials, accounts, hashing, clock, ground.address, terminal())
    admin_tokens = _admin_tokens(ground)
    return People(
        admin_tokens=admin_tokens,
        accounts=accounts,
        sessions=sessions,
        api_tokens=tokens,
        identities=Identities(admin_tokens, accounts, sessions, tokens),
        setup=setup,
        sign_in=SignIn(accounts, sessions, setup, SignInThrottle(credentials, clock)),
        oidc=_oidc(ground),
    )


def _admin_tokens(ground: Ground) -> AdminTokens:
    file = ground.config.token_file
    return AdminTokens(
        read_or_create_token(file),
        f"{socket.gethostname()}:{file.resolve()}",
        ground.store,
        ground.keyspace,
        ground.feed(ground.keyspace.admin_tokens, "admin_tokens"),
    )


def _oidc(ground: Ground) -> Oidc | None:
    config = ground.config
    if config.oidc_issuer is None or config.oidc_client_id is None:
        return None
    try:
        # Only here: the extra `oidc` is not installed everywhere.
        from master.adapters.oidc_provider import OidcProvider
    except ModuleNotFoundError as error:
        raise ConfigError(
            "oidcIssuer: signing in with an identity provider needs the extra: pip install 'everytick[oidc]'",
            key="oidcIssuer",
        ) from error
    secret = config.oidc_client_secret
    provider = OidcProvider(
        config.oidc_issuer,
        config.oidc_client_id,
        secret.get_secret_value() if secret else None,
        config.oidc_scopes,
        ground.clock,
    )
    return Oidc(
        provider=provider,
        name=config.oidc_name,
        groups_claim=config.oidc_groups_claim,
        roles={group: grant_of_text(text) for group, text in config.oidc_roles.items()},
    )
