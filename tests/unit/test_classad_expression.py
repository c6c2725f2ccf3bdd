"""Expressions of a user: what the check accepts is one expression for HTCondor's own library, all else is refused."""

from __future__ import annotations

import classad2  # type: ignore[import-untyped]
import htcondor2  # type: ignore[import-untyped] # noqa: F401 - gives classad2 HTCondor's own functions
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.classad_expression import MAX_DEPTH, ExpressionError, check_expression
from annex_lease.classad_functions import ANY_NUMBER, FUNCTIONS
from annex_lease.job_forms import MAX_EXPRESSION_LENGTH, START

GOOD = [
    "true",
    "TARGET.RequestMemory < 8192",
    "target.RequestCpus <= 4 && my.Cpus >= 4",
    'TARGET.Owner == "ada" || regexp("^b[.]x\\\\.", TARGET.Owner, "i")',
    "RequestGPUs is undefined",
    "RequestGPUs isnt undefined && !(JobPrio >= 5)",
    'member(TARGET.Owner, {"ada", "bob"})',
    "TARGET.QDate + 3600 > time()",
    "TARGET.RequestDisk ?: 0 < 1000000",
    "JobUniverse == 5 ? RequestCpus : 1.5e3",
    'splitUserName(TARGET.User)[1] =!= "example.edu"',
    "{}[0] =?= undefined",
    "- -1 + ~2 * (3 % 4) << 1 >>> 2 & 7 | 8 ^ 9 != 0",
    'strcat("a", "\\"quoted\\" and \\\\")=="b"',
    "min({1, 2}) < 2",
    "TRUE",
    "((((((((((1))))))))))",
]
BAD = [
    ("", "the expression is empty"),
    ("   ", "the expression is empty"),
    ("$(SECRET)", "a macro of the configuration ($) is not allowed at character 1"),
    ("true || $ENV(HOME)", "a macro of the configuration ($) is not allowed at character 9"),
    ('Owner == "$(a)"', "a macro of the configuration ($) is not allowed at character 11"),
    ('"a$b', 'a text with $, or without its closing "; the only escapes are \\" and \\\\ at character 1'),
    ('"abc', 'a text without its closing ", or with a backslash before another character than " and \\ at character 1'),
    (
        '"a\\n"',
        'a text without its closing ", or with a backslash before another character than " and \\ at character 1',
    ),
    ("true \\", "'\\\\' is not allowed at character 6"),
    ("true\nDAEMON_LIST = SCHEDD", "'\\n' is not allowed at character 5"),
    ("true\r", "'\\r' is not allowed at character 5"),
    ("true\t", "'\\t' is not allowed at character 5"),
    ("é", "'é' is not allowed at character 1"),
    ("A = 5", "'=' is not allowed at character 3"),
    ("'A' == 5", '"\'" is not allowed at character 1'),
    ("true; false", "';' is not allowed at character 5"),
    ('eval("1")', "the function eval is not allowed at character 1"),
    ("evalInEachContext(A, {B})", "the function evalInEachContext is not allowed at character 1"),
    ('userHome("root")', "the function userHome is not allowed at character 1"),
    ('envV1ToV2("a")', "the function envV1ToV2 is not allowed at character 1"),
    ("random()", "the function random is not allowed at character 1"),
    ("1 + nothing(2)", "the function nothing is not allowed at character 5"),
    ("(1", "the end in place of ) at character 3"),
    ("1)", ") in place of an operator or the end at character 2"),
    ("{1, 2", "the end in place of } at character 6"),
    ("{1,}", "} in place of a value at character 4"),
    ("A[1", "the end in place of ] at character 4"),
    ("[a = 1]", "'=' is not allowed at character 4"),
    ("[]", "[ in place of a value at character 1"),
    ("1 2", "2 in place of an operator or the end at character 3"),
    ("&& true", "&& in place of a value at character 1"),
    ("true &&", "the end in place of a value at character 8"),
    ("a ? b", "the end in place of : at character 6"),
    ("MY", "the end in place of . at character 3"),
    ("MY.5", "5 in place of an attribute after MY. at character 4"),
    ("A ?: !B", "! in place of a value without a sign after ?:, or one in parentheses at character 6"),
    ("MY.(A)", "( in place of an attribute after MY. at character 4"),
    ("TARGET.MY.A", "MY is no attribute at character 8"),
    ("OTHER.A", "OTHER is no attribute at character 1"),
    (".A", ". in place of a value at character 1"),
    ("A.B", ". in place of an operator or the end at character 2"),
    *((name, f"{name} is no attribute at character 1") for name in ("error", "Parent", "self", "toplevel", "root")),
    *((f"MY.{name}", f"{name} is no attribute at character 4") for name in ("true", "UNDEFINED", "is", "isnt")),
    ("010", "a number of another form than 12, 1.5 or 1.5e3 at character 1"),
    ("1.", "a number of another form than 12, 1.5 or 1.5e3 at character 1"),
    ("5K", "a number of another form than 12, 1.5 or 1.5e3 at character 1"),
    ("time(1)", "time takes 0 arguments, not 1, at character 1"),
    ("ifThenElse(a, b)", "ifThenElse takes 3 arguments, not 2, at character 1"),
    ("regexp(a)", "regexp takes 2 to 3 arguments, not 1, at character 1"),
    ("strcat()", "strcat takes 1 or more arguments, not 0, at character 1"),
    ("is", "is in place of a value at character 1"),
    ("a is", "the end in place of a value at character 5"),
    (
        "1" * (MAX_EXPRESSION_LENGTH + 1),
        f"{MAX_EXPRESSION_LENGTH + 1} characters are more than {MAX_EXPRESSION_LENGTH}",
    ),
    ("(" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} levels at character {MAX_DEPTH + 1}"),
    ("!" * 200 + "a", f"more than {MAX_DEPTH} levels at character {MAX_DEPTH + 1}"),
]
PARTS = [
    *("A", "MY.", "TARGET.Owner", "1", "0.5", '"a"', '"\\\\"', "true", "undefined", "is", "isnt", "(", ")", "{", "}"),
    *("[", "]", ",", "+", "-", "!", "~", "&&", "||", "==", "=?=", "=!=", "<", ">=", "?", ":", "?:", "$", "\\", "\n"),
    *("time()", "size(", "regexp(", "eval(", "max(", ".", "=", "'", "/*", "//", "#", " ", "1e5", "error", ">>>"),
]


def accepted(text: str) -> bool:
    try:
        check_expression(text)
    except ExpressionError as refused:
        assert str(refused)
        assert 0 <= refused.position <= len(text) + 1
        return False
    return True


def one_expression(text: str) -> bool:
    """True if HTCondor's library reads the whole text as one expression, alone and between parentheses."""
    for each in (text, f"({text}) && true"):
        classad2.ExprTree(each)
        ad = classad2.ClassAd(f"[ Start = {each}; After = 1 ]")
        assert set(ad) == {"Start", "After"}
    return True


@pytest.mark.parametrize("text", GOOD)
def test_accepted(text: str) -> None:
    check_expression(text)
    assert START.matches(text)
    assert one_expression(text)


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_refused_with_the_reason_and_the_position(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_expression(text)
    assert str(caught.value) == reason


def test_the_limits_are_accepted() -> None:
    check_expression("A" * MAX_EXPRESSION_LENGTH)
    check_expression("(" * (MAX_DEPTH - 1) + "a" + ")" * (MAX_DEPTH - 1))
    check_expression("+".join("a" * 250))
    for closed in ("-1", "(1)", "!(1)", "a[0]", "{1}", "-(1)"):
        check_expression("+".join([closed] * (MAX_DEPTH + 1)))


ARGUMENTS = {
    "regexp": '("a", "abc")',
    "regexpmember": '("a", {"abc"})',
    "regexps": '("(a)", "abc", "b")',
    "replace": '("a", "abc", "b")',
    "replaceall": '("a", "abc", "b")',
    "stringlist_regexpmember": '("a", "abc")',
    "ifthenelse": "(true, 1, 2)",
    "anycompare": '("<", {1, 2}, 3)',
    "allcompare": '("<", {1, 2}, 3)',
    "strcat": '("a", "b")',
    "split": '("a b")',
    "join": '(",", "a", "b")',
    "substr": '("abc", 1)',
    "size": '("abc")',
    "time": "()",
    "pow": "(2, 3)",
    "quantize": "(3, 8)",
    "member": "(1, {1})",
    "identicalmember": "(1, {1})",
    "sum": "({1, 2})",
    "avg": "({1, 2})",
    "min": "({1, 2})",
    "max": "({1, 2})",
    "stringlistsum": '("1,2")',
    "stringlistavg": '("1,2")',
    "stringlistmin": '("1,2")',
    "stringlistmax": '("1,2")',
    "stringlistsize": '("1,2")',
    "version_in_range": '("2.0", "1.0", "3.0")',
    "splitusername": '("ada@example.edu")',
    "splitslotname": '("slot1@host")',
    "int": "(1.5)",
    "real": "(1)",
    "floor": "(1.5)",
    "ceiling": "(1.5)",
    "round": "(1.5)",
    "bool": "(true)",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_htcondor_knows_every_allowed_function(name: str) -> None:
    arguments = ARGUMENTS.get(name, '("1.0", "2.0")' if FUNCTIONS[name][0] == 2 else '("a")')
    check_expression(name + arguments)
    assert classad2.ExprTree(name + arguments).eval() is not classad2.Value.Error


def test_htcondor_does_not_know_a_function_of_another_name() -> None:
    assert classad2.ExprTree("nothing(2)").eval() is classad2.Value.Error


@pytest.mark.parametrize("name", [name for name, (_, most) in FUNCTIONS.items() if most < ANY_NUMBER])
def test_htcondor_refuses_a_number_of_arguments_that_the_check_refuses(name: str) -> None:
    _, most = FUNCTIONS[name]
    text = f"{name}({', '.join(['1'] * (most + 1))})"
    assert not accepted(text)


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join) | st.text(max_size=40))
def test_a_text_is_refused_or_is_one_expression(text: str) -> None:
    if accepted(text):
        assert "\n" not in text
        assert "$" not in text
        assert one_expression(text)


VALUES = st.sampled_from(
    ["A", "MY.Cpus", "TARGET.Owner", "1", "0.5", '"a\\"\\\\"', "true", "UNDEFINED", "time()", "{}"]
)
TREES = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", " is ", "=!=", "<", "+", "%", ">>>", "?:"]), inner).map(
            "".join
        ),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"(! {text})"),
        inner.map(lambda text: f"({text})[0]"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]}?{three[1]}:{three[2]})"),
        st.lists(inner, min_size=1, max_size=3).map(lambda many: f"strcat({', '.join(many)})"),
        st.lists(inner, max_size=3).map(lambda many: f"{{{', '.join(many)}}}"),
    ),
    max_leaves=12,
)


@given(TREES)
def test_an_expression_of_allowed_parts_is_accepted(text: str) -> None:
    if len(text) <= MAX_EXPRESSION_LENGTH:
        check_expression(text)
        assert one_expression(text)
