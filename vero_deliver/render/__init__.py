"""The renderer: a message and a user in, final content out.

renderer          the composer that preview, render and send all call
many              one message for many users, on several cores
draft             one message in the making: its variables, and how to ask for text
email push sms http   one content each; addresses, markup and json_values help them
templates         templates compiled once, errors with file and line
environment       the sandbox; limits, undefined and run are its rules and its state
given clean       what comes in is checked, what goes out is fit to print
filters/          Vero's filters, and formats by locale and timezone
plaintext/        the text part, read off the HTML
translations      gettext catalogs
"""

from vero_deliver.render.many import Made
from vero_deliver.render.renderer import About, Renderer

__all__ = ["About", "Made", "Renderer"]
