"""The host this worker runs on: its name, its address as others see it, and how it is doing."""

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from common.domain.records import Document


def host_name() -> str:
    return socket.gethostname()


def address_towards(endpoints: Iterable[str]) -> str:
    """
    The address this host reaches etcd with, which is the one that names it best: a host has many.

    Args:
        endpoints: `host:port`, with or without a scheme; nothing is sent to them.
    """
    for endpoint in endpoints:
        host, _, port = endpoint.rpartition("://")[2].rpartition(":")
        try:
            found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
        except (OSError, ValueError):
            continue
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                try:
                    # Connecting a datagram socket only asks the routing table.
                    probe.connect(address)
                except OSError:
                    continue
                return str(probe.getsockname()[0])
    return "127.0.0.1"


class HostMetrics:
    """Samples of this host; `cpu_percent` is since the sample before."""

    def __init__(self, state_dir: Path) -> None:
        """
        Args:
            state_dir: The disk that is reported is the one this is on.
        """
        self._state_dir = state_dir
        self._process = psutil.Process()
        psutil.cpu_percent()
        self._process.cpu_percent()

    def sample(self) -> Document:
        """Percentages are of all CPUs for the host, of one CPU for the worker."""
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(self._state_dir))
        load_1, load_5, load_15 = os.getloadavg()
        return {
            "cpu_percent": psutil.cpu_percent(),
            "cpu_count": psutil.cpu_count() or 1,
            "memory_total_bytes": memory.total,
            "memory_used_bytes": memory.total - memory.available,
            "disk_total_bytes": disk.total,
            "disk_used_bytes": disk.used,
            "load_1": load_1,
            "load_5": load_5,
            "load_15": load_15,
            "worker_cpu_percent": self._process.cpu_percent(),
            "worker_rss_bytes": self._process.memory_info().rss,
        }
