"""The sidebar: each entry for whoever may open it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.console import start


def item(title: str, icon: str, route: str, permission: str) -> dict[str, Any]:
    may: Callable[[HttpRequest], bool] = lambda request: request.user.has_perm(permission)  # noqa: E731
    return {"title": title, "icon": icon, "link": reverse(route), "permission": may}


def starting(request: HttpRequest) -> bool:
    """The start is gone when it is done."""
    return request.user.has_perm("success.add_apikey") and not start.done()


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "items": [
                *([item("Start", "flag", "console:start", "success.add_apikey")] if starting(request) else []),
                item("Today", "today", "console:today", "success.view_supplier"),
                item("Suppliers", "storefront", "admin:success_supplier_changelist", "success.view_supplier"),
                item("Upload", "upload_file", "console:uploads", "success.add_upload"),
            ]
        },
        {
            "title": "Data",
            "separator": True,
            "items": [
                item("Arriving", "move_to_inbox", "console:arriving", "success.view_source"),
                item("Scores", "monitor_heart", "admin:health_assessment_changelist", "health.view_assessment"),
                item("Events", "bolt", "admin:success_event_changelist", "success.view_event"),
                item("Event catalogue", "category", "admin:success_eventname_changelist", "success.view_eventname"),
                item("Dead letters", "mark_email_unread", "admin:success_deadletter_changelist", "success.view_deadletter"),
            ],
        },
        {
            "title": "Settings",
            "separator": True,
            "items": [
                item("Colleagues", "group", "console:colleagues", "auth.view_user"),
                item("Sources", "input", "admin:success_source_changelist", "success.view_source"),
                item("API keys", "key", "admin:success_apikey_changelist", "success.view_apikey"),
                item("Schedule", "schedule", "admin:django_celery_beat_periodictask_changelist", "django_celery_beat.view_periodictask"),
                item("Operations", "dns", "console:operations", "success.view_jobrun"),
                item("Runs", "play_circle", "admin:success_jobrun_changelist", "success.view_jobrun"),
            ],
        },
    ]
