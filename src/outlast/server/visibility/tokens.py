"""The words of a list filter, as a MySQL lexer splits them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from outlast.server.visibility.limits import NESTING_MAX
from outlast.server.visibility.refusal import malformed

PREFIX = "select * from table1 "
"""The reference server reads a filter as the end of this statement, and counts the positions of errors from its start."""
_CLAUSE = re.compile(r"(?:order|group) by", re.IGNORECASE)
_PATTERN = re.compile(
    r"""(?P<BLANK>[ \n\r\t]+|(?:--|\#|//)[^\n]*|/\*.*?\*/)
    |(?P<HEX>[xX]'(?:[0-9a-fA-F]{2})*')
    |(?P<BITS>[bB]'[01]*')
    |(?P<NUMBER>(?:0[xX][0-9a-fA-F]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d*)?)(?![A-Za-z_@]))
    |(?P<WORD>[A-Za-z_@][A-Za-z0-9_@]*)
    |(?P<QUOTED>`(?:[^`]|``)+`)
    |(?P<STRING>'(?:[^'\\]|''|\\.)*'(?!')|"(?:[^"\\]|""|\\.)*"(?!"))
    |(?P<BIND>::?[A-Za-z_@][A-Za-z0-9_@.]*|\?)
    |(?P<SIGN><=>|<>|<=|<<|>=|>>|!=|&&|\|\||->>|->|[=<>,;()+\-*/%^&|~!.])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_BROKEN = re.compile(
    r"""(?P<number>(?:0[xX][0-9a-fA-F]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d*)?))
    |(?P<string>'(?:[^'\\]|''|\\.)*\\?|"(?:[^"\\]|""|\\.)*\\?)
    |(?P<quoted>`(?:[^`]|``)*)
    |(?P<rest>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_SIGNS = {
    "=": "EQ",
    "<": "LT",
    ">": "GT",
    "<=": "LE",
    ">=": "GE",
    "!=": "NE",
    "<>": "NE",
    "<=>": "NULL_SAFE_EQ",
    "(": "LPAR",
    ")": "RPAR",
    ",": "COMMA",
    ";": "SEMICOLON",
    ".": "DOT",
    "*": "STAR",
    "&&": "AND",
    "||": "OR",
    "-": "MINUS",
    "+": "PLUS",
    "~": "TILDE",
    "!": "BANG",
    **dict.fromkeys(("/", "%", "^", "&", "|", "<<", ">>", "->", "->>"), "OPERATION"),
}
_WORDS = {
    **{word: word.upper() for word in ("and", "or", "not", "is", "null", "true", "false", "in", "like", "regexp", "between", "by")},
    **{word: word.upper() for word in ("starts_with", "escape", "group", "order", "having", "limit", "asc", "desc", "collate", "distinct")},
    "where": "WHERE",
    "rlike": "REGEXP",
    "binary": "BINARY",
    "_binary": "BINARY",
    "div": "OPERATION",
    "mod": "OPERATION",
    "offset": "OFFSET",
    "for": "FOR",
    "update": "UPDATE",
}
_RESERVED_TEXT = """
add all alter analyze as auto_increment boolean case cast column constraint convert create cross current_date current_time
current_timestamp database databases default delete describe drop else end exists explain extended force from full group_concat
if ignore index inner insert interval into join key left localtime localtimestamp lock match maxvalue natural next on outer
processlist rename replace right schema select separator set show sql_cache sql_no_cache straight_join stream substr substring
table tables then to union unique use using utc_date utc_time utc_timestamp values when
"""
_RESERVED = frozenset(_RESERVED_TEXT.split())
"""What cannot be a name unless it stands in backquotes."""
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_BEFORE_A_VALUE = frozenset({"NOT", "MINUS", "PLUS", "TILDE", "BANG", "BINARY"})


class Token(NamedTuple):
    kind: str
    value: str
    end: int
    """Its position, as errors count it: in bytes of the whole statement, one after its end."""


def tokens(text: str) -> Iterator[Token]:
    """The words of a filter, its hidden WHERE among them. Raises InvalidQuery for what is no word, and for too deep nesting."""
    text = text.strip()
    start = PREFIX
    if text and not _CLAUSE.match(text):
        start += "where "
        yield Token("WHERE", "where", len(start))
    position, nesting, signs = 0, 0, 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise _no_word(text, position, start)
        position = match.end()
        if match.lastgroup == "BLANK":
            continue
        token = _token(match.lastgroup or "", match.group(), _place(start, text, position))
        nesting += {"LPAR": 1, "RPAR": -1}.get(token.kind, 0)
        signs = signs + 1 if token.kind in _BEFORE_A_VALUE else 0
        if nesting > NESTING_MAX or signs > NESTING_MAX:
            raise malformed(f"max nesting level reached at position {token.end}")
        yield token


def end_of(text: str) -> int:
    """The position after the last word."""
    text = text.strip()
    return _place(PREFIX if not text or _CLAUSE.match(text) else f"{PREFIX}where ", text, len(text))


def _token(group: str, text: str, end: int) -> Token:
    match group:
        case "WORD":
            word = text.lower()
            kind = _WORDS.get(word) or ("RESERVED" if word in _RESERVED else "NAME")
            return Token(kind, text if kind == "NAME" else word, end)
        case "QUOTED":
            return Token("NAME", text[1:-1].replace("``", "`"), end)
        case "STRING":
            return Token("STRING", _content(text[1:-1], text[0]), end)
        case "SIGN":
            return Token(_SIGNS[text], text, end)
        case "BIND" if text.startswith("::"):
            return Token("LIST_BIND", text, end)
        case "BIND":
            return Token("NUMBER", text if text != "?" else ":v1", end)
        case "HEX" | "BITS":
            return Token("NUMBER", text[2:-1], end)
        case _:
            return Token(group, text, end)


def _content(text: str, quote: str) -> str:
    """A quote inside is written twice, or after a backslash."""
    return re.sub(rf"{quote}{quote}|\\(.)", lambda found: _unescaped(found.group(1), quote), text, flags=re.DOTALL)


def _unescaped(character: str | None, quote: str) -> str:
    return quote if character is None else _ESCAPED.get(character, character)


def _no_word(text: str, position: int, start: str) -> Exception:
    match = _BROKEN.match(text, position)
    assert match is not None
    near, end = match.group(), _place(start, text, match.end())
    match match.lastgroup:
        case "string":
            near = _content(near[1:], near[0])
        case "quoted":
            near = near[1:].replace("``", "`")
        case "rest" if not near.isascii():
            near, end = "\ufffd", _place(start, text, position) + 1  # its first byte, of several
    return malformed(f"syntax error at position {end} near '{near}'")


def _place(start: str, text: str, end: int) -> int:
    return len(start) + len(text[:end].encode()) + 1
