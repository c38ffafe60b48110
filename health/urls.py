"""Routes of health."""

from django.urls import path

from health.api import HealthView, HistoryView, SummaryView

urlpatterns = [
    path("api/v1/suppliers/<any_id:id>/health/", HealthView.as_view(), name="health"),
    path("api/v1/suppliers/<any_id:id>/health/history/", HistoryView.as_view(), name="health-history"),
    path("api/v1/health/summary/", SummaryView.as_view(), name="health-summary"),
]
