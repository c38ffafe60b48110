"""Routes of milestones and rewards."""

from django.urls import path

from milestones.api import ConfirmView, MilestonesView, RedeemView, RewardsView, SeenView

SUPPLIER = "api/v1/suppliers/<any_id:id>"

urlpatterns = [
    path(f"{SUPPLIER}/milestones/<slug:key>/seen/", SeenView.as_view(), name="milestone-seen"),
    path(f"{SUPPLIER}/milestones/", MilestonesView.as_view(), name="milestones"),
    path(f"{SUPPLIER}/rewards/<slug:reward_id>/redeem/", RedeemView.as_view(), name="reward-redeem"),
    path(f"{SUPPLIER}/rewards/<slug:reward_id>/confirm/", ConfirmView.as_view(), name="reward-confirm"),
    path(f"{SUPPLIER}/rewards/", RewardsView.as_view(), name="rewards"),
]
