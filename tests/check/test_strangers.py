"""Templates that nobody here wrote: what is found in them is there, and is not the compiler's."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from check.strangers import checked, documents
from vero_deliver.check import Finding

DOCUMENTS: Final = documents()
# what was found in them when each was read beside its line and judged true, by one person
TRUE: Final[dict[str, set[str]]] = {
    "vendure/email-address-change": {
        "a11y/contrast:28",
    },
    "vendure/email-verification": {
        "a11y/contrast:28",
    },
    "vendure/order-confirmation": {
        "images/dimensions:116",
    },
    "vendure/password-reset": {
        "a11y/contrast:27",
    },
    "mjml-accordion/1": {
        "a11y/title:1",
    },
    "mjml-carousel/1": {
        "a11y/title:1", "email/text-missing:1", "a11y/img-alt:5", "images/text-ratio:5",
        "a11y/img-alt:6",
    },
    "mjml-hero/1": {
        "a11y/title:1",
    },
    "mjml-hero/2": {
        "a11y/title:1",
    },
    "mjml-navbar/1": {
        "a11y/title:1", "a11y/contrast:6",
    },
    "mjml-social/1": {
        "a11y/title:1", "a11y/img-alt:6", "a11y/img-alt:9", "a11y/img-alt:12", "a11y/img-alt:15",
    },
    "mjml-table/1": {
        "a11y/title:1",
    },
    "mailgen/cerberus": {
        "a11y/lang:1", "a11y/title:1", "a11y/table-role:204", "images/dimensions:210",
        "images/text-ratio:210", "images/dimensions:212", "a11y/contrast:403",
    },
    "mailgen/default": {
        "a11y/lang:1", "a11y/title:1", "images/dimensions:224", "images/text-ratio:224",
        "images/dimensions:226", "a11y/contrast:246", "a11y/contrast:278", "a11y/table-role:319",
        "a11y/contrast:398",
    },
    "mailgen/neopolitan": {
        "a11y/lang:1", "client/css-rgba:91", "a11y/table-role:154", "html/parse-error:154",
        "images/dimensions:160", "images/text-ratio:160", "images/dimensions:162",
        "a11y/contrast:176", "html/unclosed:213", "a11y/contrast:273", "html/parse-error:299",
    },
    "mailgen/salted": {
        "a11y/title:1", "a11y/table-role:191", "images/dimensions:209", "images/text-ratio:209",
        "images/dimensions:211", "a11y/contrast:291",
    },
    "unleash/getting-started": {
        "a11y/lang:1", "a11y/table-role:13", "images/dimensions:19", "images/dimensions:27",
    },
    "unleash/order-environments": {
        "a11y/lang:1", "email/viewport:1", "a11y/table-role:319", "a11y/img-alt:330",
        "images/dimensions:330",
    },
    "unleash/productivity-report": {
        "render/error:15",
    },
    "unleash/requested-cr-approval": {
        "a11y/lang:1", "email/viewport:1", "html/charset:1",
    },
    "unleash/reset-password": {
        "a11y/lang:1", "email/viewport:1", "client/css-unit-rem:270", "a11y/table-role:440",
        "a11y/contrast:450", "a11y/font-size:450", "a11y/contrast:455", "links/relative:455",
        "a11y/img-alt:469", "images/dimensions:469", "a11y/contrast:489", "html/unclosed:489",
    },
    "unleash/scheduled-change-conflict": {
        "a11y/lang:1", "email/viewport:1", "a11y/table-role:320", "a11y/img-alt:331",
        "images/dimensions:331", "a11y/heading-order:345",
    },
    "unleash/scheduled-execution-failed": {
        "a11y/lang:1", "email/viewport:1", "a11y/table-role:319", "a11y/img-alt:330",
        "images/dimensions:330",
    },
}  # fmt: skip


def named(finding: Finding) -> str:
    return f"{finding.name}:{finding.place.line}"


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    """By document, without what is only said for information."""
    if not DOCUMENTS:
        pytest.skip("scripts/peers unpacks them")
    found = {}
    for name, (markup, kind) in DOCUMENTS.items():
        report = checked(tmp_path_factory.mktemp("stranger"), markup, kind)
        found[name] = [finding for finding in report.findings if finding.severity != "info"]
    return found


def test_what_is_found_is_there(
    findings: dict[str, list[Finding]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every finding was judged true by somebody who looked; nothing that was true is lost."""
    false = {
        f"{name} {named(finding)} {finding.text}"
        for name, found in findings.items()
        for finding in found
        if named(finding) not in TRUE.get(name, set())
    }
    lost = {
        f"{name} {true}"
        for name, held in TRUE.items()
        for true in held - {named(finding) for finding in findings[name]}
    }
    count = sum(map(len, findings.values()))
    with capsys.disabled():
        print(
            f"\ncheck: {count} findings in {len(findings)} templates of others, {len(false)} false"
        )
    assert len(findings) >= 12
    assert false == set()
    assert lost == set()


def test_the_compiler_is_not_blamed(findings: dict[str, list[Finding]]) -> None:
    """In MJML each finding stands at a line of the author's, and none where the author did well."""
    for name, found in findings.items():
        if DOCUMENTS[name][1] == "mjml":
            assert {named(finding) for finding in found} <= TRUE.get(name, set()), name
            assert all(finding.place.file.endswith("email.mjml") for finding in found)


BITS: Final = (
    "<", "</", ">", '"', "'", "<!--", "-->", "<![endif]", "<![x[", "<!--[if mso]>", "</td>",
    '<a href="', "#", "{{ order.id }}", "{% if order.id %}", "{% endif %}", 'style="', "url(", "&",
    "\0", "<p>", "<style>", "@media", "}", "{", "<mj-text>", "<body>",
)  # fmt: skip


@pytest.mark.skipif(not DOCUMENTS, reason="scripts/peers unpacks them")
@pytest.mark.parametrize("seed", range(40))
def test_what_is_broken_breaks_no_rule(seed: int, tmp_path: Path) -> None:
    """Letters with pieces cut out and put in are read to their end by every rule."""
    luck = random.Random(seed)
    markup, kind = DOCUMENTS[luck.choice(sorted(DOCUMENTS))]
    for _ in range(luck.randint(1, 6)):
        at = luck.randrange(len(markup))
        end = at + (luck.randint(1, 30) if luck.random() < 0.5 else 0)
        added = "" if end > at else luck.choice(BITS) * luck.choice((1, 1, 1, 50))
        markup = markup[:at] + added + markup[end:]
    found = checked(tmp_path, markup, kind).findings
    assert [finding.detail for finding in found if finding.name == "check/broken-rule"] == []


EVERY_COMPONENT: Final = """\
<mjml lang="en">
  <mj-head>
    <mj-title>Everything</mj-title>
    <mj-raw><meta name="color-scheme" content="light" /></mj-raw>
    <mj-breakpoint width="480px" />
    <mj-attributes><mj-all font-size="16px" color="#222222" /></mj-attributes>
    <mj-style>.note { color: #222222; }</mj-style>
  </mj-head>
  <mj-body background-color="#ffffff">
    <mj-wrapper><mj-section><mj-column>
      <mj-text>{{ user.first_name }}, your order {{ order.id }} left us this morning and
        should be with you on Thursday.</mj-text>
      <mj-button background-color="#1a4fa0" color="#ffffff" href="{{ order.link }}">Open</mj-button>
      <mj-divider /><mj-spacer height="20px" />
      <mj-image width="9px" src="https://shop.example/a.png" alt="Spade" href="{{ order.link }}" />
      <mj-table><tr><td>One</td><td>Two</td></tr></mj-table>
      <mj-accordion><mj-accordion-element>
        <mj-accordion-title>Why?</mj-accordion-title><mj-accordion-text>So.</mj-accordion-text>
      </mj-accordion-element></mj-accordion>
      <mj-social><mj-social-element name="github" href="https://shop.example/g" alt="GitHub">
        GitHub</mj-social-element></mj-social>
      <mj-carousel>
        <mj-carousel-image src="https://shop.example/1.png" alt="Spring" />
        <mj-carousel-image src="https://shop.example/2.png" alt="Summer" />
      </mj-carousel>
      <mj-navbar><mj-navbar-link href="https://shop.example/n">News</mj-navbar-link></mj-navbar>
    </mj-column></mj-section></mj-wrapper>
    <mj-section><mj-group><mj-column><mj-text>Left</mj-text></mj-column>
      <mj-column><mj-text>Right</mj-text></mj-column></mj-group></mj-section>
    <mj-hero><mj-text>Above all</mj-text></mj-hero>
    <mj-section><mj-column><mj-text>Shop, 4 Hedge Lane, SY8 1AA</mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
"""


def test_every_component_is_without_findings(tmp_path: Path) -> None:
    """What the compiler makes of a document that is as it should be is nobody's fault."""
    from check.projects import report

    found = report(tmp_path, {"email.html": None, "email.mjml": EVERY_COMPONENT}).findings
    assert [f"{finding.place} {finding.name} {finding.text}" for finding in found] == []
