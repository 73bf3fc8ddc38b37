"""What servers said lately, and what a source may therefore not do at a site for a while."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vero_channels.transport.egress.rules import Action, Rule
from vero_channels.transport.egress.shaping import Shape
from vero_deliver.errors import DeliveryError

_FEW: Final = 1_024  # sites that are kept without looking for those with nothing to remember


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing may be sent. until: a moment of the clock. refused: for good, not for later."""

    until: float
    why: str
    refused: bool = False


@dataclass(slots=True)
class _State:
    """Of one source at one site. stops: by sender's domain, "" for all of them."""

    stops: dict[str, Stop] = field(default_factory=dict)
    options: dict[str, tuple[Any, float]] = field(default_factory=dict)  # and until when
    seen: dict[Rule, deque[float]] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        """Drop what is over."""
        self.stops = {who: stop for who, stop in self.stops.items() if stop.until > now}
        self.options = {name: held for name, held in self.options.items() if held[1] > now}
        for rule, moments in list(self.seen.items()):
            while moments and rule.threshold and moments[0] <= now - rule.threshold.seconds:
                moments.popleft()
            if not moments:
                del self.seen[rule]

    @property
    def empty(self) -> bool:
        return not (self.stops or self.options or self.seen)


class Automation:
    """Applies rules of automation. In the memory of this process; clock: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._states: dict[tuple[str, str], _State] = {}
        self._sweep_at = _FEW

    def heard(
        self, source: str, site: str, tenant: str, answer: str, rules: Iterable[Rule]
    ) -> None:
        """Take note of a server's answer other than yes. tenant: the domain of the sender."""
        for rule in rules:
            if rule.matches(answer):
                state = self._state(source, site)
                if self._reached(state, rule):
                    for action in rule.actions:
                        self._do(state, action, rule.duration, tenant, answer)

    def stop(self, source: str, site: str, tenant: str) -> Stop | None:
        """Why that source may send nothing of that tenant there now; None where it may."""
        state = self._known(source, site)
        stops = [state.stops[who] for who in ("", tenant) if who in state.stops] if state else []
        return max(stops, key=lambda stop: stop.until) if stops else None

    def shape(self, source: str, site: str, usual: Shape) -> Shape:
        """What it may do there now, where it may `usual`ly do that."""
        state = self._known(source, site)
        if state is None or not state.options:
            return usual
        return replace(usual, **{name: value for name, (value, _) in state.options.items()})

    def _reached(self, state: _State, rule: Rule) -> bool:
        if rule.threshold is None:
            return True
        now = self._clock()
        moments = state.seen.setdefault(rule, deque(maxlen=rule.threshold.count))
        moments.append(now)
        return len(moments) == rule.threshold.count and moments[0] > now - rule.threshold.seconds

    def _do(self, state: _State, action: Action, duration: float, tenant: str, answer: str) -> None:
        until = self._clock() + duration
        if action.name == "SetConfig":
            state.options[action.option] = (action.value, until)
        else:
            who = tenant if action.name == "SuspendTenant" else ""
            state.stops[who] = Stop(until, answer, refused=action.name == "Bounce")

    def _known(self, source: str, site: str) -> _State | None:
        state = self._states.get((source, site))
        if state is not None:
            state.forget(self._clock())
        return state

    def _state(self, source: str, site: str) -> _State:
        if len(self._states) >= self._sweep_at:
            self._sweep()
        state = self._states.setdefault((source, site), _State())
        state.forget(self._clock())
        return state

    def _sweep(self) -> None:
        now = self._clock()
        for state in self._states.values():
            state.forget(now)
        self._states = {key: state for key, state in self._states.items() if not state.empty}
        self._sweep_at = max(_FEW, 2 * len(self._states))


def answer(error: DeliveryError) -> str:
    """The server's answer that became this error: "421 4.7.0 [TSS04] Messages from ..."."""
    # "RCPT TO <ada@example.com> was refused: words", "host:25 refused the session: words"
    words = re.split(r"refused[^:]*: ", error.detail, maxsplit=1)[-1]
    return f"{error.code} {words}"
