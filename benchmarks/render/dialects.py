"""The compiled receipt in other engines' words: what of Jinja's each of them writes otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CONSTRUCT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_LINE = '{{ (line.quantity * line.price) | money("USD") }}'
_EVEN = "{% if loop.index is divisibleby(2) %}"

DJANGO = {
    _LINE: "{{ line|total }}",
    _EVEN: "{% if forloop.counter|divisibleby:2 %}",
    '{{ order.total | money("USD") }}': "{{ order.total|money }}",
    '{{ item.price | money("USD") }}': "{{ item.price|money }}",
    "{{ shop.campaign | urlencode }}": "{{ shop.campaign|urlencode }}",
}
HANDLEBARS = {
    _LINE: "{{total this}}",
    _EVEN: "{{#if (even @index)}}",
    "{% if user.name %}": "{{#if user.name}}",
    '{{ order.total | money("USD") }}': "{{money order.total}}",
    '{{ item.price | money("USD") }}': "{{money price}}",
    "{{ shop.campaign | urlencode }}": "{{encode shop.campaign}}",
    "{% for line in order.lines %}": "{{#each order.lines}}",
    "{% for item in recommendations %}": "{{#each recommendations}}",
    "{% endfor %}": "{{/each}}",
    "{% endif %}": "{{/if}}",
    "{% else %}": "{{else}}",
    "{% if user.vip %}": "{{#if user.vip}}",
    "{% if user.points > 1000 %}": "{{#if (above user.points 1000)}}",
    "{% if line.note %}": "{{#if note}}",
    "{% if item.price < 20 %}": "{{#if (above 20 price)}}",
}


def translated(source: str, dialect: Mapping[str, str]) -> str:
    """The template in another engine's words."""
    return _CONSTRUCT.sub(lambda match: dialect.get(match[0], match[0]), source)


def handlebars(source: str) -> str:
    """Inside of #each a name is looked for in the item."""
    made = translated(source, HANDLEBARS)
    return re.sub(r"\{\{ (?:line|item)\.(\w+) \}\}", r"{{\1}}", made)
