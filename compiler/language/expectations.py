"""What the parser expected, in words, and hints for mistakes that are known."""

from __future__ import annotations

from collections.abc import Iterable

from lark import Token

from compiler.program.words import KEYWORDS, nearest, shorten

_PHRASES = {
    "SEP": "the end of the line",
    "ARROW": "`->`",
    "DOUBLE_COLON": "`::`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "EQUAL": "`=`",
    "VBAR": "`|`",
    "AMPERSAND": "`&`",
    "MINUS": "`-`",
    "NUMBER": "a number",
    "REGEX": "a regular expression such as /ab*/",
    "$END": "the end of the file",
}
_VERDICTS = frozenset({"ACCEPTS", "REJECTS", "HALTS", "OVERRUNS", "GIVES"})
_NAMES = frozenset({"NAME", "NUMBER", "STRING"})


def explain(
    token: Token, accepted: Iterable[str], *, before: str = "", after: str = "", wraps: bool = False
) -> tuple[str, str | None]:
    """The message and the help for `token`, where any of the terminals `accepted` was expected.

    `before` and `after` are the types of the tokens around it; `wraps` says that it is the first of its line.
    """
    expected = set(accepted)
    if token.type == "UNCLOSED":
        return "a quote is not closed on this line", 'close it with `"`'
    if token.type == "MISQUOTED":
        return (
            f"{_found(token)} holds an escape that does not exist",
            'the escapes are \\", \\\\ and \\u{e9} (by number)',
        )
    if token.type == "UNCLOSED_REGEX" and "REGEX" in expected:
        if token.startswith("//"):
            return "a regular expression cannot be empty", 'the empty word is /""/'
        return "a regular expression is not closed on this line", "close it with `/`; a symbol `/` is written `\\/`"
    help = _hint_of_place(token, expected, before, after, wraps) or _hint(token, expected)
    return f"found {_found(token)}, expected {_phrase(expected)}", help


def _found(token: Token) -> str:
    if token.type == "SEP":
        return {"\n": "the end of the line", "}": "`}`"}.get(str(token), f"`{token}`")
    if token.type == "$END":
        return "the end of the line"
    word = "the reserved word " if str(token) in KEYWORDS else ""
    return f"{word}`{shorten(str(token), 40)}`"


def _phrase(expected: set[str]) -> str:
    phrases = []
    if "NAME" in expected and "NUMBER" in expected:
        phrases.append("a name or symbol")
    elif "NAME" in expected:
        phrases.append("a name")
    elif "NUMBER" in expected:
        phrases.append("a number")
    rest = expected - _NAMES
    words = sorted(f"`{name.lower()}`" for name in rest if name not in _PHRASES)
    marks = [phrase for name, phrase in _PHRASES.items() if name in rest and name != "SEP"]
    phrases += words + marks
    if "SEP" in rest and "RBRACE" not in rest and len(rest) < 5:
        phrases += ["`;`", "the end of the line"]
    if len(phrases) < 2:
        return phrases[0] if phrases else "nothing more"
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


def _hint_of_place(token: Token, expected: set[str], before: str, after: str, wraps: bool) -> str | None:
    """A hint for a mistake that is known by what stands around it."""
    is_rule = "ELSE" in expected and before in ("SEP", "LBRACE") and after not in ("ARROW", "COMMA")
    hints = (
        (before == "COMMA" and wraps, "the comma before it continues the list: remove it, or go on"),
        (token.type in ("ELSE", "EPSILON") and before == "COMMA", f"`{token}` stands alone, in a rule of its own"),
        (token.type in _VERDICTS and before == "EXAMPLE", 'the empty word is written ""'),
        (token.type == "LBRACE" and before in ("ALWAYS", "NEVER"), "a property with states of its own has a name"),
        (expected == {"ARROW"} and before not in ("ELSE", "EPSILON"), "a rule of a grammar is written `A -> a A | b`"),
        (token.type in ("ACCEPT", "REJECT") and before == "ARROW", "automata accept by their states: `accept state q`"),
        (
            is_rule and str(token) in KEYWORDS,
            f"`{token}` begins a clause of the program, not a rule: is there a `}}` missing before it?",
        ),
        (
            "SEP" in expected and before not in ("SEP", "LBRACE") and "ARROW" in (token.type, after),
            "a rule ends at `;` or the end of the line",
        ),
        (
            after == "LBRACE" and token.type in _NAMES and expected <= {"LBRACE", "EMITS"},
            "a name of several words is quoted",
        ),
        (
            "LBRACE" in expected and token.type not in (*_NAMES, "SEP", "$END", "LPAR") and str(token) not in KEYWORDS,
            "a name is made of letters, digits and `_`; any other is quoted",
        ),
    )
    return next((hint for holds, hint in hints if holds and (expected & _NAMES or before != "COMMA")), None)


def _hint(token: Token, expected: set[str]) -> str | None:
    """A hint for a mistake that is known by what it is."""
    text = str(token)
    if token.type == "RESERVED":
        quote = f'; to use it as a name or symbol, quote it: "{text}"' if "STRING" in expected else ""
        return f"`{text}` is reserved for a later version of the language{quote}"
    if token.type == "UNCLOSED_REGEX" and text.startswith("//"):
        return "a comment begins with `#`"
    if "ARROW" in expected and (token.type in ("EQUAL", "MINUS", "STRANGE") or token.type in _NAMES):
        return "a rule is written `symbol -> state`"
    if expected == {"EQUAL"}:
        return "a pair is written `key = value`"
    if ("REGEX" in expected and token.type == "NUMBER") or ("VBAR" in expected and token.type == "STRANGE"):
        return "a regular expression stands between slashes: /(01)*/"
    if "VBAR" in expected and token.type in (*_NAMES, "REGEX"):
        return "one language behind the other is written concat(a, b)"
    if text in KEYWORDS and expected & _NAMES:
        return f'to use it as a name or symbol, quote it: "{text}"' if "STRING" in expected else "choose another name"
    keywords = [name.lower() for name in expected if name.lower() in KEYWORDS]
    if (token.type == "NAME" or text in KEYWORDS) and (near := nearest(text, sorted(keywords))):
        return f"did you mean `{near}`?"
    if token.type in _NAMES and "COMMA" in expected:
        return "the items of a list are separated by commas"
    return None
