"""The public page behind the link to book a call."""

from http import HTTPStatus

from rest_framework.request import Request
from rest_framework.response import Response

from interventions import calls
from success import clock
from success.api.links import LinkView


class BookView(LinkView):
    """Leads on to the success manager's own booking page."""

    def get(self, request: Request, token: str) -> Response:
        """That it was followed is on record. A HEAD request, as scanners send, only looks."""
        try:
            url = calls.page_of(token) if request.method == "HEAD" else calls.follow(token, at=clock.now())
        except calls.NoSuchLink:
            return self.gone()
        answer = self.page("leads_on", status=HTTPStatus.FOUND, url=url)
        answer["Location"] = url
        return answer
