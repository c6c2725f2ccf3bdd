"""Every command that a document shows exists: verbs and options of `annex`, stacks of `cdk`, calls of `aws`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
import typer
from aws_cdk import App
from botocore import xform_name
from typer.exceptions import TyperException

import lab.__main__
import verify.options
from annex_lease.operator_policy import OPERATE
from annex_pool.cli import app
from annex_spec import BaseSpec, ImageSpec, load
from stacks import AnnexStack, base_stacks, image_stacks, network_stacks
from tests.docs.documents import DOCUMENTS, ROOT, code, name, shell_lines, text
from verify.experiments import EXPERIMENTS
from verify.outcome import ALL_HELD, ASSUMPTION_WRONG, INCOMPLETE, REFUSED
from verify.plan import MAX_LIFETIME

_ANNEX = typer.main.get_command(app)
_LAB = typer.main.get_command(lab.__main__.app)
# Options of the AWS CLI itself, for any call.
_GLOBAL = {"--query", "--output", "--cli-binary-format", "--region"}
# The CDK CLI's own words that the documents use.
_CDK = {"bootstrap", "deploy", "destroy", "diff", "synth", "context"}


def parse(command: Any, words: list[str], called: str = "annex") -> None:
    """Parse as the command line would, without doing anything; raises what it would print."""
    if not hasattr(command, "commands"):
        command.make_context(called, list(words))
    elif words[0].startswith("-"):
        assert words[0] in options_of(command), f"{called} has no option {words[0]}"
    else:
        assert words[0] in command.commands, f"{called} has no verb {words[0]}"
        parse(command.commands[words[0]], words[1:], f"{called} {words[0]}")


def options_of(command: Any) -> set[str]:
    """Its options, and those of its verbs."""
    inner = getattr(command, "commands", {}).values()
    own = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    return own.union({"--help"}, *(options_of(each) for each in inner))


def commands(document: Path) -> list[list[str]]:
    """Console lines as words, without comments; the parts of a pipe and a `$( )` are commands of their own."""
    found = []
    for line in shell_lines(document):
        inner = re.compile(r"\$\(([^()]*)\)")
        plain = re.sub(r"\s#.*$", "", line)
        for part in [*inner.findall(plain), *re.split(r"&&|\|", inner.sub("value", plain))]:
            words = shlex.split(part)
            found.append(words[words.index("aws") :] if words[:1] == ["xargs"] else words)
    return [words for words in found if words]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_annex_commands_parse(document: Path) -> None:
    for words in commands(document):
        if words[1:5] == ["-m", "lab", "exec", "--"]:
            words = words[5:]
        if words[0] == "annex":
            parse(_ANNEX, words[1:])


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_annex_verbs_and_options_in_running_text_exist(document: Path) -> None:
    for inline in code(document):
        if not re.match(r"annex [a-z]", inline):
            continue
        words = shlex.split(inline)[1:]
        command: Any = _ANNEX
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, inline
            command = command.commands[words.pop(0)]
        assert {word for word in words if word.startswith("--")} <= options_of(command), inline


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_options_in_running_text_exist(document: Path) -> None:
    known = {*options_of(_ANNEX), *options_of(_LAB), *options_of_verification(), "--retain-resources"}
    # These name options of other programs.
    if document.stem not in ("comparison", "older-commands"):
        for inline in code(document):
            if inline.startswith("--"):
                assert inline.split()[0] in known, inline


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_options_of_the_scripts_exist(document: Path) -> None:
    shown = [*(" ".join(words) for words in commands(document)), *code(document)]
    known = {"demo": options_of(_LAB), "test": options_of_checks(), "verify-account": options_of_verification()}
    for script, option in re.findall(rf"scripts/({'|'.join(known)}) (--[\w-]+)", "\n".join(shown)):
        assert option in known[script], option


def options_of_verification() -> set[str]:
    return set(re.findall(r"--[\w-]+", verify.options.parser().format_help()))


def test_the_page_of_the_verification_has_every_experiment_and_exit_code() -> None:
    page = text(ROOT / "docs/how-to/verify-an-account.md")
    rows = re.findall(r"^\| (\d+) \| (?:[^|]*) \| ([abc]) \|$", page, re.M)
    expected = sorted((each.number, *each.annexes) for each in EXPERIMENTS.values())
    assert [(int(number), letter) for number, letter in rows] == expected
    codes = [int(code) for code in re.findall(r"^\| (\d) \| [a-z]", page, re.M)]
    assert f"after {MAX_LIFETIME.total_seconds() / 60:.0f} minutes" in page
    assert codes == sorted({ALL_HELD, ASSUMPTION_WRONG, REFUSED, INCOMPLETE})


@cache
def options_of_checks() -> set[str]:
    done = subprocess.run([sys.executable, "-m", "scripts.checks", "--help"], cwd=ROOT, capture_output=True, text=True)
    return set(re.findall(r"--\w+", done.stdout))


@cache
def stacks() -> set[str]:
    """The names of the stacks that the project's own spec file makes, with a base, shared networks and an image."""
    spec, cdk = load(ROOT / "annexes.toml"), App()
    annexes = [AnnexStack(cdk, pool=spec.pool, annex=annex) for annex in spec.annexes.values()]
    bases = base_stacks(cdk, spec.base or BaseSpec(), spec.annexes.values())
    sharing = [annex.model_copy(update={"vpc": "shared", "subnets": ()}) for annex in spec.annexes.values()]
    networks = network_stacks(cdk, spec.pool, sharing).values()
    images = image_stacks(cdk, [ImageSpec(name="base", region="us-east-1")], ROOT)
    return {stack.stack_name for stack in [*annexes, *bases, *networks, *images]}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_cdk_commands_name_stacks_that_the_app_makes(document: Path) -> None:
    shown = [words for words in commands(document) if words[0] == "cdk"]
    shown += [shlex.split(inline) for inline in code(document) if re.match(r"cdk [a-z]", inline)]
    for _, verb, *rest in shown:
        assert verb in _CDK, verb
        for word in rest:
            if word.startswith("Annex"):
                assert {word, word.replace("NAME", "demo"), word.replace("NAME", "base")} & stacks(), word


def test_the_outputs_that_a_command_reads_exist() -> None:
    spec = load(ROOT / "annexes.toml")
    (base,) = base_stacks(App(), BaseSpec(), spec.annexes.values())
    text = (ROOT / "docs/how-to/base-stack.md").read_text()
    for output in re.findall(r"OutputKey=='(\w+)'", text):
        assert base.node.try_find_child(output) is not None, output


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_aws_calls_exist(document: Path) -> None:
    """Compared with the API model in boto3: service, operation and parameters, not their values."""
    for words in commands(document):
        if words[0] != "aws":
            continue
        _, service, operation, *rest = words
        if operation == "wait":
            continue
        client = boto3.client(cast("Any", service), region_name="us-east-1")
        method = operation.replace("-", "_")
        assert method in client.meta.method_to_api_mapping, f"{service} {operation}"
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        members = model.input_shape.members if model.input_shape else {}
        known = {"--" + xform_name(member, "-") for member in members} | _GLOBAL
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_files_that_a_command_copies_exist() -> None:
    copies = [words[1:] for document in DOCUMENTS for words in commands(document) if words[0] == "cp"]
    sources = [word for *files, _ in copies for word in files if not word.startswith("-")]
    assert sources
    assert not [source for source in sources if not (ROOT / source).is_file()]


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        parse(_ANNEX, ["prolong", "demo"])
    with pytest.raises(TyperException, match="No such option: --by"):
        parse(_ANNEX, ["extend", "demo", "--by", "2h"])
    with pytest.raises(TyperException, match="Missing parameter: name"):
        parse(_ANNEX, ["extend"])


def test_the_commands_of_pipes_and_substitutions_are_found() -> None:
    calls = [words[2] for words in commands(ROOT / "docs/how-to/stop-by-hand.md") if words[0] == "aws"]
    assert calls.count("describe-auto-scaling-groups") == 2, "the second is in a loop, in a block without prompts"
    assert calls.count("terminate-instances") == calls.count("create-or-update-tags") == 1
    assert len(calls) == 10


def test_every_statement_of_the_operators_policy_is_explained() -> None:
    """In the order of the policy: a statement that is added, moved or renamed there changes the page too."""
    table = (ROOT / "docs/how-to/operators.md").read_text().partition("| statement |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\| ([^|]*) \|", table, re.M)
    assert [sid for cell in cells for sid in re.findall(r"`(\w+)`", cell)] == [right.sid for right in OPERATE]
