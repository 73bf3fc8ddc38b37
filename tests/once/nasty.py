"""Constructs that a compile-once engine may trip over, ready to be put into a document."""

from __future__ import annotations

# in a text
STATEMENTS = (
    "{% set label = note %}{{ label }}",
    "{% set label %}<b>{{ name }}</b>{% endset %}{{ label }}",
    "{% with label = city %}{{ label }}{% endwith %}",
    "{% macro strong(x) %}<b>{{ x }}</b>{% endmacro %}{{ strong(name) }}",
    "{% macro box(x) %}<i>{{ x }}</i>{{ caller() }}{% endmacro %}"
    "{% call box(1) %}{{ name }}{% endcall %}",
    "{% filter upper %}{{ note }} and more{% endfilter %}",
    "{% trans name=name %}Dear {{ name }}, good day{% endtrans %}",
    "{% trans count=count %}One thing{% pluralize %}{{ count }} things{% endtrans %}",
    "{% set sum = namespace(n=0) %}{% for i in range(count) %}{% set sum.n = sum.n + i %}"
    "{% endfor %}{{ sum.n }}",
    "{% for i in range(3) %}{% if i == count %}{% break %}{% endif %}{{ i }}, {% endfor %}",
    "{% for x in stories %}{{ x.name }}{% else %}none{% endfor %}",
    "{% for x in items if x.flag %}{{ loop.index }}{{ x.name }} {% endfor %}",
    "{% for x in items recursive %}{{ x.name }}{% endfor %}",
    "{% raw %}{{ not }} {% jinja %}{% endraw %}",
    "{% raw %}<b>raw</b>{% endraw %}",
    "{# a remark #}",
    '{# <b> & "q" #}',
    "{# a < b #}",
    "{#- {{ name }} -#}",
    "{{ '<b>' | safe }}{{ name }}{{ '</b>' | safe }}",
    "{{ html_note | safe }}",
    "{% autoescape false %}{{ html_note }}{% endautoescape %}",
    "{{- name -}}",
    "{% if paid -%}   thanks   {%- endif %}",
    "{{ loop }}",
)

# round a stretch of text
TEXTS = (
    "{% if vip %}<b>{% endif %}...{% if vip %}</b>{% endif %}",
    "{% if vip %}<b>...{% else %}<i>...{% endif %}{% if vip %}</b>{% else %}</i>{% endif %}",
    "{% if gift %}</td><td>{% endif %}...",
    "{% if gift %}</p><p>{% endif %}...",
    "{% for x in items %}</tr><tr>{% endfor %}...",
    "<{{ 'b' if vip else 'i' }}>...</{{ 'b' if vip else 'i' }}>",
    "{% if late %}<!-- {% endif %}...{% if late %} -->{% endif %}",
    "{{ nobody }}...",
    "{% if late %}{{ nobody.name }}{% endif %}...",
    "{{ 1 // count }}...",
    "{% if late %}{{ abort('not today') }}{% endif %}...",
    "{% if %}...",
    "{{ name ...",
    "{% if count < 3 and points > 1 %}...{% endif %}",
    "<a href={{ link }}>...</a>",
    "<a href='{{ link }}' {{ 'title=x' if vip }}>...</a>",
    "<span style=\"{{ 'color:red' if vip }}\">...</span>",
    '<span style="color:{{ colour }};font-weight:bold">...</span>',
    '<span title="{% if count < 2 %}a{% else %}b{% endif %}">...</span>',
    "<p>...",
    "vJ1Q ...",
)

# between elements
BETWEEN = (
    "{{ name }}",
    "{% set tone = colour %}",
    "{# between #}",
    "{% if vip %}{% endif %}",
    "{% for x in items %} {% endfor %}",
    "{% set part %}{{ count }}{% endset %}",
    "{{ '' }}",
    "{% if vip %}<!-- vip -->{% endif %}",
    "{% if fresh %}new{% endif %}",
)

# inside the double quotes of an attribute
VALUES = (
    '{{ links["main"] }}',
    '{{ "https://x.example/" ~ count }}',
    '{% if plan == "pro" %}https://x.example/pro{% else %}https://x.example/{% endif %}',
    "{% if count < 2 %}https://x.example/few{% endif %}",
    'https://x.example/{# a "remark" #}{{ name | encode }}',
    "{% for x in items %}{{ x.name }},{% endfor %}",
    "{{ note | safe }}",
    " {{ link }} ",
    "mailto:{{ name }}?subject={{ note | encode }}",
)

# in a start tag
ATTRIBUTES = (
    'bgcolor="#ffeeee"', 'align="center"', 'title="{{ name }}"', 'style="color:red"',
    'class="alt"', "hidden", 'href="{{ link }}"', 'width="{{ size }}"', 'css-class="price"',
    'padding="0"',
)  # fmt: skip
