"""Models of the fast-weight family: Python, command line and files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

import attnc
from compiler.errors import FileError, UnsupportedError
from compiler.fastweight.target import TARGETS
from compiler.files.canonical_json import canonical
from compiler.files.recurrent_file import KEY, _digest, load_recurrent, recurrent_to_bytes

Attnc = Callable[..., Any]


@pytest.mark.parametrize(
    "name", ["lexer", "parity", "tomita2", "edge_detector", "capitals", "locks", "votes", "vectors"]
)
@pytest.mark.parametrize("target", TARGETS)
def test_files_hold_the_model(name: str, target, tmp_path: Path) -> None:
    program = attnc.load(name)
    if not attnc.explain(program, target).expressible:
        unknown = attnc.explain(program, target).expressible is None
        said = f"this version does not compile {name} to {target}" if unknown else f"{target} cannot express {name}"
        with pytest.raises(UnsupportedError, match=said):
            attnc.compile_to(program, target)
        return
    model = attnc.compile_to(program, target)
    attnc.save(model, tmp_path / "m.safetensors")
    again = attnc.load(tmp_path / "m.safetensors")
    assert recurrent_to_bytes(again) == recurrent_to_bytes(model)
    assert (again.program, again.target, again.sizes) == (program, target, model.sizes)
    for example in program.examples:
        assert again.run(example.word) == program.run(example.word)


def changed(content: bytes, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> bytes:
    """The file with its description or its tensors changed, and the right digest."""
    described = json.loads(json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"][KEY])
    tensors = {name: array.copy() for name, array in load_tensors(content).items()}
    change(described, tensors)
    described["digest"] = _digest(described, tensors)
    return save_tensors(tensors, metadata={KEY: canonical(described).decode()})


def setting(*path: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    *way, last, value = path

    def change(described: dict[str, Any], tensors: dict[str, Any]) -> None:
        place: Any = tensors if way and way[0] == "tensors" else described
        for key in way[1:] if way and way[0] == "tensors" else way:
            place = place[key]
        place[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        setting("format", 2),
        setting("target", "lstm"),
        setting("program", "automaton x {"),
        setting("program", str(attnc.load("increment"))),
        setting("shown", None),
        setting("shown", []),
        setting("layers", []),
        setting("layers", 0, "kind", "Popen"),
        setting("layers", 0, "thresholds", []),
        setting("layers", 0, "beta_max", [1]),
        setting("tensors", "0.W_k", np.full((1, 1, 1, 3), np.nan)),
        setting("tensors", "0.W_k", np.ones((1, 1, 1, 3), dtype=np.float32)),
        setting("tensors", "0.masks", np.ones((1, 1), dtype=np.int64)),
        setting("tensors", "0.table", np.array([[0, 0, 99]])),
        setting("tensors", "0.table", np.array([[99, 0, 0]])),
        setting("tensors", "0.table", np.zeros((0,), dtype=np.int64)),
        lambda _, tensors: tensors.pop("0.masks"),
    ],
)
def test_hostile_files_are_refused(change, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    content = recurrent_to_bytes(attnc.compile_to(attnc.load("tomita1"), "delta"))
    path.write_bytes(changed(content, change))
    with pytest.raises(FileError, match=r"m\.safetensors"):
        load_recurrent(path)


def cut(*names: str, axis: int) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Tensors without their last entries along an axis."""

    def change(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        for name in names:
            tensors[name] = np.ascontiguousarray(np.delete(tensors[name], -1, axis))

    return change


def wider(times: int) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    """Counts of so many times as many bits, in a layer that fits together."""

    def change(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        for name, axes in {"W_v": (1,), "R_q": (2,), "R_k": (2,), "R_v": (1, 2), "r_beta": (1,), "W_0": (1,)}.items():
            for axis in axes:
                tensors[f"0.{name}"] = np.repeat(tensors[f"0.{name}"], times, axis)

    return change


def of_another_layer(described: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Self-referential weights that read and answer what real vectors want."""
    described["target"], described["layers"] = "srwm", [{"kind": "SelfReferential"}]
    tensors.clear()
    tensors["0.W_0"] = np.zeros((1, 16 + 2 * 48 + 4, 48))


@pytest.mark.parametrize(
    ("name", "target", "change"),
    [
        *(("parity", "recurrent-delta", cut(f"0.{weights}", axis=-1)) for weights in ("R_q", "R_k", "R_v", "r_beta")),
        *(("parity", "recurrent-delta", cut(f"0.{weights}", axis=1)) for weights in ("W_k", "W_v", "w_beta", "W_0")),
        ("parity", "srwm", cut("0.embeddings", axis=0)),
        ("votes", "linear", cut("0.W_q", "0.W_k", "0.W_v", axis=2)),
        ("votes", "deltaproduct", cut("0.W_v", axis=2)),
        ("votes", "srwm", cut("0.embeddings", axis=0)),
        ("votes", "srwm", lambda _, tensors: tensors.pop("0.embeddings")),
        ("votes", "srwm", lambda _, tensors: tensors["0.embeddings"].__setitem__((0, 0), np.inf)),
        ("votes", "recurrent-delta", cut("0.W_v", "0.R_q", "0.R_k", "0.R_v", "0.r_beta", "0.W_0", axis=0)),
        ("votes", "recurrent-delta", wider(3)),
        ("vectors", "linear", of_another_layer),
        ("votes", "linear", cut("stored", axis=0)),
        ("votes", "linear", setting("tensors", "stored", -np.ones((3, 3), dtype=np.int64))),
        ("votes", "linear", setting("tensors", "stored", np.ones((3, 3)))),
        ("votes", "linear", lambda _, tensors: tensors.pop("stored")),
        ("votes", "linear", setting("layers", 0, "normalise", True)),
        ("vectors", "linear", cut("0.W_q", "0.W_k", "0.W_v", axis=2)),
        ("vectors", "linear", setting("tensors", "stored", np.ones((1, 1), dtype=np.int64))),
        ("parity", "srwm", setting("layers", 0, "thresholds", [[]])),
        ("tomita1", "delta", setting("layers", 0, "thresholds", [[0.875, 0.5, 0.125]])),
        ("tomita1", "delta", setting("layers", 0, "beta_max", 2)),
        ("dyck1_depth8", "linear", setting("layers", 0, "normalise", True)),
        ("parity", "srwm", setting("target", "delta")),
        ("parity", "srwm", setting("shown", [["maybe", None], [True, None]])),
        ("parity", "srwm", setting("more", 1)),
        ("parity", "srwm", setting("tensors", "0.more", np.ones(1))),
        ("parity", "srwm", lambda _, tensors: tensors["0.table"].__setitem__((0, 1), 2)),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(name: str, target, change, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(changed(recurrent_to_bytes(attnc.compile_to(attnc.load(name), target)), change))
    with pytest.raises(FileError, match=r"m\.safetensors"):
        load_recurrent(path)


def test_a_model_in_a_file_that_differs_from_its_program_is_noticed(attnc: Attnc) -> None:
    assert attnc("compile", "parity", "--target", "srwm", "-o", "m.safetensors").status == 0
    path = Path("m.safetensors")
    assert "differs" not in attnc("run", "parity", "1", "--model", "m.safetensors").err

    def turn(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        tensors["0.table"][:, -1] = 1 - tensors["0.table"][:, -1]

    path.write_bytes(changed(path.read_bytes(), turn))
    assert "the model differs from the program on 1" in attnc("run", "parity", "1", "--model", "m.safetensors").err


def test_counts_without_room_are_no_mistake_of_the_compiler(attnc: Attnc) -> None:
    word = ", ".join(["holiday = yes"] * 300 + ["holiday"])
    for target in ("linear", "deltaproduct", "srwm"):
        told = attnc("run", "votes", word, "--target", target, "--precision", "bfloat16")
        assert (told.status, told.out) == (2, "")
        assert "no room in bfloat16" in told.err
        assert "report" not in told.err


def test_damaged_and_other_files(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    content = recurrent_to_bytes(attnc.compile_to(attnc.load("parity"), "srwm"))
    for place in range(0, len(content), max(1, len(content) // 50)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(FileError):
            attnc.load(path)
    attnc.save(attnc.compile(attnc.load("parity")), path)
    assert load_recurrent(path) is None
    path.write_bytes(b"\x80\x04K")
    assert load_recurrent(path) is None


def test_explain_says_which_and_why(attnc: Attnc) -> None:
    told = attnc("explain", "parity", "--target", "delta")
    assert (told.status, told.out[:23]) == (1, "delta: no; repeating 1 ")
    assert attnc("explain", "parity", "--target", "deltaproduct").status == 0
    assert attnc("explain", "votes", "--target", "srwm").status == 0
    assert "2^" not in attnc("explain", "votes", "--target", "srwm").out
    assert "tokens in all, counts below 2^23\n" in attnc("explain", "votes", "--target", "recurrent-delta").out
    assert attnc("explain", "vectors", "--target", "srwm").status == 1
    Path("long.attn").write_text("automaton long { alphabet a, b; language /[ab]*a%s/ }" % ("[ab]" * 12))
    large = attnc("explain", "long.attn", "--target", "srwm")
    assert (large.status, large.out[:40]) == (3, "srwm: not known; too large: its table ha")
    found = attnc("explain", "parity", "--json").json
    assert [row["expressible"] for row in found["targets"]] == [False, False, True, True, True]
    assert [row["word"] for row in found["targets"]] == [["1"], ["1"], None, None, None]
    one = attnc("explain", "flip_flop", "--target", "linear", "--json").json
    assert (one["target"], one["expressible"], one["kind"]) == ("linear", False, "automaton")
    refused = attnc("explain", "increment")
    assert (refused.status, refused.out) == (2, "")
    assert "is a machine" in refused.err


def test_compile_and_run_on_the_command_line(attnc: Attnc) -> None:
    told = attnc("compile", "s3", "--target", "deltaproduct", "-o", "m.safetensors", "--json")
    assert told.json["layers"] == [
        {"layer": "DeltaProduct", "tokens": 3, "heads": 4, "keys": 6, "values": 1, "steps": 2}
    ]
    by_file = attnc("run", "s3", "tct", "--model", "m.safetensors", "--precision", "bfloat16", "--json")
    by_target = attnc("run", "s3", "tct", "--target", "srwm", "--json")
    plain = attnc("run", "s3", "tct", "--json")
    assert by_file.status == by_target.status == 0
    for each in (by_file, by_target):
        assert [row["outcome"] for row in each.json["runs"]] == [row["outcome"] for row in plain.json["runs"]]
    assert "DeltaProduct" in attnc("compile", "s3", "--target", "deltaproduct", "-o", "m.safetensors").out


def test_a_minimised_program_is_run_as_the_one_it_came_from(attnc: Attnc) -> None:
    source = """automaton big { alphabet a; start accept state p { a -> q }
      state q { a -> r }; accept state r { a -> s }; state s { a -> p } }"""
    Path("big.attn").write_text(source)
    assert attnc("compile", "big.attn", "--minimise", "--target", "srwm", "-o", "m.safetensors").status == 0
    told = attnc("run", "big.attn", "aa", "aaa", "--model", "m.safetensors", "--json")
    assert [row["outcome"] for row in told.json["runs"]] == ["accepted", "rejected"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "parity", "1", "--precision", "float16"), "recurrent layers"),
        (("run", "parity", "1", "--target", "srwm", "--trace"), "alone"),
        (("run", "parity", "1", "--target", "srwm", "--model", "m.safetensors"), "or a --model"),
        (("run", "mod3", "1", "--model", "m.safetensors"), "not this mod3"),
        (("run", "parity", "2", "--target", "srwm"), "2"),
        (("run", "vectors", "2", "--target", "linear"), "recall"),
        (("run", "parity", "1", "--target", "linear"), "cannot express parity"),
        (("compile", "parity", "--target", "srwm", "-o", "n.safetensors", "--fewest", "heads"), "--minimise"),
        (("compile", "parity", "--target", "srwm", "-o", "n.npz"), ".safetensors"),
        (("verify", "parity", "m.safetensors"), "attnc run --model"),
    ],
)
def test_usage(attnc: Attnc, arguments: tuple[str, ...], message: str) -> None:
    assert attnc("compile", "parity", "--target", "srwm", "-o", "m.safetensors").status == 0
    told = attnc(*arguments)
    assert (told.status, told.out) == (2, "")
    assert message in told.err
    assert "Traceback" not in told.err
