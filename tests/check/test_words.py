"""The small readers: graphemes, URLs, marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from dns_server import dns_server

from check.projects import FLAWLESS, Change, report
from vero_deliver.check import Options
from vero_deliver.check.graphemes import graphemes
from vero_deliver.check.urls import host_of, is_local, is_related, shown_host
from vero_deliver.render.marks import Marks, in_classes
from vero_deliver.render.templates import Templates


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("abc", 3), ("e\u0301", 1), ("👩‍👩‍👧", 1), ("👍🏽", 1), ("🇨🇿🇬🇧", 2), ("❤️", 1),
        ("नमस्ते", 4), ("שלום", 4),
    ],
)  # fmt: skip
def test_graphemes(text: str, count: int) -> None:
    """What a reader counts."""
    assert graphemes(text) == count


@pytest.mark.parametrize(
    ("url", "host", "local"),
    [
        ("https://Shop.Example./a", "shop.example", False),
        ("http://localhost:8000", "localhost", True),
        ("http://printer/", "printer", True),
        ("http://nas.local", "nas.local", True),
        ("http://10.1.2.3/x", "10.1.2.3", True),
        ("http://169.254.169.254/x", "169.254.169.254", True),
        ("http://[::1]/", "::1", True),
        ("http://8.8.8.8/", "8.8.8.8", False),
    ],
)
def test_hosts(url: str, host: str, local: bool) -> None:
    """In lower case; addresses that only a network of one's own knows."""
    assert host_of(url) == host
    assert is_local(host) is local


@pytest.mark.parametrize("url", ["mailto:a@b.example", "http://[", "http://a:x/", "//a", "a b"])
def test_no_host(url: str) -> None:
    """Of what is no http URL."""
    assert host_of(url) == ""


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("www.shop.example", "www.shop.example"),
        ("https://shop.example/sale?x=1", "shop.example"),
        ("Visit shop.example", ""),
        ("4.5 kg", ""),
        ("e.g.", ""),
    ],
)
def test_a_text_that_is_an_address(text: str, host: str) -> None:
    """All of it, not a sentence with one in it."""
    assert shown_host(text) == host


def test_related_hosts() -> None:
    """Below one another, and not by their endings alone."""
    assert is_related("www.shop.example", "click.shop.example")
    assert is_related("shop.example", "news.shop.example")
    assert not is_related("shop.example", "badshop.example")


def test_marks_leave_translations_alone() -> None:
    """What trans holds names a text in the catalog; values and comments are no tags."""
    environment = Templates().environment("html")
    marks = Marks()
    source = '<p>{% trans %}<b>x</b>{% endtrans %}<a t="<i>"{% if a %} c{% endif %}>\n <u>{{ a }}'
    marked = marks.put(environment, source, "f.html", 5)
    assert "{% trans %}<b>x</b>{% endtrans %}" in marked
    assert 't="<i>"' in marked
    assert marks.places == [("f.html", 5, 1), ("f.html", 5, 37), ("f.html", 6, 2)]


def test_marks_of_mjml_become_classes() -> None:
    """In the body; in the head a mark would be a default for all."""
    mjml = (
        '<mjml data-vero="0"><mj-head data-vero="1"><mj-all data-vero="2" color="red"/></mj-head>'
        '<mj-body data-vero="3"><mj-text data-vero="4" css-class="a"><b data-vero="5">x</b>'
    )
    assert in_classes(mjml) == (
        '<mjml><mj-head><mj-all color="red"/></mj-head>'
        '<mj-body css-class="vero-3"><mj-text css-class="vero-4 a"><b data-vero="5">x</b>'
    )


def test_dns_is_asked_online(tmp_path: Path) -> None:
    """A sending domain without records is a finding for each; offline nobody is asked."""
    domain = '[domains."shop.example"]\nspf = "include:spf.shop.example"\n'
    change: dict[str, Change] = {"/vero-deliver.toml": FLAWLESS["/vero-deliver.toml"] + domain}
    with dns_server("@ 60 IN SOA ns. root. 1 60 60 60 60\n@ 60 IN NS ns.\n") as server:
        assert report(tmp_path, change).findings == ()
        assert server.asked == []
        options = Options(online=True, nameservers=(server.address,))
        found = report(tmp_path, change, options=options).findings
    assert {"deliver/dns-spf", "deliver/dns-dmarc"} <= {finding.name for finding in found}
