"""The members of the fast-weight family that programs are compiled to, by name: see `compiler.fastweight.targets`."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Target: TypeAlias = Literal["linear", "delta", "deltaproduct", "recurrent-delta", "srwm"]
TARGETS: tuple[Target, ...] = get_args(Target)
