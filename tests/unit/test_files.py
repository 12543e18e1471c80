"""Files: what is saved is loaded, the same bytes every time, as docs/files.md says (read here without our reader)."""

import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors

import programs
from attnc.storage import load, save
from compiler.attention import Head, Sparse
from compiler.errors import DataError, FileError, ModelError
from compiler.files import model_file
from compiler.files.data_file import data_to_bytes, load_data, save_data
from compiler.files.model_file import load_model, model_from_bytes, model_to_bytes, save_model
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.random_model import random_model
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate


def rational_model() -> Model:
    V = np.zeros((2, 2, 2), dtype=object)
    V[0, 0, 1], V[0, 1, 0], V[1, 1, 1] = Fraction(1, 3), Fraction(-(2**62) - 1, 3**39), 7
    V[1, 0, 0] = Fraction(5, 2)
    token = np.array([Fraction(1, 2), 3], dtype=object)
    return Model.from_arrays(V, np.ones((2, 2, 2), dtype=np.int64), tokens={"z": token, "a": np.array([0.5, -2.0])})


MODELS = {
    "integers": lambda: compile(load("turnstile")),
    "floats": lambda: random_model(5, 3, seed=1),
    "rationals": rational_model,
    "no heads": lambda: Model(("x", "y"), ()),
    "names": lambda: Model.from_arrays([[[1]]], [[[2]]], coordinates=['"\\ \n\x01 é 漢 😀'], names=["\t\x7f"]),
}
DATA = {
    "certified": lambda: generate(load("parity"), certified=True),
    "sampled": lambda: generate(load("dyck1_depth4"), count=20, lengths=(1, 9), seed=3),
    "floats": lambda: DataSet.of_arrays(np.linspace(0, 1, 24).reshape(2, 4, 3), np.ones((2, 3))),
    "large": lambda: DataSet.of_arrays([[[2**63 - 1, -(2**63)]]], [[[128, -129]]]),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    return MODELS[request.param]()


@pytest.fixture(params=DATA)
def data(request: pytest.FixtureRequest) -> DataSet:
    return DATA[request.param]()


@pytest.fixture(params=["dense", "listed"])
def storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "listed":
        monkeypatch.setattr(model_file, "DENSE_LIMIT", -1)
    return request.param


def assert_same(a: Model, b: Model) -> None:
    assert a.coordinates == b.coordinates
    assert str(a.program) == str(b.program)
    assert [head.name for head in a.heads] == [head.name for head in b.heads]
    for left, right in ((a.V, b.V), (a.Q, b.Q)):
        assert left.dtype == right.dtype
        assert left.tolist() == right.tolist()
    assert list(a.tokens) == list(b.tokens)
    for name, vector in a.tokens.items():
        assert (b.tokens[name].tolist(), b.tokens[name].dtype) == (vector.tolist(), vector.dtype)


def test_models_come_back(model: Model, storage: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(model, path)
    loaded = load_model(path)
    assert_same(model, loaded)
    assert loaded.digest() == model.digest()
    assert model_to_bytes(loaded) == path.read_bytes() == model_to_bytes(model)
    assert ("V.index" in load_tensors(path.read_bytes())) == (storage == "listed")


@pytest.mark.parametrize("name", programs.names())
def test_compiled_models_come_back_with_their_digest(name: str) -> None:
    if programs.family(name) == "automata" and name not in ("a5", "s5"):
        model = compile(load(name))
        assert model_from_bytes(model_to_bytes(model)).digest() == model.digest()


@pytest.mark.usefixtures("storage")
def test_rationals_are_exact_and_have_floats_beside_them() -> None:
    content = model_to_bytes(rational_model())
    tensors = load_tensors(content)
    tops, bottoms = (tensors[f"V.{part}"] for part in ("numerator", "denominator"))
    assert {tops.dtype, bottoms.dtype} == {np.dtype(np.int64)}
    parts = [part.ravel().tolist() for part in (tops, bottoms, tensors["V"])]
    found = {Fraction(n, m): value for n, m, value in zip(*parts, strict=True)}
    assert {Fraction(1, 3), Fraction(-(2**62) - 1, 3**39), Fraction(5, 2), Fraction(7)} == found.keys() - {0}
    assert all(float(exact) == value for exact, value in found.items())
    assert tensors["Q"].dtype == np.int8
    assert load_tensors(content)["V"].dtype == np.float64


def test_heads_of_several_kinds_are_stored_exactly() -> None:
    one, far = np.array([0], dtype=np.int32), np.array([2**53 + 1])
    zero = Sparse(one, one, np.array([0]))  # a stored zero is no entry
    mixed = Model(("x",), (Head("a", Sparse(one, one, far), zero), Head("b", Sparse(one, one, np.array([0.5])), zero)))
    loaded = model_from_bytes(model_to_bytes(mixed))
    assert loaded.V.ravel().tolist() == [2**53 + 1, Fraction(1, 2)]
    assert len(loaded.heads[0].Q.rows) == 0


def test_models_that_do_not_fit_are_refused() -> None:
    for weight in (Fraction(1, 2**63), 2**63, -(2**63)):
        with pytest.raises(ModelError, match="64 bits"):
            model_to_bytes(Model.from_arrays(np.array([[[weight]]], dtype=object), [[[1]]]))
    with pytest.raises(ModelError, match="not text"):
        model_to_bytes(Model.from_arrays([[[1]]], [[[1]]], coordinates=["\ud800"]))
    twice = Sparse(np.array([0, 0]), np.array([0, 0]), np.array([1, 2]))
    with pytest.raises(ModelError, match="twice"):
        model_to_bytes(Model(("x",), (Head("a", twice, twice),)))


def test_data_come_back(data: DataSet, tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    save_data(data, path)
    loaded = load_data(path)
    for field in ("tokens", "offsets", "targets", "supervised"):
        before, after = getattr(data, field), getattr(loaded, field)
        assert (after.dtype, after.shape, after.tolist()) == (before.dtype, before.shape, before.tolist())
    assert str(loaded.program) == str(data.program)
    assert path.read_bytes() == data_to_bytes(data) == data_to_bytes(loaded)
    with np.load(path) as archive:  # numpy reads it without pickles
        assert archive["tokens"].tolist() == data.tokens.tolist()
        assert (
            archive.files == ["tokens", "offsets", "targets", "supervised", "program"][: 4 + (data.program is not None)]
        )


def test_integers_are_stored_narrow() -> None:
    for low, high, kind in ((-128, 127, "int8"), (0, 128, "int16"), (-129, 0, "int16"), (0, 2**31, "int64")):
        with np.load(io.BytesIO(data_to_bytes(DataSet.of_arrays([[[low, high]]], [[[0, 0]]])))) as archive:
            assert archive["tokens"].dtype == kind


@pytest.mark.parametrize("kind", ["int8", "uint8", ">i4", "uint64", "float16", "float32", ">f8"])
@pytest.mark.parametrize("every", [False, True])
def test_dense_data(kind: str, every: bool, tmp_path: Path) -> None:
    tokens = np.arange(24, dtype=kind).reshape(2, 4, 3)
    targets = tokens if every else tokens[:, -1]
    text = "automaton a { alphabet x; start accept state q { x -> q } }"
    np.savez(tmp_path / "d.npz", tokens=tokens, targets=np.asfortranarray(targets), program=text)
    loaded = load_data(tmp_path / "d.npz")
    assert loaded.tokens.dtype == loaded.targets.dtype == ("float64" if "f" in kind else "int64")
    assert loaded.tokens.tolist() == tokens.reshape(-1, 3).tolist()
    assert loaded.targets[loaded.supervised].tolist() == targets.reshape(-1, 3).tolist()
    assert loaded.offsets.tolist() == [0, 4, 8]
    assert loaded.program is not None
    assert loaded.program.name == "a"


def test_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, attnc\n"
        "from compiler.files.model_file import model_to_bytes\n"
        "from compiler.files.data_file import data_to_bytes\n"
        "p = attnc.load('turnstile')\n"
        "d = attnc.generate(p, certified=True)\n"
        "for b in (model_to_bytes(attnc.compile(p)), data_to_bytes(d), model_to_bytes(attnc.learn(d).model)):\n"
        "    print(hashlib.sha256(b).hexdigest())"
    )
    command = [sys.executable, "-c", code]
    printed = {
        subprocess.check_output(command, env={**os.environ, "PYTHONHASHSEED": seed}, text=True) for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert hashlib.sha256(model_to_bytes(compile(load("turnstile")))).hexdigest() in printed.pop()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_of_the_umask(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        save(random_model(1, 1, seed=0), tmp_path / "m.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "m.safetensors").stat().st_mode & 0o777 == mode


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / f"{'m' * 240}.safetensors", tmp_path / "link.safetensors"
    save(random_model(1, 1, seed=0), path)
    path.chmod(0o640)
    link.symlink_to(path)
    save(random_model(2, 1, seed=0), link)
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert load(path).d == 2
    assert sorted(tmp_path.iterdir()) == sorted([path, link])


def test_programs_are_saved_as_text(tmp_path: Path) -> None:
    save(load("lexer"), tmp_path / "p.attn")
    assert load(tmp_path / "p.attn") == load("lexer")


@pytest.mark.parametrize("kind", ["model", "data", "program"])
def test_the_ending_must_fit(kind: str, tmp_path: Path) -> None:
    things = {"model": random_model(1, 1, seed=0), "data": DATA["floats"](), "program": load("parity")}
    with pytest.raises(FileError, match="whose name ends in"):
        save(things[kind], tmp_path / "x.txt")
    assert not list(tmp_path.iterdir())


# A reader of models from docs/files.md alone: json, struct and numpy.


def independent_reader(content: bytes) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The description, the tensors, and the digest as the page defines it."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size].rstrip(b" "))
    (text,) = header.pop("__metadata__").values()
    kinds = {"I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1", "F64": "f8"}
    raw = {name: content[8 + size :][slice(*entry["data_offsets"])] for name, entry in header.items()}
    hashed = re.sub('"digest":"[0-9a-f]{64}"', '"digest":""', text).encode()
    for name in sorted(header):
        entry = header[name]
        shape = ",".join(str(length) for length in entry["shape"])
        hashed += b"\0" + name.encode() + f"\0{kinds[entry['dtype']]}\0{shape}\0".encode() + raw[name]
    tensors = {
        name: np.frombuffer(raw[name], "<" + kinds[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }
    return json.loads(text), tensors, hashlib.sha256(hashed).hexdigest()


def matrices(tensors: dict[str, Any], side: str, shape: tuple[int, int, int]) -> list[Any]:
    weights = tensors[side].ravel().tolist()
    if f"{side}.numerator" in tensors:
        parts = (tensors[f"{side}.{part}"].ravel().tolist() for part in ("numerator", "denominator"))
        weights = [Fraction(*each) for each in zip(*parts, strict=True)]
    filled = np.zeros(shape, dtype=object)
    where = tensors[f"{side}.index"].tolist() if f"{side}.index" in tensors else list(np.ndindex(shape))
    for place, weight in zip(where, weights, strict=True):
        filled[tuple(place)] = weight
    return filled.tolist()


@pytest.mark.usefixtures("storage")
def test_an_independent_reader_agrees(model: Model) -> None:
    described, tensors, digest = independent_reader(model_to_bytes(model))
    assert digest == described["digest"]
    assert described["coordinates"] == list(model.coordinates)
    assert described["heads"] == [head.name for head in model.heads]
    text = described["program"]
    assert text == (None if model.program is None else str(model.program))
    assert described["program_digest"] == (text and hashlib.sha256(text.encode()).hexdigest())
    shape = (len(described["heads"]), len(described["coordinates"]), len(described["coordinates"]))
    assert matrices(tensors, "V", shape) == model.V.tolist()
    assert matrices(tensors, "Q", shape) == model.Q.tolist()
    for name, entries in described["tokens"]:
        vector = dict(entries)
        values = [vector.get(place, 0) for place in range(model.d)]
        assert [Fraction(*v) if isinstance(v, list) else v for v in values] == model.tokens[name].tolist()


def test_the_page_names_every_key_of_a_file() -> None:
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    described, tensors, _ = independent_reader(model_to_bytes(rational_model()))
    with zipfile.ZipFile(io.BytesIO(data_to_bytes(DATA["certified"]()))) as archive:
        arrays = [name.removesuffix(".npy") for name in archive.namelist()]
    for key in (*described, *arrays, *(name for name in tensors if name.startswith("V"))):
        assert f"`{key}`" in page, key


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"tokens": [[1, 2]]}, "no array 'targets'"),
        ({"tokens": [[1, 2]], "targets": [[1, 2]], "target": [1]}, "an array 'target'; expected tokens"),
        ({"tokens": [[1, 2]], "targets": [[1]]}, "must both have shape"),
        ({"tokens": [[np.nan]], "targets": [[1]]}, "NaN"),
        ({"tokens": np.array([[2**63]], dtype=np.uint64), "targets": [[1]]}, "9223372036854775808"),
        ({"tokens": [[1j]], "targets": [[1]]}, "complex128"),
        ({"tokens": [["a"]], "targets": [[1]]}, "tokens have dtype <U1"),
        ({"tokens": [[1], [1]], "targets": [[1], [1]], "offsets": [0, 2**63 - 1, -2, 2]}, "from 0 to 2"),
        ({"tokens": [[1], [1]], "targets": [[1], [1]], "offsets": [0, 1, 1, 2]}, "no sequence is empty"),
        ({"tokens": [[1]], "targets": [[1]], "offsets": [0.0, 1.0]}, "integers"),
        ({"tokens": [[1]], "targets": [[1]], "supervised": [1]}, "expected booleans"),
        ({"tokens": [[[1]]], "targets": [[1]], "offsets": [0, 1]}, "no room for offsets"),
        ({"tokens": [[1]], "targets": [[1]], "program": ["a", "b"]}, "expected one text"),
        ({"tokens": [[1]], "targets": [[1]], "program": "automaton {"}, "no program"),
        ({"tokens": [[1]], "targets": [[1]], "program": "use library::parity"}, "imports"),
        ({"tokens": 1, "targets": 1}, "must both have shape"),
    ],
)
def test_data_that_are_refused(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", **{name: np.asarray(value) for name, value in arrays.items()})
    with pytest.raises((DataError, FileError), match=re.escape(message)):
        load_data(tmp_path / "d.npz")
