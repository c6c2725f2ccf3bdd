"""Checks of parameters that `annex_lease` has more to say about: lists, types, scripts, rules between two values."""

from collections.abc import Callable, Iterable, Sequence

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2

from annex_constructs.errors import INSTANCE_TYPE, check_list, invalid_value
from annex_lease.built_forms import SCRIPT_ALLOWED, script_defect
from annex_lease.kinds import Texts
from annex_lease.rules import Conflict


def check_texts(
    parameter: str, values: object, term: Texts, rule: Callable[[str], Conflict | None] | None = None
) -> None:
    """Refuse what is no list of different texts; an empty list passes, because it declares nothing.

    :param parameter: class and parameter.
    :param values: the list as the caller gave it.
    :param term: the declared value.
    :param rule: says what one of the texts is likely to mean. Default: - the fix is an example.
    :raises ValueError: it is no list, one of its values has another form or is there twice, or there are too many.
    """
    if (
        not isinstance(values, Sequence)
        or isinstance(values, str | bytes)
        or not all(isinstance(each, str) and term.form.matches(each) for each in values)
        or len({*values}) != len(values)
        or not term.contains(max(len(values), term.minimum))
    ):
        texts = [each for each in values if isinstance(each, str)] if isinstance(values, Sequence) else []
        meant = [conflict.advice for each in texts if rule is not None and (conflict := rule(each)) is not None]
        fix = meant[0] if meant else f"pass {parameter.rpartition(' ')[2]}={term.example}"
        raise invalid_value(parameter, received=values, allowed=term.allowed, fix=fix)


def check_types(
    parameter: str,
    instance_types: Sequence[ec2.InstanceType],
    term: Texts,
    rule: Callable[[Sequence[str]], Conflict | None],
) -> None:
    """Refuse instance types that cannot boot one image.

    :param parameter: class and parameter.
    :param instance_types: the types.
    :param term: the declared value.
    :param rule: what the types have to have in common.
    :raises ValueError: none, too many, the same twice, of two processor architectures, or one that no annex works on.
    """
    check_list(parameter, instance_types, INSTANCE_TYPE)
    names = [each.to_string() for each in instance_types]
    misspelt = [each for each in names if not Token.is_unresolved(each) and not term.form.matches(each)]
    if misspelt or len(set(names)) != len(names) or not term.contains(len(names)):
        raise invalid_value(
            parameter,
            received=misspelt or names,
            allowed=term.allowed,
            fix=f'pass {parameter.rpartition(" ")[2]}=[ec2.InstanceType("{term.form.example}")]',
        )
    # The CDK's own `InstanceType.architecture` fails on 30 of AWS's names.
    conflict = rule([name for name in names if not Token.is_unresolved(name)])
    if conflict is not None:
        raise invalid_value(parameter, received=names, allowed=conflict.allowed, fix=conflict.advice)


def check_script(parameter: str, text: object) -> None:
    """Refuse what is no text of a script; None passes.

    :param parameter: class and parameter.
    :param text: the text as the caller gave it.
    :raises ValueError: it is no text, no script that could run, or has a value that only CloudFormation knows: it is
        packed.
    """
    if text is None:
        return
    received: object = text
    if isinstance(text, str) and not Token.is_unresolved(text):
        # What is no text in UTF-8 is the defect of its bytes.
        received = script_defect(text.encode(errors="surrogatepass"))
        if not received:
            return
    allowed = f"the text of a script, {SCRIPT_ALLOWED}, known when the app is synthesised"
    fix = f'pass {parameter.rpartition(" ")[2]}=Path("...").read_text()'
    raise invalid_value(parameter, received=received, allowed=allowed, fix=fix)


def check_conflicts(given: object, conflicts: Iterable[Conflict | None]) -> None:
    """Refuse values that do not go together.

    :param given: the object whose parameters they are.
    :param conflicts: the results of rules of `annex_lease`.
    :raises ValueError: a rule found a conflict.
    """
    for conflict in conflicts:
        if conflict is not None:
            raise invalid_value(
                f"{type(given).__name__} {conflict.name}",
                received=getattr(given, conflict.name),
                allowed=conflict.allowed,
                fix=conflict.advice,
            )
