"""Where the figures of `make bench` go: lines of build/bench.json, the newest of each name, and the screen."""

from __future__ import annotations

import json
import os
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def record(name: str, value: float, reference: float, unit: str = "s") -> None:
    """The figure and what it is measured by are told."""
    rows = json.loads(OUT.read_text()) if OUT.exists() else []
    row = {"name": name, "value": value, "reference": reference, "ratio": value / reference, "unit": unit}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([r for r in rows if r["name"] != name] + [row], indent=1))
    os.write(1, f"\n{name}: {row['ratio']:.2f} ({value:.6g} against {reference:.6g} {unit})\n".encode())
