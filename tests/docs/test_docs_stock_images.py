"""Stock images and components in the documents: those of the code, each with its own facts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from annex_lease.components import COMPONENTS
from annex_lease.forms import IMAGE
from annex_lease.stock_images import (
    DEFAULT_IMAGE,
    HTCONDOR_IN_IMAGE,
    HTCONDOR_REPOSITORIES,
    HTCONDOR_SERIES,
    IMAGE_FAMILIES,
    ImageFamily,
)
from tests.docs.documents import DOCS, DOCUMENTS, README, ROOT, code, text

PAGE = DOCS / "how-to/networks-and-images.md"


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the table whose first cell is this one."""
    _, _, table = text(PAGE).partition(f"| {heading} |")
    for line in table.partition("\n\n")[0].splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def shown(family: ImageFamily) -> list[str]:
    """The row of a stock image."""
    source = f"a look-up, account {family.owner}" if family.owner else f"a parameter of {family.publisher}"
    default = ", the default" if family.name == DEFAULT_IMAGE else ""
    return [
        f'`"{family.name}"`{default}',
        family.title,
        ", ".join(family.architectures),
        f"`{family.root_device}`",
        f"`{family.login_user}`",
        source,
    ]


def test_the_table_of_stock_images_is_that_of_the_code() -> None:
    first = next(rows("`image =`"))
    assert first[0].startswith(f'`"{DEFAULT_IMAGE}"`')
    assert list(rows("`image =`")) == [shown(each) for each in IMAGE_FAMILIES.values()]


def test_the_table_of_components_is_that_of_the_code() -> None:
    everywhere = tuple(IMAGE_FAMILIES)
    expected = [
        [f"`{name}`", "all" if images == everywhere else ", ".join(IMAGE_FAMILIES[each].title for each in images)]
        for name, images in COMPONENTS.items()
    ]
    assert list(rows("component")) == expected


def test_series_and_repositories_are_those_of_the_code() -> None:
    said = {*code(PAGE)}
    assert {f'"{each}"' for each in (*HTCONDOR_SERIES, HTCONDOR_IN_IMAGE)} <= said
    assert HTCONDOR_REPOSITORIES in said
    assert {directory for each in IMAGE_FAMILIES.values() for directory in each.mirrored} <= said
    (parameter,) = re.findall(r"--names (\S+)", text(PAGE))
    assert parameter in IMAGE_FAMILIES[DEFAULT_IMAGE].parameters.values()


def test_every_system_in_readme_and_in_the_example_is_a_stock_image() -> None:
    titles = [re.sub(r" [\d.]+$", "", each.title) for each in IMAGE_FAMILIES.values()]
    (row,) = re.findall(r"^\| image \| (.*?) \|", text(README), re.M)
    assert row.startswith(f"{', '.join(titles[:-1])} or {titles[-1]};")
    assert f"boot {IMAGE_FAMILIES[DEFAULT_IMAGE].title} and install HTCondor {HTCONDOR_SERIES[0]}" in text(README)
    example = (ROOT / "annexes.toml").read_text()
    assert all(f'"{name}"' in example for name in IMAGE_FAMILIES)


def test_no_document_names_a_stock_image_that_does_not_exist() -> None:
    names = re.compile(r'image = "((?:debian|ubuntu|amazon|alma|rocky)[^"]*)"')
    found = [(document, name) for document in DOCUMENTS for name in names.findall(text(document))]
    assert found
    assert not [(document, name) for document, name in found if not IMAGE.matches(name)]
