"""ClassAd expressions that an annex may add to START, checked before a machine reads them.

The check is an allow list: literals, attributes, operators, lists and the functions of `annex_lease.classad_functions`.
Everything that the check accepts is one expression for HTCondor too. The grammar is that of the HTCondor manual,
"ClassAd Mechanism", "ClassAd Syntax". It leaves out macros of the configuration (`$`), functions that evaluate text or
read something besides the two ads, nested ads, quoted and absolute attribute names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from annex_lease.classad_functions import ANY_NUMBER, FUNCTIONS
from annex_lease.job_forms import MAX_EXPRESSION_LENGTH

MAX_DEPTH = 30
"""Levels of parentheses, lists, arguments, signs and alternatives: more than an expression of that length needs."""
_LITERALS = {"true", "false", "undefined"}
_WORDS = {"is", "isnt"}
_SCOPES = {"my", "target"}
# Their meaning is not an attribute's: another ad, an error, or a keyword.
_RESERVED = {"error", "parent", "other", "self", "toplevel", "root"} | _SCOPES
_SIGNS = ("-", "+", "!", "~")
# The check needs no order among them: each is between two values.
_OPERATORS = (
    *("||", "&&", "|", "^", "&", "<<", ">>", ">>>", "+", "-", "*", "/", "%"),
    *("==", "!=", "=?=", "=!=", "is", "isnt", "<", "<=", ">", ">="),
)
_TOKEN = re.compile(
    r"""(?P<blank>[ ]+)
    |(?P<string>"(?:[^"\\]|\\["\\])*")
    |(?P<number>(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?(?![A-Za-z0-9_.]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<mark>=\?=|=!=|>>>|\|\||&&|==|!=|<=|>=|<<|>>|\?:|[-+*/%|^&<>!~?:(){},.\[\]])""",
    re.VERBOSE | re.ASCII,
)


class ExpressionError(ValueError):
    """Refusal of an expression; the text says why, and at which character.

    Attributes:
        reason: what is wrong, without the position.
        position: number of the character, from 1; 0: the whole expression.
    """

    def __init__(self, reason: str, position: int = 0) -> None:
        self.reason, self.position = reason, position
        super().__init__(f"{reason} at character {position}" if position else reason)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def check_expression(text: str) -> None:
    """Refuse a text that is not one expression of the allowed parts.

    Args:
        text: the expression.

    Raises:
        ExpressionError: it is empty or too long, or a part of it is not allowed.
    """
    if not text.strip(" "):
        raise ExpressionError("the expression is empty")
    if len(text) > MAX_EXPRESSION_LENGTH:
        raise ExpressionError(f"{len(text)} characters are more than {MAX_EXPRESSION_LENGTH}")
    _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(_why(text[at:]), at + 1)
        if match.lastgroup != "blank":
            found.append(_Token(str(match.lastgroup), match[0], at + 1))
        at = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


def _why(rest: str) -> str:
    """Reason why no token begins here."""
    first = rest[0]
    if first == "$":
        return "a macro of the configuration ($) is not allowed"
    if first == '"':
        if "$" in rest:
            return 'a text with $, or without its closing "; the only escapes are \\" and \\\\'
        return 'a text without its closing ", or with a backslash before another character than " and \\'
    if first.isdigit():
        return "a number of another form than 12, 1.5 or 1.5e3"
    return f"{first!r} is not allowed"


class _Parser:
    """Recursive descent over the tokens; `MAX_DEPTH` bounds the recursion."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> None:
        self._expression()
        if self._next.kind != "end":
            raise self._unexpected("an operator or the end")

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *marks: str) -> bool:
        """Consume the next token if it is one of these operators or marks."""
        token = self._next
        words = token.kind == "name" and token.text.lower() in _WORDS
        if (token.kind != "mark" and not words) or token.text.lower() not in marks:
            return False
        self._at += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._unexpected(mark)

    def _unexpected(self, wanted: str) -> ExpressionError:
        found = self._next.text or "the end"
        return ExpressionError(f"{found} in place of {wanted}", self._next.position)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"more than {MAX_DEPTH} levels", self._next.position)

    def _expression(self) -> None:
        self._deeper()
        self._unary()
        while self._take(*_OPERATORS):
            self._unary()
        if self._take("?:"):
            # HTCondor's own parser does not read one there.
            if self._next.text in _SIGNS:
                raise self._unexpected("a value without a sign after ?:, or one in parentheses")
            self._expression()
        elif self._take("?"):
            self._expression()
            self._expect(":")
            self._expression()
        self._depth -= 1

    def _unary(self) -> None:
        signs = 0
        while self._take(*_SIGNS):
            self._deeper()
            signs += 1
        self._primary()
        while self._take("["):
            self._expression()
            self._expect("]")
        self._depth -= signs

    def _primary(self) -> None:
        token = self._next
        if token.kind in ("string", "number"):
            if "$" in token.text:
                at = token.position + token.text.index("$")
                raise ExpressionError("a macro of the configuration ($) is not allowed", at)
            self._at += 1
        elif token.kind == "name" and token.text.lower() not in _WORDS:
            self._name()
        elif self._take("("):
            self._expression()
            self._expect(")")
        elif self._take("{"):
            self._items("}")
        else:
            raise self._unexpected("a value")

    def _name(self) -> None:
        token = self._next
        name = token.text.lower()
        self._at += 1
        if self._take("("):
            self._call(token, self._items(")"))
        elif name in _SCOPES:
            self._expect(".")
            if self._next.kind != "name":
                raise self._unexpected(f"an attribute after {token.text}.")
            self._attribute()
        elif name not in _LITERALS:
            self._at -= 1
            self._attribute()

    def _attribute(self) -> None:
        if self._next.text.lower() in _RESERVED | _LITERALS | _WORDS:
            raise ExpressionError(f"{self._next.text} is no attribute", self._next.position)
        self._at += 1

    def _items(self, end: str) -> int:
        """Read the items of a list or a call up to its end; return how many there are."""
        if self._take(end):
            return 0
        count = 1
        self._expression()
        while self._take(","):
            self._expression()
            count += 1
        self._expect(end)
        return count

    def _call(self, token: _Token, count: int) -> None:
        if token.text.lower() not in FUNCTIONS:
            raise ExpressionError(f"the function {token.text} is not allowed", token.position)
        low, high = FUNCTIONS[token.text.lower()]
        if not low <= count <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}" if high < ANY_NUMBER else f"{low} or more"
            raise ExpressionError(f"{token.text} takes {wanted} arguments, not {count},", token.position)
