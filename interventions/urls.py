"""Routes of playbooks."""

from django.urls import path

from interventions.api import DecisionsView, InterventionsView
from interventions.pages import BookView

urlpatterns = [
    path("api/v1/suppliers/<any_id:id>/interventions/", InterventionsView.as_view(), name="interventions"),
    path("api/v1/suppliers/<any_id:id>/decisions/", DecisionsView.as_view(), name="decisions"),
    path("book/<str:token>/", BookView.as_view(), name="booking"),
]
