"""Template engines for Python, each given compiled HTML: no MJML, CSS, text part, MIME or DKIM.

receipt.html is what the MJML engine and css-inline make of receipt.mjml, its constructs kept; a
test holds that both show the same. The templates say the same in each engine's words; what is
printed is equal in sight, not in every byte, since each escapes in its own way.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.render.case import Case, module
from benchmarks.render.dialects import DJANGO, translated
from benchmarks.render.naive import environment
from benchmarks.render.ours import HTML, TEMPLATE
from benchmarks.render.receipt import Order, dollars, template


def jinja() -> Case:
    """Jinja as it comes."""
    made = environment().get_template("receipt.html")
    return _case("Jinja", lambda order: made.render(order.context))


def minijinja() -> Case:
    """The Rust engine of Jinja's author; `money` is a Python function here too."""
    environment = module("minijinja", "minijinja").Environment(
        templates={"receipt.html": template("receipt.html")}
    )
    environment.add_filter("money", dollars)
    return _case(
        "minijinja", lambda order: environment.render_template("receipt.html", **order.context)
    )


def django() -> Case:
    """Django's templates. They cannot multiply: a line's sum is a filter's."""
    settings = module("django.conf", "django").settings
    if not settings.configured:
        settings.configure(USE_I18N=False)
    templates = module("django.template", "django")
    engine, library = templates.Engine(), templates.Library()
    library.filter("money", dollars)
    library.filter("total", lambda line: dollars(line["quantity"] * line["price"]))
    engine.template_builtins.append(library)
    made = engine.from_string(translated(template("receipt.html"), DJANGO))
    return _case("Django", lambda order: made.render(templates.Context(order.context)), calls=40)


def _case(name: str, run: Callable[[Order], str], calls: int = 200) -> Case:
    return Case(name, HTML, run, TEMPLATE, gives="html", calls=calls)


ENGINES = {"Jinja": jinja, "minijinja": minijinja, "Django": django}
