"""The sidebar: each entry for whoever may open it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.console import listing, start
from success import saved_views


def item(title: str, icon: str, route: str, permission: str, *, link: str = "") -> dict[str, Any]:
    may: Callable[[HttpRequest], bool] = lambda request: request.user.has_perm(permission)  # noqa: E731
    return {"title": title, "icon": icon, "link": link or reverse(route), "permission": may}


def starting(request: HttpRequest) -> bool:
    """The start is gone when it is done."""
    return request.user.has_perm("success.add_apikey") and not start.done()


def first_list(request: HttpRequest) -> str:
    """The view a person wants to begin with, else all suppliers."""
    view = saved_views.first_of(request.user) if request.user.is_authenticated else None
    return listing.link(listing.restored(view.query) if view else {})


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {
            "items": [
                *([item("Start", "rocket_launch", "console:start", "success.add_apikey")] if starting(request) else []),
                item("Today", "today", "console:today", "success.view_supplier"),
                item("Suppliers", "storefront", listing.LIST, "success.view_supplier", link=first_list(request)),
                item("Segments", "filter_alt", "admin:success_segment_changelist", "success.view_segment"),
                item("Playbooks", "auto_stories", "console:playbooks", "interventions.view_playbook"),
                item("Portfolio", "donut_small", "console:portfolio", "health.view_portfolio"),
                item("Milestones", "flag", "console:milestones", "milestones.view_board"),
                item("Rewards", "redeem", "console:rewards", "milestones.view_grant"),
                item("Upload", "upload_file", "console:uploads", "success.add_upload"),
            ]
        },
        {
            "title": "Data",
            "separator": True,
            "items": [
                item("Arriving", "move_to_inbox", "console:arriving", "success.view_source"),
                item("Scores", "monitor_heart", "admin:health_assessment_changelist", "health.view_assessment"),
                item("Messages sent", "outgoing_mail", "admin:success_send_changelist", "success.view_send"),
                item("Events", "bolt", "admin:success_event_changelist", "success.view_event"),
                item("Event catalogue", "category", "admin:success_eventname_changelist", "success.view_eventname"),
                item("Achievements", "emoji_events", "admin:milestones_achievement_changelist", "milestones.view_achievement"),
                item("Dead letters", "mark_email_unread", "admin:success_deadletter_changelist", "success.view_deadletter"),
            ],
        },
        {
            "title": "Settings",
            "separator": True,
            "items": [
                item("Milestone definitions", "stairs", "admin:milestones_milestone_changelist", "milestones.change_milestone"),
                item("Colleagues", "group", "console:colleagues", "auth.view_user"),
                item("Templates", "edit_document", "admin:success_messagetemplate_changelist", "success.view_messagetemplate"),
                item("Sources", "input", "admin:success_source_changelist", "success.view_source"),
                item("API keys", "key", "admin:success_apikey_changelist", "success.view_apikey"),
                item("Schedule", "schedule", "admin:django_celery_beat_periodictask_changelist", "django_celery_beat.view_periodictask"),
                item("Operations", "dns", "console:operations", "success.view_jobrun"),
                item("Runs", "play_circle", "admin:success_jobrun_changelist", "success.view_jobrun"),
            ],
        },
    ]
