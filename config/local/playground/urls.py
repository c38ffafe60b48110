"""Routes of the playground; in config/urls.py only where this app is installed, with DEBUG on."""

from django.urls import path, re_path

from config.local.playground import pages

app_name = "playground"

urlpatterns = [
    path("", pages.page, name="playground"),
    re_path("^(?:clients|clients/import|forms|forms/new|forms/[0-9]+|journeys|settings)/$", pages.page, name="playground_place"),
    path("token/", pages.token, name="playground_token"),
    path("people/", pages.people, name="playground_people"),
    path("look/<str:supplier>/", pages.look, name="playground_look"),
    path("later/", pages.later, name="playground_later"),
    path("reset/", pages.reset, name="playground_reset"),
]
