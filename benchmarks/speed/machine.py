"""What machine, what software, when: figures mean nothing without it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """Processor, cores, memory, system, Python, date."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "features": sorted(_cpu_flags() & {"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8"}),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def _proc_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def _cpu_name() -> str:
    return _proc_field("model name") or platform.processor() or "unknown"


def _cpu_flags() -> set[str]:
    return set(_proc_field("flags").split())


def versions(packages: Sequence[str], folder: Path) -> dict[str, str]:
    """Installed versions of packages."""
    wanted = {name.split("[")[0].lower().replace("_", "-") for name in packages}
    found = {found.name.lower().replace("_", "-"): found.version for found in distributions(path=[str(folder)])}
    return {name: found[name] for name in sorted(wanted) if name in found}
