"""From configuration to what the adapters want."""

import re
from typing import Final

from common.kv.etcd_settings import EtcdSettings
from master.config import MasterConfig

_UNSAFE: Final = re.compile(r"3\.5\.[0-2](\D.*)?")


def etcd_settings(config: MasterConfig) -> EtcdSettings:
    """How the configuration says to reach etcd."""
    return EtcdSettings(
        endpoints=config.etcd_endpoints,
        dial_timeout_s=config.etcd_dial_timeout_ms / 1000,
        username=config.etcd_username or "",
        password=config.etcd_password.get_secret_value() if config.etcd_password else "",
        ca_cert=str(config.etcd_ca_cert or ""),
        cert=str(config.etcd_cert or ""),
        key=str(config.etcd_key or ""),
    )


def is_unsafe_etcd(version: str) -> bool:
    """Whether this release of etcd can lose data in a crash (3.5.0 to 3.5.2)."""
    return _UNSAFE.fullmatch(version) is not None
