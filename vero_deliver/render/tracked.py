"""An email's HTML with its links led over us, as the project and the message ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vero_deliver.mime.chunks import Printed
from vero_deliver.render.links import rewrite, with_parameters, with_picture
from vero_deliver.tracking import Tracking, destination


@dataclass(frozen=True, slots=True)
class Tracked:
    """What happens to one user's HTML. utm: parameters and values. kept: URLs left alone."""

    tracking: Tracking
    key: str
    opens: bool
    clicks: bool
    utm: Mapping[str, str]
    kept: frozenset[str]

    def html(self, made: str | Printed) -> str | Printed:
        """The same HTML where there is nothing to do."""
        if not (self.opens or self.clicks or self.utm) or not made:
            return made
        html = str(made)
        if self.clicks or self.utm:
            html = rewrite(html, self._link)
        return with_picture(html, self.tracking.open(self.key)) if self.opens else html

    def _link(self, href: str) -> str:
        """Where it leads now; the same where it is none of http, or our own already."""
        url = destination(href)
        if not url or href.strip() in self.kept or self._is_ours(url):
            return href
        aimed = with_parameters(url, self.utm) if self.utm else url
        if self.clicks and destination(aimed) == aimed:
            return self.tracking.click(self.key, aimed)
        return href if aimed == url else aimed

    def _is_ours(self, url: str) -> bool:
        return url == self.tracking.url or url.startswith(f"{self.tracking.url}/")
