"""Routes of the mailbox; in config/urls.py only where this app is installed, with DEBUG on."""

from django.urls import path

from config.local.mailbox import pages

app_name = "mailbox"

urlpatterns = [
    path("", pages.listing, name="mailbox"),
    path("<str:name>/", pages.letter, name="letter"),
    path("<str:name>/html/", pages.html, name="letter_html"),
]
