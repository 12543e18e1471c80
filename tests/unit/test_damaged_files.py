"""Damaged, disguised and edited files: refused, and nothing in them is executed."""

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from attnc.storage import load, save
from compiler.errors import AttncError, FileError
from compiler.files import model_file
from compiler.files.canonical_json import canonical
from compiler.files.data_file import data_to_bytes, load_data
from compiler.files.model_file import load_model, model_from_bytes, model_to_bytes
from compiler.model import Model
from compiler.program_to_model import compile
from compiler.traces.data_set import DataSet
from compiler.traces.program_to_traces import generate

MODEL = model_to_bytes(compile(load("parity")))
DATA = data_to_bytes(generate(load("parity"), certified=True))


Attnc = Callable[..., Any]


class Bomb:
    """Leaves a file where it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("executed"),)


def zipped(**entries: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def arrays(**entries: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **entries)
    return stream.getvalue()


def headed(header: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + body


DISGUISED: dict[str, bytes] = {
    "empty": b"",
    "short": b"\x00\x01",
    "random": np.random.default_rng(1).bytes(10**7),
    "pickle": pickle.dumps(Bomb()),
    "zip": zipped(a=b"a"),
    "text": b"automaton a {}\n" * 1000,
    "huge header": struct.pack("<Q", 2**63) + b"{}",
    "long header": headed(b"{" + b" " * 1000),
    "nested header": headed(b'{"a":' * 10_000),
    "no metadata": save_tensors({"V": np.zeros(1)}),
    "other metadata": save_tensors({"V": np.zeros(1)}, metadata={"format": "pt"}),
    "two metadata": save_tensors({"V": np.zeros(1)}, metadata={"attnc": "{}", "b": "c"}),
    "nested metadata": save_tensors({"V": np.zeros(1)}, metadata={"attnc": "[" * 1_000_000}),
    "metadata no object": save_tensors({"V": np.zeros(1)}, metadata={"attnc": "[]"}),
    "object array": arrays(tokens=np.array([Bomb()], dtype=object), targets=np.zeros((1, 1))),
    "object program": arrays(tokens=[[1]], targets=[[1]], program=np.array([Bomb()], dtype=object)),
    "object weights": arrays(V=np.array([[Bomb()]], dtype=object), Q=np.zeros((1, 1))),
    "pickled entry": zipped(tokens=pickle.dumps(Bomb()), targets=b""),
    "huge shape": zipped(tokens=npy("{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999, 99), }")),
    "endless shape": zipped(tokens=npy(f"{{'descr': '<i8', 'fortran_order': False, 'shape': ({'9' * 4000},), }}")),
    "negative shape": zipped(tokens=npy("{'descr': '<i8', 'fortran_order': False, 'shape': (-1, -1), }", bytes(8))),
    "record": arrays(tokens=np.zeros(1, dtype=[("a", "i8")]), targets=[[1]]),
    "dates": arrays(tokens=np.zeros((1, 1), dtype="M8[s]"), targets=[[1]]),
    "nested npy header": zipped(tokens=npy("(" * 9000)),
    "code in npy header": zipped(tokens=npy("__import__('pathlib').Path('executed').touch()")),
    "npy": npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
}


@pytest.mark.parametrize("name", DISGUISED)
def test_files_that_are_something_else(attnc: Attnc, name: str) -> None:
    for path in ("m.safetensors", "d.npz", "m.npz"):
        Path(path).write_bytes(DISGUISED[name])
    for path in ("m.safetensors", "m.npz"):
        attnc("verify", "parity", path).assert_refused(f"{path}: ")
    attnc("learn", "d.npz", "-o", "x.safetensors").assert_refused("d.npz: ")
    assert sorted(path.name for path in Path().iterdir()) == ["d.npz", "m.npz", "m.safetensors"]


def test_a_bomb_goes_off_where_pickles_are_read(folder: Path) -> None:
    with np.load(io.BytesIO(DISGUISED["object array"]), allow_pickle=True) as archive:
        archive["tokens"]
    assert (folder / "executed").exists()  # so that its absence above means something


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked(attnc: Attnc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compiler.files.arrays.MAX_BYTES", len(DATA) + 1)
    Path("d.npz").write_bytes(arrays(tokens=[[1]], targets=[[1]])[:0] + DATA)
    attnc("learn", "d.npz", "-o", "m.safetensors").assert_refused("unpacks to")
    monkeypatch.setattr("compiler.files.arrays.MAX_BYTES", len(DATA) - 1)
    attnc("learn", "d.npz", "-o", "m.safetensors").assert_refused("more than the")


def rewritten(
    tensors: Callable[[dict[str, Any]], object] = lambda _: None,
    text: Callable[[dict[str, Any]], object] = lambda _: None,
    content: bytes = MODEL,
) -> bytes:
    """A model's file edited by somebody who knows how to compute the digest."""
    size = int.from_bytes(content[:8], "little")
    described = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["attnc"])
    held = dict(load_tensors(content))
    tensors(held)
    text(described)
    described["digest"] = model_file._digest(described, held)
    return save_tensors(held, metadata={"attnc": canonical(described).decode()})


RATIONAL = model_to_bytes(Model.from_arrays(np.array([[[Fraction(1, 3)]]], dtype=object), [[[1]]]))
V = np.zeros((2, 6, 6), dtype=np.int64)

EDITED: dict[str, tuple[bytes, str]] = {
    "no V": (rewritten(lambda t: t.pop("V")), "no tensor 'V'"),
    "a further tensor": (rewritten(lambda t: t.update(W=V)), "tensor 'W'"),
    "wrong shape": (rewritten(lambda t: t.update(V=V[:1])), "(1, 6, 6), expected signed integers or float64 (2, 6, 6)"),
    "flat": (rewritten(lambda t: t.update(V=V.ravel())), "(72,)"),
    "float32": (rewritten(lambda t: t.update(V=V.astype(np.float32))), "float32"),
    "uint8": (rewritten(lambda t: t.update(V=V.astype(np.uint8))), "uint8"),
    "booleans": (rewritten(lambda t: t.update(V=V.astype(bool))), "bool"),
    "NaN": (rewritten(lambda t: t.update(V=np.full((2, 6, 6), np.nan))), "NaN"),
    "infinity": (rewritten(lambda t: t.update(Q=np.full((2, 6, 6), -np.inf))), "NaN or infinite"),
    "index out of range": (
        rewritten(lambda t: t.update({"V": np.ones(1), "V.index": np.array([[0, 0, 6]], dtype=np.int32)})),
        "outside 2 heads and 6 coordinates",
    ),
    "negative index": (
        rewritten(lambda t: t.update({"V": np.ones(1), "V.index": np.array([[0, -1, 0]], dtype=np.int32)})),
        "outside",
    ),
    "index twice": (
        rewritten(lambda t: t.update({"V": np.ones(2), "V.index": np.zeros((2, 3), dtype=np.int32)})),
        "ascend",
    ),
    "index of int64": (
        rewritten(lambda t: t.update({"V": np.ones(1), "V.index": np.zeros((1, 3), dtype=np.int64)})),
        "expected int32",
    ),
    "listed zero": (
        rewritten(lambda t: t.update({"V": np.zeros(1), "V.index": np.zeros((1, 3), dtype=np.int32)})),
        "no zero",
    ),
    "numerators alone": (rewritten(lambda t: t.update({"V.numerator": V})), "V.denominator is float64"),
    "denominators of zero": (
        rewritten(lambda t: t["V.denominator"].fill(0), content=RATIONAL),
        "lowest terms",
    ),
    "negative denominators": (
        rewritten(lambda t: (t["V.denominator"].fill(-3), t["V.numerator"].fill(-1)), content=RATIONAL),
        "lowest terms",
    ),
    "not in lowest terms": (
        rewritten(lambda t: (t["V.denominator"].fill(6), t["V.numerator"].fill(2)), content=RATIONAL),
        "lowest terms",
    ),
    "other floats": (rewritten(lambda t: t["V"].fill(0.3333), content=RATIONAL), "floats nearest"),
    "another format": (rewritten(text=lambda d: d.update(format=2)), "format 2"),
    "another language": (rewritten(text=lambda d: d.update(language="2")), "language '2'"),
    "a further field": (rewritten(text=lambda d: d.update(run="me")), "its fields are"),
    "a field less": (rewritten(text=lambda d: d.pop("tokens")), "its fields are"),
    "other program": (rewritten(text=lambda d: d.update(program=d["program"] + "\n")), "program_digest"),
    "program a number": (rewritten(text=lambda d: d.update(program=1)), "expected a text"),
    "digest alone": (rewritten(text=lambda d: d.update(program=None)), "no program"),
    "coordinates a text": (rewritten(text=lambda d: d.update(coordinates="abcdef")), "list of texts"),
    "coordinates of lists": (rewritten(text=lambda d: d.update(coordinates=[[]] * 6)), "list of texts"),
    "same coordinates": (rewritten(text=lambda d: d.update(coordinates=["a"] * 6)), "same name"),
    "no coordinates": (rewritten(text=lambda d: d.update(coordinates=[])), "expected"),
    "heads a number": (rewritten(text=lambda d: d.update(heads=2)), "list of texts"),
    "more heads": (rewritten(text=lambda d: d["heads"].append("c")), "expected"),
    "token of nothing": (rewritten(text=lambda d: d.update(tokens=[["a"]])), "not a valid model"),
    "token of lists": (rewritten(text=lambda d: d.update(tokens=[[["a"], []]])), "not a valid model"),
    "tokens an object": (rewritten(text=lambda d: d.update(tokens={"a": []})), "not a valid model"),
    "two tokens": (rewritten(text=lambda d: d.update(tokens=[["a", []], ["a", []]])), "same name"),
} | {
    f"token entries {entries}": (rewritten(text=lambda d, e=entries: d.update(tokens=[["a", e]])), "a token has")
    for entries in (
        [[6, 1]],
        [[-1, 1]],
        [[1, 1], [0, 1]],
        [[0, 1], [0, 1]],
        [["0", 1]],
        [[True, 1]],
        [[0, True]],
        [[0, 0]],
        [[0, "1"]],
        [[0, None]],
        [[0, [1, 0]]],
        [[0, [2, 4]]],
        [[0, [1, 1]]],
        [[0, [1, 2, 3]]],
    )
}


@pytest.mark.parametrize("name", EDITED)
def test_models_edited_with_a_new_digest(attnc: Attnc, name: str) -> None:
    content, message = EDITED[name]
    Path("m.safetensors").write_bytes(content)
    attnc("decompile", "m.safetensors").assert_refused("error: m.safetensors: ", message)


def test_a_rewritten_model_that_is_not_edited_is_read() -> None:
    assert rewritten() == MODEL
    assert rewritten(content=RATIONAL) == RATIONAL
    assert model_from_bytes(rewritten(lambda t: t["V"].fill(1))).V.min() == 1


def with_text(change: Callable[[str], str]) -> bytes:
    """The file with other metadata and nothing else changed."""
    size = int.from_bytes(MODEL[:8], "little")
    text = json.loads(MODEL[8 : 8 + size])["__metadata__"]["attnc"]
    changed = change(text)
    assert changed != text
    return save_tensors(dict(load_tensors(MODEL)), metadata={"attnc": changed})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("even", "evil"),
        lambda text: text.replace('"digest":"', '"digest":"0')[:-1] + "}",
        lambda text: text.replace(":", ": ", 1),
        lambda text: text.replace('{"coord', '{"coordinates":[],"coord'),
        lambda text: text.replace('"format":1', '"format":1.0'),
        lambda text: text.replace('"format":1', '"format":true'),
        lambda text: text.replace('"language":1', '"language":01'),
        lambda text: text.replace("accept", "\\u0061ccept"),
        lambda text: text.replace("[1,", "[1,NaN,", 1),
        lambda text: text + "\n",
    ],
)
def test_edited_metadata(change: Callable[[str], str]) -> None:
    with pytest.raises(FileError):
        model_from_bytes(with_text(change))


def test_a_program_in_a_file_opens_no_other_file(attnc: Attnc) -> None:
    Path("secret.attn").write_text("automaton secret { alphabet x; start state q { x -> q } }")
    text = 'use "secret.attn"::secret\nautomaton a { alphabet x; language secret }'
    digest = hashlib.sha256(text.encode()).hexdigest()
    content = rewritten(text=lambda d: d.update(program=text, program_digest=digest))
    Path("m.safetensors").write_bytes(content)
    attnc("decompile", "m.safetensors").assert_refused("imports other programs")


@pytest.mark.parametrize("kind", ["safetensors", "npz"])
def test_truncated_files(kind: str, tmp_path: Path) -> None:
    whole, path = {"safetensors": MODEL, "npz": DATA}[kind], tmp_path / f"x.{kind}"
    for size in (*range(0, len(whole), 37), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(AttncError):
            load(path)


@given(st.integers(0, len(MODEL) - 1), st.integers(1, 255))
@settings(max_examples=400)
def test_a_model_with_a_byte_changed_is_never_read(place: int, change: int) -> None:
    changed = bytearray(MODEL)
    changed[place] ^= change
    with pytest.raises(AttncError):
        model_from_bytes(bytes(changed))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """The bytes of a file with some changed, some cut out, or some put in."""
    places = st.integers(0, len(whole) - 1)

    def edited(edits: list[tuple[int, int, bytes]]) -> bytes:
        content = whole
        for place, cut, put in edits:
            content = content[:place] + put + content[place + cut :]
        return content

    return st.lists(st.tuples(places, st.integers(0, 9), st.binary(max_size=9)), min_size=1, max_size=3).map(edited)


@given(content=damaged(MODEL))
@settings(max_examples=200)
def test_a_damaged_model_is_never_read(content: bytes) -> None:
    if content != MODEL:
        with pytest.raises(AttncError):
            model_from_bytes(content)


@given(content=st.one_of(damaged(DATA), st.integers(0, len(DATA)).map(lambda size: DATA[:size])))
@settings(max_examples=400)
def test_damaged_data_are_refused_or_no_other_data(scratch: Path, content: bytes) -> None:
    path = scratch / "d.npz"
    path.write_bytes(content)
    try:
        loaded = load_data(path)
    except AttncError:
        return
    assert data_to_bytes(loaded) == DATA  # what changed is read by nobody: a date in the zip archive, say


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(scratch: Path, content: bytes) -> None:
    for path, read in ((scratch / "r.safetensors", load_model), (scratch / "r.npz", load_data)):
        path.write_bytes(content)
        with pytest.raises(AttncError):
            read(path)


def test_every_error_names_the_file(tmp_path: Path) -> None:
    save(DataSet.of_arrays([[[1]]], [[[1]]]), tmp_path / "fine.npz")
    assert len(load(tmp_path / "fine.npz")) == 1
    for name in ("x.npz", "x.safetensors", "x.attn"):
        (tmp_path / name).write_bytes(b"\x00" * 100)
        with pytest.raises(FileError, match=name):
            load(tmp_path / name)
