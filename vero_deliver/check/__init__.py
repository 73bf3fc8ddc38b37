"""The lints: every sample rendered as it would be sent, and what is wrong with what they get.

finding    what is found, and where
rule       how a rule is declared; the families, imported when chosen
seen       what a rule is given: a message, its samples, what each of them gets
dom        the HTML as a tree that knows its lines
engine     runs the rules, groups what they find over samples, drops what is ignored
"""

from vero_deliver.check.engine import check
from vero_deliver.check.finding import Finding, Hit, Place, Report
from vero_deliver.check.rule import Rule, rule, rules
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import CLIENTS, Options, Shown, ShownEmail

__all__ = [
    "CLIENTS", "Finding", "Hit", "Options", "Place", "Report", "Rule", "Seen", "Shown",
    "ShownEmail", "check", "rule", "rules",
]  # fmt: skip
