"""Properties on the command line: ``attnc check`` decides them on programs, ``attnc verify`` on models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Attnc = Callable[..., Any]

LIGHT = """automaton light {
  alphabet tick, fault
  start state red emits stop { tick -> green; fault -> red }
  state green emits go { tick -> red; fault -> green }
  always red_first
  never /.* go go .*/
}
automaton ends_in_b { alphabet a, b; language /.*b/; never /a{3}b/ }
automaton red_first { alphabet stop, go; language /stop .*/ }
"""


def test_check_points_at_the_property_that_fails_and_at_the_least_word(attnc: Attnc) -> None:
    Path("f.attn").write_text(LIGHT, encoding="utf-8")
    result = attnc("check", "f.attn", "--json")
    assert result.status == 1
    assert [(row["properties"], row["failed"]) for row in result.json["programs"]] == [(2, 1), (1, 1), (0, 0)]
    assert "f.attn:6:3: error: this property fails on tick, fault: the output is stop, go, go\n" in result.err
    assert "f.attn:8:54: error: this property fails on aaab: accepted\n" in result.err
    assert "properties" in attnc("check", "f.attn::light").out
    assert attnc("check", "f.attn::red_first").status == 0
