"""The grammar of list filters: the conditions of a MySQL SELECT, as far as the reference server reads them.

It takes more than is supported, as the reference server does, so that what is not supported can be named in the refusal.
Lark is imported with the first filter: that takes a fifth of a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from outlast.server.visibility.refusal import malformed
from outlast.server.visibility.tokens import end_of, tokens

if TYPE_CHECKING:
    from lark import Lark, Tree
    from lark import Token as LarkToken

    Node = Tree[LarkToken]

_KINDS = """AND OR NOT IS NULL TRUE FALSE IN LIKE REGEXP BETWEEN BY STARTS_WITH ESCAPE GROUP ORDER HAVING LIMIT ASC DESC COLLATE DISTINCT
WHERE BINARY OPERATION OFFSET FOR UPDATE RESERVED NAME STRING NUMBER LIST_BIND EQ LT GT LE GE NE NULL_SAFE_EQ
LPAR RPAR COMMA SEMICOLON DOT STAR MINUS PLUS TILDE BANG"""
_WITH_TEXT = frozenset({"NAME", "STRING", "NUMBER", "LIST_BIND"})
_GRAMMAR = r"""
start: where? group_by? _having? order_by? limit? _lock? SEMICOLON?
where: WHERE _expression
group_by: GROUP BY _expressions
_having: HAVING _expression
order_by: ORDER BY order (COMMA order)*
order: _expression (ASC | DESC)?
limit: LIMIT _expression ((COMMA | OFFSET) _expression)?
_lock: FOR UPDATE

_expressions: _expression (COMMA _expression)*
_expression: or_
?or_: and_ (OR and_)*
?and_: not_ (AND not_)*
?not_: NOT not_ -> negation
    | is_
?is_: predicate
    | is_ IS NULL -> is_null
    | is_ IS NOT NULL -> is_not_null
    | is_ IS NOT? (TRUE | FALSE) -> is_true
?predicate: value
    | value (EQ | LT | GT | LE | GE | NE | NULL_SAFE_EQ) value -> comparison
    | value IN _members -> one_of
    | value NOT IN _members -> none_of
    | value (LIKE | REGEXP) value (ESCAPE value)? -> comparison
    | value NOT (LIKE | REGEXP) value (ESCAPE value)? -> not_comparison
    | value STARTS_WITH value -> comparison
    | value NOT STARTS_WITH value -> not_comparison
    | value BETWEEN value AND value -> between
    | value NOT BETWEEN value AND value -> not_between
_members: tuple | LIST_BIND
tuple: LPAR _expressions RPAR

?value: term
    | value (OPERATION | STAR | MINUS | PLUS) term -> binary
?term: atom
    | (MINUS | PLUS) term -> signed
    | (TILDE | BANG | BINARY) term -> unary
    | term COLLATE (NAME | STRING) -> collate
?atom: STRING -> string
    | NUMBER -> number
    | (TRUE | FALSE) -> boolean
    | NULL -> null
    | NAME (DOT NAME)~0..2 -> column
    | NAME LPAR (STAR | DISTINCT? _expressions)? RPAR -> function
    | LPAR _expressions RPAR -> parentheses
"""


def parse(text: str) -> Node:
    """The filter as a tree of the grammar's rules; its leaves are tokens. Raises InvalidQuery."""
    from lark.exceptions import UnexpectedToken

    try:
        return _parser().parse(text)
    except UnexpectedToken as error:
        if error.token.type == "$END":
            raise malformed(f"syntax error at position {end_of(text)}") from None
        is_sign = error.token.type not in _WITH_TEXT and not re.match(r"\w", error.token)
        near = "" if is_sign else f" near '{error.token}'"
        raise malformed(f"syntax error at position {error.token.end_pos}{near}") from None


def subtrees(node: Node) -> list[Node]:
    """The node's children that are no tokens."""
    return [cast("Node", child) for child in node.children if hasattr(child, "data")]


def parser_is_loaded() -> bool:
    """Whether the next filter takes microseconds."""
    return _parser.cache_info().currsize > 0


@cache
def _parser() -> Lark:
    from lark import Lark, Token
    from lark.lexer import Lexer

    class Words(Lexer):
        __future_interface__ = 1

        def __init__(self, _settings: Any) -> None: ...

        def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[LarkToken]:
            for word in tokens(lexer_state.text.text):
                yield Token(word.kind, word.value, end_pos=word.end)

    declared = "%declare " + " ".join(_KINDS.split()) + "\n"
    return Lark(declared + _GRAMMAR, parser="lalr", lexer=Words, propagate_positions=False)
