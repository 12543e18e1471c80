"""attnc: programs into linear attention, and back.

A program (a finite automaton, an associative memory, a Turing machine, a grammar) becomes the weights of one layer of
linear attention, exactly; training data are generated from it; the weights are learned back in polynomial time, with a
certificate that the data determine them; and a model, ours or another, is decided to be the program, with a proof or
with the shortest counterexample.

>>> import attnc
>>> parity = attnc.load("parity")
>>> model = attnc.compile(parity)
>>> model.run("0110").outcome
'accepted'
>>> data = attnc.generate(parity, certified=True)
>>> learned = attnc.learn(data, program=parity)
>>> learned.report.exact, learned.report.certified
(True, True)
>>> attnc.verify(parity, learned.model).verdict
'proved'
>>> attnc.decompile(learned.model) == parity
True

Names are looked up when they are first used, so importing attnc is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from attnc.version import __version__

if TYPE_CHECKING:
    from attnc.storage import load, load_model, save
    from compiler import errors
    from compiler.fastweight.recurrent_model import RecurrentModel
    from compiler.fastweight.targets import Explanation, compile_to, explain
    from compiler.few_heads import few_heads
    from compiler.files.certificate_file import load_certificate, save_certificate
    from compiler.files.proof_file import load_proof, save_proof
    from compiler.language.load import parse
    from compiler.learning.certificate import certify
    from compiler.learning.count_certificate import Certificate
    from compiler.learning.estimator import LinearAttentionRegressor
    from compiler.learning.features import features
    from compiler.learning.learn import Learned, Report, learn
    from compiler.learning.sums.collect import moments
    from compiler.learning.sums.data_moments import DataMoments, reduce
    from compiler.model import Model
    from compiler.program import Automaton, Grammar, Machine, Memory, UniversalAutomaton, UniversalMachine
    from compiler.program.machine import Action
    from compiler.program.properties import Property
    from compiler.program.run import Run
    from compiler.program_to_model import compile
    from compiler.program_to_rules.cross_talk import capacity
    from compiler.random_model import random_model
    from compiler.real_rules_to_few_heads import svd_heads
    from compiler.rules import Form, Rule
    from compiler.rules_to_few_heads import FewHeads
    from compiler.runtime.stream import Stream
    from compiler.traces.data_set import DataSet
    from compiler.traces.program_to_traces import generate
    from compiler.traces.recall_tasks import key_value_task, multi_query_recall
    from verify import conformance, strategies
    from verify.decompiled import decompile
    from verify.verdict import Counterexample, Verdict
    from verify.verify import verify

_HOMES = {
    "load": "attnc.storage",
    "load_model": "attnc.storage",
    "save": "attnc.storage",
    "parse": "compiler.language.load",
    "RecurrentModel": "compiler.fastweight.recurrent_model",
    "Explanation": "compiler.fastweight.targets",
    "compile_to": "compiler.fastweight.targets",
    "explain": "compiler.fastweight.targets",
    "few_heads": "compiler.few_heads",
    "Certificate": "compiler.learning.count_certificate",
    "certify": "compiler.learning.certificate",
    "load_certificate": "compiler.files.certificate_file",
    "save_certificate": "compiler.files.certificate_file",
    "stored_certificate": "compiler.learning.stored_certificate",
    "proof_of": "verify.proofs",
    "check_proof": "verify.proofs",
    "load_proof": "compiler.files.proof_file",
    "save_proof": "compiler.files.proof_file",
    "check_certificate": "verify.certified",
    "LinearAttentionRegressor": "compiler.learning.estimator",
    "features": "compiler.learning.features",
    "Learned": "compiler.learning.learn",
    "Report": "compiler.learning.learn",
    "learn": "compiler.learning.learn",
    "moments": "compiler.learning.sums.collect",
    "DataMoments": "compiler.learning.sums.data_moments",
    "reduce": "compiler.learning.sums.data_moments",
    "Model": "compiler.model",
    "Automaton": "compiler.program",
    "Grammar": "compiler.program",
    "Machine": "compiler.program",
    "Memory": "compiler.program",
    "UniversalAutomaton": "compiler.program",
    "UniversalMachine": "compiler.program",
    "Action": "compiler.program.machine",
    "Property": "compiler.program.properties",
    "Run": "compiler.program.run",
    "compile": "compiler.program_to_model",
    "capacity": "compiler.program_to_rules.cross_talk",
    "random_model": "compiler.random_model",
    "svd_heads": "compiler.real_rules_to_few_heads",
    "Form": "compiler.rules",
    "Rule": "compiler.rules",
    "FewHeads": "compiler.rules_to_few_heads",
    "Stream": "compiler.runtime.stream",
    "DataSet": "compiler.traces.data_set",
    "generate": "compiler.traces.program_to_traces",
    "key_value_task": "compiler.traces.recall_tasks",
    "multi_query_recall": "compiler.traces.recall_tasks",
    "decompile": "verify.decompiled",
    "Counterexample": "verify.verdict",
    "Verdict": "verify.verdict",
    "verify": "verify.verify",
}
_MODULES = {
    "conformance": "verify.conformance",
    "errors": "compiler.errors",
    "strategies": "verify.strategies",
}

__all__ = [
    "Action",
    "Automaton",
    "Certificate",
    "Counterexample",
    "DataMoments",
    "DataSet",
    "Explanation",
    "FewHeads",
    "Form",
    "Grammar",
    "Learned",
    "LinearAttentionRegressor",
    "Machine",
    "Memory",
    "Model",
    "Property",
    "RecurrentModel",
    "Report",
    "Rule",
    "Run",
    "Stream",
    "UniversalAutomaton",
    "UniversalMachine",
    "Verdict",
    "__version__",
    "capacity",
    "certify",
    "check_certificate",
    "check_proof",
    "compile",
    "compile_to",
    "conformance",
    "decompile",
    "errors",
    "explain",
    "features",
    "few_heads",
    "generate",
    "key_value_task",
    "learn",
    "load",
    "load_certificate",
    "load_model",
    "load_proof",
    "moments",
    "multi_query_recall",
    "parse",
    "random_model",
    "reduce",
    "save",
    "save_certificate",
    "save_proof",
    "stored_certificate",
    "strategies",
    "svd_heads",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'attnc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
