"""Routes of the console, beside those of the admin."""

from django.urls import path

from config.console import actions, arriving, books, colleagues, export, ledgers, me, operations, portfolio, saved, signing_in, start, story, today, uploads

app_name = "console"

urlpatterns = [
    path("", today.today, name="today"),
    path("suppliers/export.csv", export.everything, name="export"),
    path("suppliers/<int:pk>/", story.story, name="supplier"),
    path("suppliers/<int:pk>/wake/", actions.wake, name="wake"),
    path("suppliers/<int:pk>/computed/", actions.end_override, name="end_override"),
    path("suppliers/<int:pk>/<slug:name>/", actions.act, name="act"),
    path("views/save/", saved.save, name="view_save"),
    path("views/<int:pk>/", saved.change, name="view_change"),
    path("views/<int:pk>/delete/", saved.delete, name="view_delete"),
    path("portfolio/", portfolio.portfolio, name="portfolio"),
    path("arriving/", arriving.arriving, name="arriving"),
    path("operations/", operations.operations, name="operations"),
    path("runs/<int:pk>/again/", ledgers.run_again, name="run_again"),
    path("dead-letters/<int:pk>/again/", ledgers.fold_again, name="fold_again"),
    path("start/", start.start, name="start"),
    path("uploads/", uploads.upload, name="uploads"),
    path("uploads/<int:pk>/", uploads.one, name="upload"),
    path("uploads/<int:pk>/next/", uploads.take, name="upload_take"),
    path("uploads/<int:pk>/rejects.csv", uploads.rejects, name="upload_rejects"),
    path("scoring/", story.scoring, name="scoring"),
    path("tasks/<int:pk>/done/", actions.done, name="task_done"),
    path("tasks/<int:pk>/drop/", actions.drop, name="task_drop"),
    path("colleagues/", colleagues.everybody, name="colleagues"),
    path("colleagues/invite/", colleagues.invite, name="invite"),
    path("colleagues/locked-out/", colleagues.locked_out, name="locked_out"),
    path("colleagues/<int:pk>/", colleagues.colleague, name="colleague"),
    path("colleagues/<int:pk>/book/", books.hand_over, name="book"),
    path("colleagues/<int:pk>/<slug:name>/", colleagues.act, name="colleague_act"),
    path("me/", me.me, name="me"),
    path("me/second-factor/", me.enrol, name="enrol"),
    path("me/second-factor/remove/", me.remove, name="remove"),
    path("code/", signing_in.code, name="code"),
    path("welcome/<uidb64>/<token>/", signing_in.welcome, name="welcome"),
]
