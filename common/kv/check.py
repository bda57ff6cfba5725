"""What `--check=online` looks at in etcd, for every program."""

import re
from typing import Final

from common.config.sections import EtcdSection
from common.domain.errors import ConfigError
from common.kv.etcd import EtcdStore
from common.kv.etcd_settings import EtcdSettings

_UNSAFE: Final = re.compile(r"3\.5\.[0-2](\D.*)?")


def settings_of(section: EtcdSection) -> EtcdSettings:
    """How the configuration says to reach etcd."""
    return EtcdSettings(
        endpoints=section.etcd_endpoints,
        dial_timeout_s=section.etcd_dial_timeout_ms / 1000,
        username=section.etcd_username or "",
        password=section.etcd_password.get_secret_value() if section.etcd_password else "",
        ca_cert=str(section.etcd_ca_cert or ""),
        cert=str(section.etcd_cert or ""),
        key=str(section.etcd_key or ""),
    )


def is_unsafe_etcd(version: str) -> bool:
    """Whether this release of etcd can lose data in a crash (3.5.0 to 3.5.2)."""
    return _UNSAFE.fullmatch(version) is not None


class EtcdCheck:
    """Reaches etcd, reads below the prefix, and looks at its version."""

    name = "etcd"

    def __init__(self, section: EtcdSection) -> None:
        self._section = section

    async def run(self) -> str:
        async with EtcdStore(settings_of(self._section)) as store:
            status = await store.status()
            await store.txn(reads=[self._section.key_prefix])
        if is_unsafe_etcd(status.version) and not self._section.allow_unsafe_etcd:
            raise ConfigError(
                f"etcd {status.version} can lose data in a crash: upgrade it, or set allowUnsafeEtcd"
            )
        return f"version {status.version} at {status.endpoint}, {status.db_size_bytes} bytes"
