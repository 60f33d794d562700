"""From measurements to ``results.json``, tables, and the marked blocks of the pages that show them."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import QuanheError, read_utf8
from speed.catalogue import BASELINE, System
from speed.measure import quantile

_Figures = Mapping[str, Any]
_ROOF = "gemm"


def summarise(systems: Sequence[System], rounds: Mapping[str, Sequence[_Figures]], failed: Mapping[str, str]) -> Any:
    """Medians over the rounds: ``rows`` in the systems' order, ``probes``, and what is ``left_out`` and why."""
    measured = [system for system in systems if rounds.get(system.key)]
    rows = [_row(system, rounds[system.key]) for system in measured if not system.probe]
    base = next((row["words_per_second"] for row in rows if row["system"] == BASELINE), None)
    for row in rows:
        row["ratio"] = round(row["words_per_second"] / base, 3) if base else None
    left_out = [
        {"system": s.key, "title": s.title, "reason": failed.get(s.key, "not measured")}
        for s in systems
        if s not in measured
    ]
    probes = [(system, _rates(rounds[system.key])) for system in measured if system.probe]
    return {"baseline": BASELINE, "rows": rows, "left_out": left_out, **_share(probes)}


def _row(system: System, rounds: Sequence[_Figures]) -> dict[str, Any]:
    speeds = [figures["words"] / figures["seconds"] for figures in rounds]
    row: dict[str, Any] = {
        "system": system.key,
        "title": system.title,
        "finds": system.finds,
        "precision": system.precision,
        "about": system.about,
        "words_per_second": round(statistics.median(speeds), 1),
        "slowest_round": round(min(speeds), 1),
        "fastest_round": round(max(speeds), 1),
        "rounds": len(rounds),
        "memory_mb": round(statistics.median(figures["memory"] for figures in rounds) / 1e6, 1),
        "model_mb": round(rounds[0]["model"] / 1e6, 1),
        "install_mb": round(rounds[0]["install"] / 1e6, 1),
        "found": rounds[0]["found"],
        "setting": rounds[0]["choice"],
        "tried": rounds[0].get("tried", []),
    }
    if "latency" in rounds[0]:
        for name, share in (("p50_ms", 0.5), ("p95_ms", 0.95)):
            row[name] = round(statistics.median(quantile(f["latency"], share) for f in rounds) * 1000, 1)
        row["startup_s"] = round(statistics.median(figures["startup"] for figures in rounds), 2)
    return row


def _rates(rounds: Sequence[_Figures]) -> dict[str, float]:
    """GFLOP/s by precision."""
    names = rounds[0]["gflops"]
    return {name: round(statistics.median(figures["gflops"][name] for figures in rounds), 1) for name in names}


def _share(probes: Sequence[tuple[System, Mapping[str, float]]]) -> dict[str, Any]:
    """What the encoder's engines reach of what matrix products alone do in the same numbers."""
    roof = next((rates for system, rates in probes if system.key == _ROOF), {})
    encoders = [
        {"title": system.title, "numbers": numbers, "gflops": rate, "share_of_peak": _part(rate, roof.get(numbers))}
        for system, rates in probes
        if system.key != _ROOF
        for numbers, rate in rates.items()
    ]
    return {"matrix_gflops": dict(roof), "encoders": encoders}


def _part(rate: float, roof: float | None) -> float | None:
    return round(rate / roof, 3) if roof else None


def table(results: Mapping[str, Any], *, full: bool) -> str:
    """The rows as markdown; ``full`` with sizes and what is left out."""
    names = ["", "finds", "words/s", "× pipeline", "p50 ms", "p95 ms", "start s", "memory MB"]
    if full:
        names[2:2] = ["precision"]
        names += ["model MB", "install MB"]
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * 2}{'---:|' * (len(names) - 2)}"]
    for row in results["rows"]:
        cells = [
            row["title"],
            row["finds"],
            _number(row["words_per_second"]),
            _ratio(row["ratio"]),
            *(_number(row.get(name)) for name in ("p50_ms", "p95_ms")),
            _decimal(row.get("startup_s")),
            _number(row["memory_mb"]),
        ]
        if full:
            cells[2:2] = [row["precision"]]
            cells += [_number(row["model_mb"]), _number(row["install_mb"])]
        lines.append(f"| {' | '.join(cells)} |")
    for row in results["left_out"] if full else ():
        lines.append(f"| {row['title']} | left out: {row['reason'].replace('|', '/')} |{' |' * (len(names) - 2)}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def conditions(results: Mapping[str, Any]) -> str:
    """One paragraph: machine, texts, rounds."""
    machine, texts = results["machine"], results["texts"]
    rounds = max((row["rounds"] for row in results["rows"]), default=0)
    threads = results["options"]["threads"]
    cores = f"{machine['cores']} cores{f' ({threads} used)' if threads else ''}"
    what = (
        f"{texts['articles']} articles, {texts['words']:,} words, median of {rounds} round{'s' if rounds != 1 else ''}"
    )
    where = f"{machine['cpu']}, {cores}, {machine['memory_gb']} GB, Python {machine['python']}, {machine['date']}"
    return f"{where}: {what} (`{results['command']}`)."


def short_block(results: Mapping[str, Any], picture: str) -> str:
    """For the README."""
    return f"{table(results, full=False)}\n\n![words a second, on a log scale]({picture})\n\n{conditions(results)}"


def full_block(results: Mapping[str, Any], picture: str) -> str:
    """For docs/performance.md: everything, with what each row is."""
    parts = [conditions(results), f"![words a second, on a log scale]({picture})", table(results, full=True)]
    notes = [f"* **{row['title']}**{_setting(row)}: {row['about']}." for row in results["rows"] if row["about"]]
    if notes:
        parts.append("\n".join(notes))
    if results["matrix_gflops"]:
        roof = ", ".join(f"{name} {_number(rate)}" for name, rate in results["matrix_gflops"].items())
        parts.append(f"Matrix products alone reach, in GFLOP/s (int8: 10⁹ operations a second): {roof}.")
    for probe in results["encoders"]:
        share = "" if probe["share_of_peak"] is None else f": {probe['share_of_peak']:.0%} of that"
        parts.append(f"{probe['title']} does {_number(probe['gflops'])} in {probe['numbers']}{share}.")
    return "\n\n".join(parts)


def _setting(row: Mapping[str, Any]) -> str:
    setting = ", ".join(f"{name} {value}" for name, value in row["setting"].items())
    return f" ({setting}, the fastest of {len(row['tried'])})" if setting else ""


def rewrite(page: Path, block: str) -> None:
    """Put a block between the marks of a page.

    Raises:
        QuanheError: the page has no marks.
    """
    marked = re.compile(r"(<!-- speed: begin[^\n]*-->\n).*?(\n<!-- speed: end -->)", re.DOTALL)
    text = read_utf8(page)
    if len(marked.findall(text)) != 1:
        raise QuanheError(f"{page}: one pair of lines '<!-- speed: begin … -->' and '<!-- speed: end -->' is needed")
    page.write_text(marked.sub(lambda found: f"{found[1]}{block}{found[2]}", text), encoding="utf-8")
