"""Files of weights that something else wrote: read exactly in every layout, and refused with the reason."""

import json
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as save_tensors
from simulated_layers import in_another_basis, moved, projections, schemes, stacked

import attnc as package
from compiler.errors import FileError, ModelError
from compiler.language.load import load
from compiler.model import Model
from compiler.program_to_model import compile

Attnc = Callable[..., Any]

PARITY = compile(load("parity"))
NAMES = ("V and Q", "per head", "W_Q", "stacked", "linear", "out_proj", "multihead")
PROGRAMS = ("parity", "mod3", "flip_flop", "turnstile", "capitals", "busy_beaver_2")


def write(path: str, arrays: dict[str, Any], metadata: dict[str, str] | None = None) -> None:
    if path.endswith(".npz"):
        np.savez(path, **arrays)
    else:
        numbers = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        Path(path).write_bytes(save_tensors(numbers, metadata=metadata))


def raw(dtype: str, content: bytes) -> bytes:
    """A safetensors file with V and Q (2, 2) of a dtype that numpy may not have."""
    size = len(content)
    entries = {
        name: {"dtype": dtype, "shape": [2, 2], "data_offsets": [n * size, (n + 1) * size]}
        for n, name in enumerate("VQ")
    }
    header = json.dumps(entries, separators=(",", ":")).encode()
    return struct.pack("<Q", len(header)) + header + content * 2


def words(*names: str) -> Any:
    return np.array(names)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_layout_is_the_program(name: str) -> None:
    program = load(name)
    model = compile(program)
    given = schemes(model)
    assert tuple(given) == NAMES
    for scheme, arrays in given.items():
        for path in ("m.npz", "m.safetensors"):
            write(path, arrays)
            read = package.load_model(path)
            assert read.coordinates == tuple(f"x[{n}]" for n in range(model.d))
            assert (read.V == model.V).all(), scheme
            assert (read.Q == model.Q).all(), scheme
        if scheme in ("V and Q", "linear"):
            verdict = package.verify(program, read)
            assert (verdict.verdict, bool(verdict.witness)) == ("proved", True)
            assert verdict.level == ("domain" if name == "busy_beaver_2" else "everywhere")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "u2", "i8"])
def test_every_type_of_number_is_exact(kind: str) -> None:
    model = PARITY if kind[0] != "u" else Model.from_arrays(abs(PARITY.V), abs(PARITY.Q))
    for path in ("m.npz", "m.safetensors"):
        write(path, {"V": model.V.astype(kind), "Q": model.Q.astype(kind)})
        assert (package.load_model(path).V == model.V).all()


@pytest.mark.usefixtures("folder")
def test_a_bfloat16_is_the_float_that_it_begins() -> None:
    V = np.array([[0.15625, -3.0], [1e30, 2.0**-130]], dtype="<f4").view("<u4") >> 16
    Path("m.safetensors").write_bytes(raw("BF16", V.astype("<u2").tobytes()))
    read = package.load_model("m.safetensors").V[0]
    assert (read == (V << 16).astype("<u4").view("<f4").astype(float)).all()
    assert read[0].tolist() == [0.15625, -3.0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_products_of_projections_are_exact(seed: int, heads: int, d: int, keys: int, values: int) -> None:
    """Against the layer of projections itself, evaluated in rationals, token by token."""
    from compiler.files.projections import fused

    rng = np.random.default_rng(seed)
    sizes = {"q": (keys, d), "k": (keys, d), "v": (values, d), "o": (d, values)}
    parts = {role: rng.normal(size=(heads, *size)) * 2.0 ** rng.integers(-60, 60) for role, size in sizes.items()}
    Z = rng.integers(-3, 4, (3, d)).astype(object)
    exact = {
        role: np.array([Fraction(x) for x in part.ravel()], dtype=object).reshape(part.shape)
        for role, part in parts.items()
    }
    expected = sum(
        exact["o"][h] @ (exact["v"][h] @ z) * ((exact["k"][h] @ z) @ (exact["q"][h] @ Z[-1]))
        for h in range(heads)
        for z in Z
    )
    for arrays in (parts, stacked(parts)):
        V, Q = fused(arrays, heads)
        assert (Model.from_arrays(V, Q).answer(Z) == expected).all()


def test_the_number_of_heads(attnc: Attnc) -> None:
    flat = stacked(projections(PARITY))
    write("m.npz", flat)
    attnc("verify", "parity", "m.npz").assert_refused("does not say how many heads", "--heads N")
    assert attnc("verify", "parity", "m.npz", "--heads", "2").out.startswith("proved (everywhere)")
    assert attnc("verify", "parity", "m.npz", "--heads", "1").status == 1
    attnc("verify", "parity", "m.npz", "--heads", "5").assert_refused("do not split into 5 heads")
    assert "--heads" in attnc("verify", "parity", "m.npz", "--heads", "0").err
    write("m.safetensors", flat, {"heads": "2", "format": "pt"})
    assert attnc("verify", "parity", "m.safetensors").status == 0
    attnc("verify", "parity", "m.safetensors", "--heads", "3").assert_refused("2 heads, not 3")
    write("m.npz", {"V": PARITY.V, "Q": PARITY.Q})
    attnc("verify", "parity", "m.npz", "--heads", "3").assert_refused("is not 3 heads")
    package.save(PARITY, "own.safetensors")
    attnc("verify", "parity", "own.safetensors", "--heads", "3").assert_refused("has 2 heads, not 3")
    write("m.npz", projections(PARITY))
    attnc("verify", "parity", "m.npz", "--heads", "3").assert_refused("is not 3 heads")
    rank_one = {"q": np.ones((1, 6)), "k": np.ones((1, 6)), "v": np.ones((1, 6)), "o": np.ones((6, 1))}
    write("m.npz", rank_one)
    assert package.load_model("m.npz").V.tolist() == np.ones((1, 6, 6)).tolist()
    write("m.npz", {"V": PARITY.V[0], "Q": PARITY.Q[0]})
    assert package.load_model("m.npz").V.shape == (1, 6, 6)


def test_run_and_load_take_them(attnc: Attnc) -> None:
    place = np.array([3, 1, 5, 0, 4, 2])
    shuffled = moved(PARITY, place)
    write("m.npz", {"V": shuffled.V, "Q": shuffled.Q})
    ran = attnc("run", "parity", "0110", "1", "--model", "m.npz", "--json")
    assert [run["outcome"] for run in ran.json["runs"]] == ["accepted", "rejected"]
    assert "names no coordinates" in ran.err
    assert isinstance(package.load("m.npz"), Model)
    read = package.load_model("m.npz", program=load("parity"))
    assert read.rules == PARITY.rules
    assert read.run("01").outcome == "rejected"
    assert package.decompile(read) == load("parity")
    write("named.npz", {"V": PARITY.V, "Q": PARITY.Q, "coordinates": words(*PARITY.coordinates)})
    assert package.verify(load("parity"), package.load("named.npz")).witness == ()
    assert attnc("decompile", "m.npz").status == 3
    embedded = {"tokens": words(*PARITY.tokens), "embeddings": np.stack(list(PARITY.tokens.values()))}
    write("whole.npz", {"V": PARITY.V, "Q": PARITY.Q, "coordinates": words(*PARITY.coordinates)} | embedded)
    assert package.parse(attnc("decompile", "whole.npz").out).transitions == load("parity").transitions


def test_coordinates_by_name(attnc: Attnc) -> None:
    place = [1, 2, 3, 4, 5, 0]
    model = moved(PARITY, np.array(place))
    names = [PARITY.coordinates[n] for n in place]
    write("m.safetensors", {"V": model.V, "Q": model.Q}, {"coordinates": json.dumps(names)})
    told = attnc("verify", "parity", "m.safetensors", "--json").json
    assert (told["verdict"], told["witness"]) == ("proved", [])


def test_the_order_that_is_found_is_said(attnc: Attnc) -> None:
    model = moved(PARITY, np.array([3, 1, 5, 0, 4, 2]))
    write("m.npz", {"V": model.V, "Q": model.Q})
    told = attnc("verify", "parity", "m.npz")
    assert told.status == 0
    for line in ("coordinate 2 is accept", "coordinate 3 is reg"):
        assert line in told.out
    V = model.V
    V[0, 2] += 1
    write("m.npz", {"V": V, "Q": model.Q})
    told = attnc("verify", "parity", "m.npz")
    assert told.status == 1
    assert "read in the program's own order (no other order makes its rules the program's)" in told.out


def test_a_basis_that_is_found_is_said(attnc: Attnc) -> None:
    M = np.eye(6, dtype=int).astype(object)
    M[:4, :4] = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) * Fraction(1, 2)
    model = in_another_basis(PARITY, M, M.T)
    arrays = {side: getattr(model, side).astype("f4") for side in "VQ"}
    arrays |= {"tokens": words(*model.tokens), "embeddings": np.stack(list(model.tokens.values())).astype("f2")}
    write("m.npz", arrays)
    told = attnc("verify", "parity", "m.npz")
    assert told.out.startswith("proved (everywhere)")
    assert "coordinate 1 = 1/2 reg - 1/2 state[even] + 1/2 state[odd] - 1/2 symbol[0]\n" in told.out
    assert "coordinate 5 = accept\n" in told.out
    write(
        "m.safetensors",
        {name: arrays[name] for name in ("V", "Q", "embeddings")},
        {"tokens": json.dumps([*model.tokens])},
    )
    assert attnc("verify", "parity", "m.safetensors").out.split("digests")[0] == told.out.split("digests")[0]
    arrays["V"][0, 0, 0] += 2**-20
    write("m.npz", arrays)
    assert attnc("verify", "parity", "m.npz", "--level", "domain").out.startswith("refuted (domain)")


def refusals() -> dict[str, tuple[dict[str, Any], str]]:
    V, Q = PARITY.V, PARITY.Q
    parts = projections(PARITY)
    flat = stacked(parts)
    bad = V.astype(float)
    bad[1, 2, 3] = np.nan
    linear = {f"{role}_proj.weight": flat[role] for role in "qkvo"} | {"heads": np.array(2)}
    return {
        "NaN": ({"V": bad, "Q": Q}, "'V' has an entry that is NaN"),
        "infinity": ({"V": V, "Q": np.where(Q == 1, np.inf, Q)}, "NaN or infinite"),
        "NaN bias": (linear | {"q_proj.bias": np.array([np.nan])}, "NaN or infinite"),
        "bias": (linear | {"v_proj.bias": np.array([0.0, 1.0])}, "v_proj.bias is not zero"),
        "norm": (linear | {"norm.weight": np.ones(6)}, "'norm.weight'"),
        "two layers": ({"0.V": V, "0.Q": Q, "1.V": V, "1.Q": Q}, "'0.Q'"),
        "no Q": ({"V": V}, "it has the weights V"),
        "no o": ({role: parts[role] for role in "qkv"}, "it has the weights k, q, v"),
        "weights twice": (parts | {"W_Q": parts["q"]}, "second array for the weights q"),
        "V of two dimensions": ({"V": V[0], "Q": Q}, "expected (heads, d, d)"),
        "V not square": ({"V": V[:, :5], "Q": Q}, "expected (heads, d, d)"),
        "no dimensions": ({"V": np.zeros((1, 0, 0)), "Q": np.zeros((1, 0, 0))}, "at least one coordinate"),
        "heads differ": (parts | {"k": parts["k"][:1]}, "have shapes q (2, 6, 6), k (1, 6, 6)"),
        "o not turned": (parts | {"v": parts["v"][:, :3], "o": parts["o"][:, :3]}, "expected q, k (H, d_k, d)"),
        "mixed layouts": (parts | {"o": flat["o"]}, "all need two dimensions"),
        "one axis": ({role: np.ones(6) for role in "qkvo"}, "two dimensions, or all three"),
        "empty": ({role: parts[role][:0] for role in "qkvo"}, "have shapes"),
        "in_proj": ({"in_proj_weight": np.ones((7, 3)), "out_proj.weight": np.ones((3, 3))}, "expected (3 d, d)"),
        "text": ({"V": V.astype(str), "Q": Q}, "expected numbers"),
        "booleans": ({"V": V > 0, "Q": Q}, "expected numbers"),
        "heads of text": ({**flat, "heads": words("2")}, "one whole number"),
        "no heads": ({**flat, "heads": np.array(0)}, "one whole number"),
        "many heads": ({**flat, "heads": np.array([2, 2])}, "one whole number"),
        "no names": ({"V": V, "Q": Q, "embeddings": np.ones((1, 6))}, "no names (tokens)"),
        "no embeddings": ({"V": V, "Q": Q, "tokens": words("start")}, "no embeddings"),
        "embeddings of another d": (
            {"V": V, "Q": Q, "tokens": words("start"), "embeddings": np.ones((1, 5))},
            "expected (1, 6)",
        ),
        "two tokens": ({"V": V, "Q": Q, "tokens": words("a", "a"), "embeddings": np.ones((2, 6))}, "the same name"),
        "tokens of numbers": ({"V": V, "Q": Q, "tokens": np.arange(2), "embeddings": np.ones((2, 6))}, "list of texts"),
        "a name for five": ({"V": V, "Q": Q, "coordinates": words(*"abcde")}, "5 coordinates are named"),
        "huge": ({role: np.zeros((1, 1, 3000)) for role in "qkv"} | {"o": np.zeros((1, 3000, 1))}, "more than the"),
        "other": ({"a": V}, "'a'"),
    }


@pytest.mark.parametrize("name", refusals())
def test_what_is_not_a_layer_is_refused_with_the_reason(attnc: Attnc, name: str) -> None:
    arrays, reason = refusals()[name]
    write("m.npz", arrays)
    attnc("verify", "parity", "m.npz").assert_refused("m.npz: ", reason)
    if all(array.dtype.kind != "U" for array in arrays.values()):
        write("m.safetensors", arrays, {"format": "pt"})
        attnc("verify", "parity", "m.safetensors").assert_refused("m.safetensors: ", reason)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"heads": "two"}, "not a model"),
        ({"heads": "1.5"}, "metadata say heads"),
        ({"heads": "true"}, "metadata say heads"),
        ({"heads": "9" * 5000}, "m.safetensors: "),
        ({"tokens": "[1, 2]"}, "metadata say tokens"),
        ({"tokens": "[" * 100_000}, "not a model"),
        ({"tokens": '["start"]'}, "no embeddings"),
        ({"coordinates": '["a", "a"]'}, "the same name"),
        ({"coordinates": "6"}, "list of texts"),
    ],
)
def test_metadata_that_say_something_else(attnc: Attnc, metadata: dict[str, str], reason: str) -> None:
    write("m.safetensors", {"V": PARITY.V, "Q": PARITY.Q}, metadata)
    attnc("verify", "parity", "m.safetensors").assert_refused(reason)


def test_a_header_that_is_too_large_is_not_parsed(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    write("m.safetensors", {"V": PARITY.V, "Q": PARITY.Q})
    monkeypatch.setattr("compiler.files.foreign_model.MAX_HEADER", 10)
    attnc("verify", "parity", "m.safetensors").assert_refused("without the one metadata key 'attnc'")


def test_heads_in_array_and_metadata(attnc: Attnc) -> None:
    write("m.safetensors", {"V": PARITY.V, "Q": PARITY.Q, "heads": np.array([2])}, {"heads": "2"})
    attnc("verify", "parity", "m.safetensors").assert_refused("says heads twice")


@pytest.mark.parametrize(("dtype", "size"), [("F8_E4M3", 1), ("C64", 8)])
def test_other_types_of_numbers(attnc: Attnc, dtype: str, size: int) -> None:
    Path("m.safetensors").write_bytes(raw(dtype, bytes(4 * size)))
    attnc("verify", "parity", "m.safetensors").assert_refused("expected integers, or floats of 16, 32 or 64 bits")
    np.savez("m.npz", V=np.zeros((2, 2), dtype="c8"), Q=np.zeros((2, 2)))
    attnc("verify", "parity", "m.npz").assert_refused("'V' holds complex64")


def test_what_a_model_without_names_cannot_do(attnc: Attnc) -> None:
    write("m.npz", {"V": PARITY.V, "Q": PARITY.Q})
    attnc("verify", "mod3", "m.npz").assert_refused("6 dimensions", "against 7", "attnc show")
    attnc("verify", "any_dfa", "m.npz").assert_refused("against 21 or 25 or 38")
    assert attnc("decompile", "m.npz").status in (2, 3)
    with pytest.raises(ModelError, match="6 dimensions"):
        package.load_model("m.npz", program=load("mod3"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    for ending in (".npz", ".safetensors"):
        path = str(folder / f"m{ending}")
        write(path, schemes(PARITY)["linear"])
        content = bytearray(Path(path).read_bytes())
        if data.draw(st.booleans()):
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        else:
            content[data.draw(st.integers(0, min(len(content), 900) - 1))] = data.draw(st.integers(0, 255))
        Path(path).write_bytes(content)
        try:
            read = package.load_model(path)
        except FileError as problem:
            assert str(problem).startswith(path)
        else:
            assert not read.violations()
