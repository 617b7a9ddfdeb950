"""What is measured, and how it is told."""

import json
from dataclasses import dataclass
from typing import Optional


class NotMeasured(Exception):
    """Why a figure could not be measured."""


@dataclass
class Figure:
    """One measured value, beside a peer that was measured in the same run and a limit that the project set itself."""

    name: str
    value: float
    unit: str
    peer: Optional[str] = None
    peer_value: Optional[float] = None
    limit: Optional[float] = None
    note: Optional[str] = None

    @property
    def ratio(self):
        """Ours to the peer's; None when there is no peer, or it has nothing."""
        return self.value / self.peer_value if self.peer_value else None

    def line(self):
        text = f"{self.name:<40} {number(self.value):>14} {self.unit}"
        if self.limit is not None:
            text += f"  (limit {number(self.limit)})"
        if self.peer_value is not None:
            text += f"  ({self.peer}: {number(self.peer_value)}" + (f", ratio {self.ratio:.3g})" if self.ratio is not None else ")")
        if self.note:
            text += f"\n{'':<40} {self.note}"
        return text

    def json(self):
        members = {"name": self.name, "value": self.value, "unit": self.unit}
        if self.peer_value is not None:
            members |= {"peer": self.peer, "peer_value": self.peer_value, "ratio": self.ratio}
        if self.limit is not None:
            members["limit"] = self.limit
        if self.note:
            members["note"] = self.note
        return json.dumps(members)


def number(value):
    """Four significant digits, whole numbers in groups of three."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.4g}"
