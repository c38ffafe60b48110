"""The pages behind the links in letters. Opening one changes nothing: mail scanners follow every link. No cookie, no sign-in: the link is the proof."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pghistory
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from success import clock
from success.api.views import Strict, View
from success.models import Supplier
from success.notifications import links, preferences

PAUSES = {"7": "for a week", "30": "for a month", "90": "for three months"}


class AnyQuery(Strict):
    """Whatever a mail program adds to a link is passed over."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {}


class LinkView(View):
    """A page for whoever has the link."""

    authentication_classes = []
    permission_classes = []
    renderer_classes = [TemplateHTMLRenderer]
    parser_classes = [FormParser, MultiPartParser]
    query_serializer = AnyQuery
    schema = None
    salt = ""

    def supplier(self, token: str) -> int | None:
        found = links.supplier_of(token, salt=self.salt)
        return found if found and Supplier.objects.filter(pk=found).exists() else None

    def page(self, name: str, *, status: int = HTTPStatus.OK, **context: Any) -> Response:
        headers = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
        return Response(context, status=status, template_name=f"notifications/{name}.html", headers=headers)

    def gone(self) -> Response:
        return self.page("gone", status=HTTPStatus.NOT_FOUND)


class UnsubscribeView(LinkView):
    """RFC 8058: a POST acts at once, whoever sends it."""

    salt = links.UNSUBSCRIBE

    def get(self, request: Request, token: str) -> Response:
        supplier = self.supplier(token)
        return self.gone() if supplier is None else self.page("unsubscribe", preferences=links.preferences(supplier))

    def post(self, request: Request, token: str) -> Response:
        supplier = self.supplier(token)
        if supplier is None:
            return self.gone()
        with pghistory.context(through="the link in a letter"):
            preferences.unsubscribe(supplier, at=clock.now())
        return self.page("unsubscribe", done=True, preferences=links.preferences(supplier))


class PreferencesPageView(LinkView):
    """All that can be chosen, in one form."""

    salt = links.PREFERENCES

    def get(self, request: Request, token: str) -> Response:
        supplier = self.supplier(token)
        return self.gone() if supplier is None else self.form(supplier)

    def post(self, request: Request, token: str) -> Response:
        supplier, sent, at = self.supplier(token), dict(request.data), clock.now()
        if supplier is None:
            return self.gone()
        changes: dict[str, Any] = {
            "channels": {"email": "email" in sent},
            "categories": {category: category in sent for category in preferences.CATEGORIES},
        }
        pause = str(request.POST.get("pause", ""))
        if pause in PAUSES:
            changes["paused_until"] = at + timedelta(days=int(pause))
        elif pause == "none":
            changes["paused_until"] = None
        with pghistory.context(through="the link in a letter"):
            preferences.change(supplier, changes, at=at)
        return self.form(supplier, done=True)

    def form(self, supplier: int, *, done: bool = False) -> Response:
        chosen = preferences.shown(supplier)
        categories = [(key, label, chosen["categories"][key]) for key, label in preferences.CATEGORIES.items()]
        paused = chosen["paused_until"] if chosen["paused_until"] and chosen["paused_until"] > clock.now() else None
        return self.page("preferences", done=done, email=chosen["channels"]["email"], categories=categories, paused=paused, pauses=PAUSES.items())
