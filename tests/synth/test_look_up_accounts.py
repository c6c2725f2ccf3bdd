"""Account of an annex whose image is looked up: that of the spec, else that of the credentials, and for no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from annex_spec import Spec, SpecError, load
from stacks import with_accounts
from tests.synth.test_app_input import SPEC, run

ACCOUNT, OTHER = "123456789012", "210987654321"
DEBIAN = SPEC.replace("ami-0123456789abcdef0", "debian-13")
ROCKY = DEBIAN.partition("[annex.demo]")[2].replace("debian-13", "rocky-9")


def spec_of(tmp_path: Path, text: str) -> Spec:
    file = tmp_path / "annexes.toml"
    file.write_text(text)
    return load(file)


def test_only_a_look_up_takes_the_account_of_the_credentials(tmp_path: Path) -> None:
    stated = ROCKY + f'account = "{OTHER}"\n'
    spec = spec_of(tmp_path, f"{DEBIAN}[annex.found]\n{ROCKY}[annex.stated]\n{stated}")
    found = with_accounts(spec, ACCOUNT)
    assert {name: each.account for name, each in found.items()} == {"demo": None, "found": ACCOUNT, "stated": OTHER}
    assert list(found) == list(spec.annexes)
    assert found["demo"] is spec.annexes["demo"]
    assert found["found"] == spec.annexes["found"].model_copy(update={"account": ACCOUNT})


@pytest.mark.parametrize("account", [None, ""])
def test_a_look_up_without_an_account(tmp_path: Path, account: str | None) -> None:
    spec = spec_of(tmp_path, f"{DEBIAN}[annex.found]\n{ROCKY}")
    with pytest.raises(SpecError) as refused:
        with_accounts(spec, account)
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.fix) == ("[annex.found]", "account", f'account = "{ACCOUNT}"')
    assert "the newest image of Rocky Linux 9" in problem.allowed
    assert with_accounts(spec_of(tmp_path, DEBIAN), account)


def synthesised(monkeypatch: pytest.MonkeyPatch, directory: Path, text: str, account: str | None) -> dict[str, str]:
    """The error, or the templates by the names of their files."""
    directory.mkdir()
    (directory / "annexes.toml").write_text(text)
    monkeypatch.delenv("CDK_DEFAULT_ACCOUNT", raising=False)
    if account:
        monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", account)
    said = run(monkeypatch, directory, None)
    if said:
        return {"error": said}
    return {path.name: path.read_text() for path in (directory / "out").glob("*.template.json")}


def test_other_templates_do_not_depend_on_the_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = f"{DEBIAN}[annex.found]\n{ROCKY}"
    made = {account: synthesised(monkeypatch, tmp_path / account, both, account) for account in (ACCOUNT, OTHER)}
    alone = synthesised(monkeypatch, tmp_path / "alone", DEBIAN, None)
    name = "Annex-demo.template.json"
    assert made[ACCOUNT][name] == made[OTHER][name] == alone[name]
    manifest = json.loads((tmp_path / ACCOUNT / "out/manifest.json").read_text())
    places = {key: each.get("environment") for key, each in manifest["artifacts"].items()}
    assert places["Annex-found"] == f"aws://{ACCOUNT}/us-east-1"
    assert places["Annex-demo"] == "aws://unknown-account/us-east-1"
    (missing,) = (each for each in manifest["missing"] if each["provider"] == "ami")
    assert missing["props"]["account"] == ACCOUNT


def test_the_app_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = synthesised(monkeypatch, tmp_path / "without", f"{DEBIAN}[annex.found]\n{ROCKY}", None)["error"]
    assert said.startswith("error: annexes.toml: 1 problem\n  [annex.found] account\n")
    assert f'fix:      account = "{ACCOUNT}"' in said


def test_a_shared_network_is_in_the_account_of_the_look_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shared = f'{DEBIAN}vpc = "shared"\n[annex.found]\n{ROCKY}vpc = "shared"\n'
    made = synthesised(monkeypatch, tmp_path / "shared", shared, ACCOUNT)
    assert {"Annex-demo.template.json", "Annex-found.template.json"} <= made.keys()
    assert len([name for name in made if name.startswith("AnnexNetwork")]) == 2
