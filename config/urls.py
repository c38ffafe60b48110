"""All routes."""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from config.documents import DocumentView, SchemaView
from success.api import operations
from success.api.views import UnroutedView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", include("config.console.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocumentView.as_view(url_name="schema"), name="docs"),
    path("livez", operations.livez, name="livez"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.metrics, name="metrics"),
    path("", include("interventions.urls")),
    path("", include("milestones.urls")),
    path("", include("health.urls")),  # these two before success, whose supplier takes all that is left under its address
    path("", include("success.urls")),
    re_path(r"^(?:api|v1|webhooks)(?:/|$)", UnroutedView.as_view(), name="unrouted"),
]

if apps.is_installed("config.local"):  # with DEBUG on
    urlpatterns += [path("mailbox/", include("config.local.mailbox.urls")), path("playground/", include("config.local.playground.urls"))]

handler400 = "success.api.problems.bad_request"
handler404 = "success.api.problems.not_found"
handler500 = "success.api.problems.server_error"
