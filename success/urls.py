"""Routes of the ground: ingest, suppliers, their clients, segments, what suppliers are told, and the pages behind the links in letters."""

from django.urls import path

from success.api.ingest import KINDS, BatchView
from success.api.links import PreferencesPageView, UnsubscribeView
from success.api.notifications import InboxView, PreferencesView, ReadView
from success.api.segments import SegmentSuppliersView, SegmentsView
from success.api.stream import PushesView, TicketView
from success.api.suppliers import ClientsView, OneClientView, OneSupplierView, SuppliersView

urlpatterns = [
    path("v1/batch", BatchView.as_view(), name="batch"),
    *(path(f"v1/{kind}", view.as_view(), name=kind) for kind, view in KINDS.items()),
    path("api/v1/stream-tickets/", TicketView.as_view(), name="stream-tickets"),
    path("api/v1/suppliers/<any_id:id>/pushes/", PushesView.as_view(), name="pushes"),
    path("api/v1/segments/", SegmentsView.as_view(), name="segments"),
    path("api/v1/segments/<slug:key>/suppliers/", SegmentSuppliersView.as_view(), name="segment-suppliers"),
    path("api/v1/suppliers/", SuppliersView.as_view(), name="suppliers"),
    path("api/v1/suppliers/<any_id:id>/clients/<any_id:client_id>/", OneClientView.as_view(), name="client"),
    path("api/v1/suppliers/<any_id:id>/clients/", ClientsView.as_view(), name="clients"),
    path("api/v1/suppliers/<any_id:id>/notifications/", InboxView.as_view(), name="notifications"),
    path("api/v1/suppliers/<any_id:id>/notifications/<any_id:n>/read/", ReadView.as_view(), name="notification-read"),
    path("api/v1/suppliers/<any_id:id>/preferences/", PreferencesView.as_view(), name="preferences"),
    path("unsubscribe/<str:token>/", UnsubscribeView.as_view(), name="unsubscribe"),
    path("preferences/<str:token>/", PreferencesPageView.as_view(), name="preferences-page"),
    path("api/v1/suppliers/<any_id:id>/", OneSupplierView.as_view(), name="supplier"),  # last: an id may hold a slash
]
