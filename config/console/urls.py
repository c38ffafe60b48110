"""Routes of the console, beside those of the admin."""

from django.urls import path

from config.console import actions, start, story, today

app_name = "console"

urlpatterns = [
    path("", today.today, name="today"),
    path("suppliers/<int:pk>/", story.story, name="supplier"),
    path("suppliers/<int:pk>/wake/", actions.wake, name="wake"),
    path("suppliers/<int:pk>/computed/", actions.end_override, name="end_override"),
    path("suppliers/<int:pk>/<slug:name>/", actions.act, name="act"),
    path("start/", start.start, name="start"),
    path("scoring/", story.scoring, name="scoring"),
    path("tasks/<int:pk>/done/", actions.done, name="task_done"),
    path("tasks/<int:pk>/drop/", actions.drop, name="task_drop"),
]
