"""Compile once, personalise many: MJML and CSS inlining run once per template, not per recipient.

compiled         the way through: a body in, a skeleton out, or the reasons why not
parts            a template cut into text and constructs that know where they were written
flatten macros translate   layouts, includes, macros and translations written out, where exact
hoist            conditional classes become conditional elements
protect restore  constructs go through the engines as placeholders and come back
styles           what a style sheet could match that a recipient's data changes
verify canonical renders made-up contexts both ways and compares
bodies           keeps skeletons and renders them

Rendering for every recipient from scratch stays the truth: what cannot be shown to be equal is
declined with a reason, and a compiled body that fails for a user is rendered anew the plain way.
"""
