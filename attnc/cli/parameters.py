"""Values of options that click has no type for."""

from __future__ import annotations

import re
from fractions import Fraction
from math import inf, nan
from typing import Literal

import click

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Bytes(click.ParamType[int]):
    """An amount of memory: ``4GB``, ``500MB``, or a number of bytes."""

    name = "SIZE"

    def convert(  # noqa: D102 - click's interface
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]?B)?", str(value).strip(), flags=re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is no amount of memory; expected such as 500MB or 4GB", param, ctx)
        return int(float(match[1]) * UNITS[(match[2] or "B").upper()])


class Ridge(click.ParamType[float | Literal["cv"]]):
    """A number of at least 0, or ``cv``."""

    name = "NUMBER|cv"

    def convert(  # noqa: D102 - click's interface
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | Literal["cv"]:
        if value == "cv":
            return "cv"
        try:
            number = float(str(value))
        except ValueError:
            number = nan
        if not 0 <= number < inf:
            self.fail(f"{value!r} is no ridge; expected a finite number of at least 0, or cv", param, ctx)
        return number


class Distance(click.ParamType[Fraction]):
    """A number of at least 0, exactly: ``0.05``, ``1e-3`` or ``1/20``."""

    name = "T"

    def convert(  # noqa: D102 - click's interface
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        text = str(value)
        if not re.fullmatch(r"\d{1,30}(/\d{1,30}|(\.\d{1,30})?(e[+-]?\d{1,3})?)", text, flags=re.IGNORECASE):
            self.fail(f"{text!r} is no distance; expected a number of at least 0, such as 0.05 or 1/20", param, ctx)
        try:
            return Fraction(text)
        except ZeroDivisionError:
            self.fail(f"{text!r} divides by zero", param, ctx)


class Shard(click.ParamType[tuple[int, int]]):
    """The i-th of N parts, ``i/N``, from 1."""

    name = "i/N"

    def convert(  # noqa: D102 - click's interface
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", str(value))
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            self.fail(f"{value!r} is no shard; expected i/N with i from 1 to N, such as 3/8", param, ctx)
        return int(match[1]), int(match[2])
