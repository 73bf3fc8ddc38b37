"""The sandboxed Jinja environments: one per way of escaping.

html escapes for HTML, text not at all, json for the inside of a JSON document.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from typing import Any, Literal, NoReturn

from jinja2 import BaseLoader, Undefined, nodes, pass_context, pass_eval_context
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import do_int, sync_do_join
from jinja2.runtime import Context, LoopContext, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from vero_deliver.plain import kind_of
from vero_deliver.render import limits
from vero_deliver.render.clean import is_clean
from vero_deliver.render.code import Fast, Variables, stray_jump
from vero_deliver.render.filters import FILTERS
from vero_deliver.render.filters.formats import direction
from vero_deliver.render.filters.numbers import NUMBERS
from vero_deliver.render.filters.places import PLACES
from vero_deliver.render.json_values import plain
from vero_deliver.render.program import ignores_context
from vero_deliver.render.run import Inexact, current
from vero_deliver.render.syntax import Translations
from vero_deliver.render.translations import broken
from vero_deliver.render.undefined import UNDEFINED, Policy, abort

Escape = Literal["html", "text", "json"]

_KNOWN = 100_000  # texts of templates kept
# these are numbers and booleans: nothing for the sandbox to look at
_COUNTS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0"})

FORMATS = (
    "format_date", "format_time", "format_datetime", "format_number", "format_percent", "money",
)  # fmt: skip


# Jinja takes what these functions return for safe HTML, and these arguments are what they return
# where the catalog has nothing.
_TEXTS = {"_": (0,), "gettext": (0,), "ngettext": (0, 1), "pgettext": (1,), "npgettext": (1, 2)}


class Sandbox(ImmutableSandboxedEnvironment):
    """Sandboxed, resource-bounded, and on a mapping the key wins over the method.

    So `order.items` is the order's items, and `order.items()` still works where it has none.
    """

    code_generator_class: type[CodeGenerator] = Fast
    context_class: type[Context] = Variables
    escapes_html = False
    prints_json = False
    intercepted_binops = frozenset({"*", "**", "+", "%"})
    _checks: Mapping[str, Callable[[Any, Any], None]] = {
        "*": limits.check_times,
        "**": limits.check_power,
        "+": limits.check_plus,
        "%": limits.check_percent,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: set[str] = set()

    def learn(self, constants: tuple[str, ...]) -> None:
        """Keep which texts of templates are known to be clean; templates call it when made."""
        if len(self.known) > _KNOWN:
            self.known.clear()
        self.known.update(filter(is_clean, constants))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is LoopContext and attribute in _COUNTS:
            try:
                return getattr(obj, attribute)
            except AttributeError:  # of an iterator that was asked for its next item
                return self.undefined(obj=obj, name=attribute)
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        self._checks[operator](left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str):
            limits.check_method(text, getattr(__obj, "__name__", ""), args, kwargs)
        try:
            return super().call(__context, __obj, *args, **kwargs)
        except (KeyError, TypeError, ValueError) as error:
            if any(__obj is self.globals.get(name) for name in _TEXTS):
                run = current()
                raise broken(error, run.catalog, args[_TEXTS[__obj.__name__][0]]) from None
            raise

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None:
            return None

        def bounded(*args: Any, **kwargs: Any) -> str:
            limits.check_fields(value.__self__, args, kwargs)
            return wrapped(*args, **kwargs)

        return bounded

    def join_texts(self, eval_ctx: Any, parts: tuple[Any, ...]) -> str:
        """What `a ~ b ~ c` means."""
        limits.check_join("", [str(part) for part in parts])
        return markup_join(parts) if eval_ctx.autoescape else str_join(parts)

    def untranslated(self, value: Any) -> str:
        """Data to look up in the catalog: escaped, and no printf pattern, where it has nothing."""
        text = str(value)
        if current().catalog.gettext(text) != text:
            return text
        return (Markup.escape(text) if self.escapes_html else text).replace("%", "%%")

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if stray := stray_jump(tree):
            words = f"{type(stray).__name__.lower()} stands in no loop"
            raise TemplateSyntaxError(words, stray.lineno, name, filename)
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name):
                for at in _TEXTS.get(call.node.name, ()):
                    call.args[at : at + 1] = map(_as_data, call.args[at : at + 1])
        return tree

    def join_path(self, template: str, parent: str) -> str:
        """`./x.mjml` is beside the including template; all else starts at the root."""
        if template.startswith("./"):
            return posixpath.normpath(posixpath.join(posixpath.dirname(parent), template))
        return template


def _as_data(argument: nodes.Expr) -> nodes.Expr:
    """The argument of a gettext call; one that the template does not spell out is data."""
    if isinstance(argument, nodes.Const):
        return argument
    line = argument.lineno
    function = nodes.EnvironmentAttribute("untranslated", lineno=line)
    return nodes.Call(function, [argument], [], None, None, lineno=line)


def make(escape: Escape, policy: Policy, loader: BaseLoader) -> Sandbox:
    """A fresh environment."""
    env = Sandbox(
        loader=loader,
        undefined=UNDEFINED[policy],
        autoescape=escape != "text",
        finalize=_json_value if escape == "json" else _no_none,
        extensions=[Translations, "jinja2.ext.loopcontrols"],
        keep_trailing_newline=True,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.globals = {
        "range": limits.bounded_range,
        "dict": dict,
        "namespace": env.globals["namespace"],
        "abort": abort,
        "_": env.globals["_"],
        "_plural": _plural,
        "_inexact": _inexact,
        **{name: _formatted(name) for name in FORMATS},
    }
    env.filters.update(FILTERS)
    env.filters.update(PLACES)
    env.filters["_said"] = Markup.escape  # null too prints as in a translation
    env.filters["_preheader"] = _preheader
    env.filters["_direction"] = lambda language: direction(str(language))
    env.filters.update({name: _formatted(name) for name in FORMATS})
    env.filters.update({name: _bounded(name) for name in limits.PADDING_FILTERS})
    env.filters["replace"] = _replace
    env.filters["join"] = _join
    env.filters["int"] = _int
    del env.filters["random"]  # the same message, data and clock must give the same bytes
    env.filters["format"] = _format
    env.escapes_html, env.prints_json = escape == "html", escape == "json"
    _translate(env, escape)
    return env


def _formatted(name: str) -> Callable[..., Any]:
    # asking for the context keeps Jinja from working out `1234 | money("EUR")` once for all users
    @pass_context
    def call(_context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        if type(value) not in NUMBERS:
            if isinstance(value, Undefined):
                return str(value)  # the policy decides: an error, nothing, or the expression
            if value is None:
                return ""
        return current().formats[name](value, *args, **kwargs)

    call.__name__ = name
    return ignores_context(call)


def _bounded(name: str) -> Callable[..., Any]:
    original = JINJA_FILTERS[name]

    def call(value: Any, *args: Any, **kwargs: Any) -> Any:
        limits.check_arguments(name, args, kwargs)
        return original(value, *args, **kwargs)

    call.__name__ = name
    return call


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    if isinstance(text, Markup):  # values put into safe HTML are escaped first
        limits.check_replace(str(text), old, str(Markup.escape(new)))
        return text.replace(old, new, count)
    limits.check_replace(str(text), str(old), str(new))
    return str(text).replace(str(old), str(new), count)


@pass_eval_context
def _join(eval_ctx: Any, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    parts = list(value)
    limits.check_join(str(d), parts)
    return sync_do_join(eval_ctx, parts, d, attribute)


def _format(value: Any, *args: Any, **kwargs: Any) -> Any:
    for given in (value, *args, *kwargs.values()):
        limits.check_digits(given)
    return FILTERS["format"](value, *args, **kwargs)


def _int(value: Any, default: int = 0, base: int = 10) -> int:
    limits.check_digits(value)
    return int(do_int(value, default, base))


def _no_none(value: Any) -> Any:
    """null prints nothing: nobody wants to read "Hi None"."""
    if value is None:
        return ""
    if hasattr(value, "__html__"):
        refused = current().refused
        if refused and refused.search(value.__html__()):
            raise Inexact
    return value


@ignores_context
@pass_context
def _preheader(_context: Context, _value: Any) -> str:
    return current().preheader


def _plural(*texts: Any) -> str:
    """The form of a translation that a count asks for, its values not put in."""
    catalog = current().catalog
    return catalog.ngettext(*texts) if len(texts) == 3 else catalog.npgettext(*texts)


def _inexact() -> NoReturn:
    raise Inexact


def _json_value(value: Any) -> Markup:
    """A value inside a JSON document: text escaped for a string, the rest as JSON."""
    if isinstance(value, Markup):
        return value
    # Markup means "escaped already" to Jinja: here, for JSON
    if isinstance(value, (str, Undefined)):
        return Markup(json.dumps(str(value), ensure_ascii=False)[1:-1])  # noqa: S704
    if isinstance(value, (list, tuple, Mapping)):  # inside quotes it would add members
        raise ValueError(f"{kind_of(value)} in a JSON body: write {{{{ ... | tojson }}}}")
    return Markup(json.dumps(plain(value), ensure_ascii=False))  # noqa: S704


def _translate(env: Sandbox, escape: Escape) -> None:
    if escape == "json":  # Jinja's own would HTML-escape the variables
        env.globals["gettext"] = env.globals["_"] = lambda text, **v: _gettext(text) % v
        env.globals["ngettext"] = lambda one, many, num, **v: (
            _ngettext(one, many, num) % {"num": num, **v}
        )
        env.newstyle_gettext = True  # type: ignore[attr-defined]
        return
    env.install_gettext_callables(  # type: ignore[attr-defined]
        _gettext, _ngettext, newstyle=True, pgettext=_pgettext, npgettext=_npgettext
    )


def _gettext(message: str) -> str:
    # the catalog's own header stands under ""
    return current().catalog.gettext(message) if message else ""


def _ngettext(singular: str, plural: str, n: int) -> str:
    return current().catalog.ngettext(singular, plural, n)


def _pgettext(context: str, message: str) -> str:
    return current().catalog.pgettext(context, message)


def _npgettext(context: str, singular: str, plural: str, n: int) -> str:
    return current().catalog.npgettext(context, singular, plural, n)


__all__ = ["Escape", "Sandbox", "SecurityError", "make"]
