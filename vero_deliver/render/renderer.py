"""The one composer: preview, render, check and send all call it.

Same message, user, data, key and clock give the same Rendered, and so the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args, overload

from markupsafe import Markup, escape

from vero_deliver.errors import ConfigError, DataError, RenderError
from vero_deliver.message import Message
from vero_deliver.mime.signer import Signer
from vero_deliver.phone import is_region
from vero_deliver.render import email, http, push, sms
from vero_deliver.render.draft import Draft
from vero_deliver.render.filters.formats import formats_for, is_language, match_locale
from vero_deliver.render.filters.times import zone
from vero_deliver.render.given import check_call, check_user, shown
from vero_deliver.render.many import WINDOW, Batch, Made, check_batch, in_processes, one_by_one
from vero_deliver.render.marks import Marks
from vero_deliver.render.markup import Inliner
from vero_deliver.render.once.bodies import Bodies, Explanation
from vero_deliver.render.once.parts import Reason
from vero_deliver.render.plan import RESERVED as RESERVED
from vero_deliver.render.plan import Given, Plan, Plans
from vero_deliver.render.run import Run, running
from vero_deliver.render.templates import Templates
from vero_deliver.render.translations import load
from vero_deliver.render.undefined import Abort, Policy, name_paths
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
    Skipped,
)
from vero_deliver.tracking import Tracking
from vero_deliver.user import User

# what a URL may hold in a header and in an attribute (RFC 3986)
_SAFE_URL = re.compile(r"[!#-;=?-Z\[\]_a-z~]+")
_LONGEST_TAG = 100  # characters of a locale; what it matches is cached
_LINKS = {"unsubscribe": "Unsubscribe", "permalink": "View in browser"}


class About(TypedDict, total=False):
    """What a rendering is about, besides message and user.

    data: the sender's values, top-level names in templates.
    event, campaign: what templates see under those names.
    key: names the delivery; links carry it.
    now: the clock, timezone-aware; the present where left out.
    who: how errors name the user: a sample's name, a row.
    """

    data: Mapping[str, Any]
    event: Mapping[str, Any]
    campaign: Mapping[str, Any]
    key: str
    now: datetime
    who: str


class Renderer:
    """Makes a message final for one user.

    templates: folder for includes, `_layouts` and `_partials`; None forbids them.
    translations: folder of gettext catalogs, `cs/LC_MESSAGES/messages.po`.
    language: of messages that declare no locales.
    from_: default senders, {"email": "Shop <shop@example.com>", "sms": "SHOP"}.
    region: country of phone numbers without +, where neither the user's attribute `country` nor
        the locale names one: "GB".
    links: templates of what `url.unsubscribe_link` and `url.permalink_link` give; they see
        `user`, `message`, `campaign` and `key`.
    tracking: whose links those are where `links` has none, and which opens and clicks are told of;
        for emails with a key.
    undefined: "strict" makes a missing value an error, "blank" prints nothing, "keep" prints
        the expression itself.
    """

    def __init__(
        self,
        *,
        templates: Path | None = None,
        translations: Path | None = None,
        language: str = "en",
        region: str = "",
        from_: Mapping[Literal["email", "sms"], str] | None = None,
        links: Mapping[str, str] | None = None,
        tracking: Tracking | None = None,
        undefined: Policy = "strict",
        inliner: Inliner = "css-inline",
        compile_once: bool = True,
    ) -> None:
        for name, value, known in (
            ("undefined", undefined, get_args(Policy)),
            ("inliner", inliner, get_args(Inliner)),
        ):
            if value not in known:
                raise ConfigError(f"{name}: {value!r} is none of {', '.join(known)}")
        if not is_language(language):
            raise ConfigError(
                f"language: {language[:40]!r} is no language that is known; write en or pt-BR"
            )
        if region and not is_region(region):
            raise ConfigError(f"region: {region[:40]!r} is no country; write GB (ISO 3166-1)")
        unknown = set(links or {}) - set(_LINKS)
        if unknown:
            raise ConfigError(f"links: unknown {sorted(unknown)}; known: {sorted(_LINKS)}")
        self._options: dict[str, Any] = {
            "templates": templates,
            "translations": translations,
            "language": language,
            "region": region,
            "from_": from_,
            "links": links,
            "tracking": tracking,
            "undefined": undefined,
            "inliner": inliner,
            "compile_once": compile_once,
        }
        self._templates = Templates(templates, policy=undefined)
        self._translations = translations
        self._language = language
        self._region = region
        self._from = dict(from_ or {})
        self._links = dict(links or {})
        self._tracking = tracking
        self._undefined: Policy = undefined
        self._inliner: Inliner = inliner
        self._bodies = Bodies(self._templates, inliner) if compile_once else None
        self._plans = Plans()

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), **self._options), ()

    @overload
    def render(
        self, message: Message, user: User, content: Literal["email"], **about: Unpack[About]
    ) -> RenderedEmail | Skipped: ...
    @overload
    def render(
        self, message: Message, user: User, content: Literal["push"], **about: Unpack[About]
    ) -> RenderedPush | Skipped: ...
    @overload
    def render(
        self, message: Message, user: User, content: Literal["sms"], **about: Unpack[About]
    ) -> RenderedSms | Skipped: ...
    @overload
    def render(
        self, message: Message, user: User, content: Literal["http"], **about: Unpack[About]
    ) -> RenderedHttp | Skipped: ...
    @overload
    def render(
        self, message: Message, user: User, content: ContentName, **about: Unpack[About]
    ) -> Rendered | Skipped: ...
    def render(
        self, message: Message, user: User, content: ContentName, **about: Unpack[About]
    ) -> Rendered | Skipped:
        """One content of the message for one user; `about` is documented at About.

        Skipped where a template aborts or the user cannot be reached that way.
        Raises RenderError, DataError or MessageError, with file and line.
        """
        check_call(message, user, about)
        return self.compose(self.plan(message, content), user, content, about)

    def render_many(
        self,
        message: Message,
        users: Iterable[User | tuple[User, About]],
        content: ContentName = "email",
        *,
        processes: int = 1,
        signers: Sequence[Signer] | None = None,
        window: int | None = None,
        **about: Unpack[About],
    ) -> Generator[Made, None, None]:
        """One content of the message for each of the users, in their order, as results are taken.

        users: any iterable, a generator of a million too; a pair's own About goes over the common
        one. A key is a user's own, or derived as Deliverer derives it.
        processes: that render, this one among them. They end with the generator: read it to its
        end, or close it. What a user's data cannot be pickled for is rendered here.
        signers: builds the bytes of emails too, so that `made.rendered.signed(made.key, signers)`
        only returns them, and that what makes no MIME is an error; () for bytes without signature.
        window: users taken ahead of the results, 72 for each process where left out; with one
        process none is.

        What cannot be made for one user is that user's result. Raises MessageError where the
        message is broken for everybody, ConfigError where processes cannot be started or the
        message and what goes with it cannot be pickled, and what `users` raises in its place.
        """
        check_batch(message, content, signers, processes, window, about)
        batch = Batch(self, self.plan(message, content), content, signers, about)
        if processes == 1:
            return one_by_one(batch, users)
        return in_processes(batch, users, processes, window or WINDOW * processes)

    def plan(self, message: Message, content: ContentName) -> Plan:
        """What renderings of the message share. Raises MessageError."""
        plan = self._plans.of(message)
        plan.check_content(content)
        return plan

    def compose(
        self,
        plan: Plan,
        user: User,
        content: ContentName,
        about: About,
        given: Given | None = None,
    ) -> Rendered | Skipped:
        """As render, after check_call and check_content. given: of `about`, where it is known."""
        try:
            return self._compose(plan, user, content, about, given)
        except Abort as abort:
            return Skipped(abort.reason)
        except RenderError as error:
            who = shown(about.get("who") or user.id or user.email)
            if error.who or not who:
                raise
            raise type(error)(error.detail, where=error.where, who=who) from None

    def explain(self, message: Message, language: str = "") -> Explanation:
        """Whether the email's body is compiled once in that language, and why not.

        Raises MessageError where the message has no email.
        """
        check_call(message, User(), {})
        self.plan(message, "email")
        assert message.email is not None  # noqa: S101  # it was just looked for
        known = message.locales or (self._language,)
        run = self._run(User(locale=language or known[0]), message)
        if self._bodies is None:
            return Explanation(False, (Reason("compile_once is off", ""),))
        with running(run):
            draft = Draft(message, self._templates, {}, datetime.now(UTC))
            body = email.body_for(draft, message.email, run.language)
            return self._bodies.explain(body, run.catalog)

    def marked(self, *, inliner: Inliner | None = None) -> tuple[Renderer, Marks]:
        """A twin whose HTML is marked with where its elements are written; never to be sent.

        inliner: another one than this renderer's.
        """
        options = {**self._options, "compile_once": False, "inliner": inliner or self._inliner}
        twin, marks = Renderer(**options), Marks()
        root = self._options["templates"]
        twin._templates = Templates(root, policy=self._undefined, marks=marks)
        return twin, marks

    def language(self, message: Message, user: User) -> str:
        """Which of the message's languages this user gets it in."""
        known = message.locales or (self._language,)
        return match_locale(user.locale[:_LONGEST_TAG], known, known[0])[0]

    def _compose(
        self, plan: Plan, user: User, content: ContentName, about: About, given: Given | None
    ) -> Rendered | Skipped:
        message = plan.message
        check_user(user)
        run = self._run(user, message)
        at = about.get("now") or datetime.now(UTC)
        with running(run):
            given = given or plan.given(about)
            variables = self._variables(plan, user, given, run, at)
            key = about.get("key", "")
            variables["url"] = self._urls(variables, key, user, message)
            draft = Draft(message=message, templates=self._templates, variables=variables, at=at)
            return self._content(draft, content, run, key)

    def _run(self, user: User, message: Message) -> Run:
        known = tuple(message.locales) or (self._language,)
        try:
            found = _found(user.locale[:_LONGEST_TAG], user.timezone or "UTC", known)
        except ValueError as error:
            raise RenderError(str(error), where="user.timezone") from None
        language, locale, timezone, formats = found
        return Run(language, locale, timezone, load(self._translations, language), formats)

    def _content(
        self, draft: Draft, content: ContentName, run: Run, key: str
    ) -> Rendered | Skipped:
        message = draft.message
        if content == "email" and message.email:
            return email.compose(
                draft,
                message.email,
                language=run.language,
                default_from=self._from.get("email", ""),
                inliner=self._inliner,
                bodies=self._bodies,
                tracking=self._tracking,
                key=key,
            )
        if content == "sms" and message.sms:
            sender = self._from.get("sms", "")
            return sms.compose(draft, message.sms, default_from=sender, region=self._region)
        if content == "push" and message.push:
            return push.compose(draft, message.push)
        assert message.http is not None  # noqa: S101  # render() asked for what is there
        return http.compose(draft, message.http)

    def _variables(
        self, plan: Plan, user: User, given: Given, run: Run, at: datetime
    ) -> dict[str, Any]:
        variables = {
            **given.data,
            "user": user.to_dict(),
            "event": given.event,
            "campaign": given.campaign,
            "message": plan.shown(run.language),
            "now": at.astimezone(run.timezone),
        }
        return _named(variables) if self._undefined == "keep" else variables

    def _urls(
        self, variables: Mapping[str, Any], key: str, user: User, message: Message
    ) -> dict[str, str]:
        """`unsubscribe_link` is the address, `unsubscribe` the whole anchor; likewise permalink."""
        urls: dict[str, str] = {}
        if self._tracking is not None and key:
            links = {"permalink": self._tracking.view(key)}
            if user.email:
                links["unsubscribe"] = self._tracking.leave(key, user.email, message.topic)
            for name, link in links.items():
                if name not in self._links:
                    urls |= _anchor(name, link)
        for name, template in self._links.items():
            link = self._templates.render(
                template, {**variables, "key": key}, escape="text", field=f"[links] {name}"
            ).strip()
            if not link.startswith(("https://", "http://")) or not _SAFE_URL.fullmatch(link):
                raise RenderError(
                    f"comes out as {link[:60]!r}, which is no http(s) URL; quote what it holds "
                    "with `| encode`",
                    where=f"[links] {name}",
                )
            urls |= _anchor(name, link)
        return urls


def _anchor(name: str, link: str) -> dict[str, str]:
    anchor = Markup(f'<a href="{escape(link)}">{_LINKS[name]}</a>')  # noqa: S704
    return {f"{name}_link": link, name: anchor}


def _named(variables: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {name: name_paths(value, name) for name, value in variables.items()}
    except RecursionError:
        raise DataError("nested too deeply for the undefined policy keep") from None


@lru_cache(maxsize=1024)  # of many users, few differ
def _found(
    locale: str, timezone: str, known: tuple[str, ...]
) -> tuple[str, str, tzinfo, Mapping[str, Callable[..., Any]]]:
    """The language, the locale that numbers and dates follow, the zone, and formats of both."""
    language, best = match_locale(locale, known, known[0])
    place = zone(timezone)
    return language, best, place, formats_for(best, place)
