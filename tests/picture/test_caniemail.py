"""The view of Gmail held to the data that `check` has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest

from vero_deliver.picture import gmail

DATA = json.loads((files("vero_deliver.check.clients") / "caniemail.json").read_text("utf-8"))
GMAIL = DATA["clients"].index("gmail.desktop-webmail")


def uses(kind: str, support: str) -> Iterator[str]:
    """The properties, elements or pseudo-classes that Gmail supports so: "y", "n"."""
    for _, keys, letters in DATA["features"].values():
        for key in keys:
            name = key.partition(" ")[2]
            alone = key.count(" ") == 1  # "element input text" is about an attribute
            if alone and key.startswith(f"{kind} ") and letters[GMAIL] == support:
                yield name


@pytest.mark.parametrize("name", sorted(set(uses("property", "n"))))
def test_property_that_gmail_lacks_goes(name: str) -> None:
    """In an attribute and in a style element."""
    assert gmail(f'<p style="{name}:inherit">x') == "<p>x"
    assert gmail(f"<style>p{{{name}:inherit}}</style>") == "<style>p{}</style>"


@pytest.mark.parametrize("name", sorted(set(uses("property", "y")) - set(uses("property", "n"))))
def test_property_that_gmail_has_stays(name: str) -> None:
    """It is not dropped for one that is named alike."""
    html = f'<p style="{name}:inherit">x'
    assert gmail(html) == html


@pytest.mark.parametrize("name", sorted(set(uses("pseudo", "n"))))
def test_rule_with_a_pseudo_class_that_gmail_lacks_goes(name: str) -> None:
    """The whole rule."""
    assert gmail(f"<style>p:{name}{{color:red}}</style>") == "<style></style>"


@pytest.mark.parametrize("name", sorted(set(uses("element", "n")) - {"script"}))
def test_element_that_gmail_lacks_goes(name: str) -> None:
    """Its tags do; a reader sees what stands in it."""
    assert f"<{name}" not in gmail(f"<{name}>x</{name}>")


@pytest.mark.parametrize("name", sorted(set(uses("element", "y")) - {"style", "body"}))
def test_element_that_gmail_has_stays(name: str) -> None:
    """It is not dropped for one that is named alike."""
    assert gmail(f"<{name}>x</{name}>") == f"<{name}>x</{name}>"
