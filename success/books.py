"""Whose suppliers one of us may see: all, or only those in their own book."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet

from success.models import Colleague


def limited(user: User | AnonymousUser) -> bool:
    """Whether this person sees only the suppliers they own. Remembered on the user, so for one request."""
    known = getattr(user, "_own_book_only", None)
    if known is None:
        known = Colleague.objects.filter(user=user.pk, own_book_only=True).exists()
        user._own_book_only = known  # type: ignore[union-attr]
    return bool(known)


def visible(queryset: QuerySet[Any], user: User | AnonymousUser, *, path: str = "") -> QuerySet[Any]:
    """Of rows with a path to a supplier (`supplier__`, or "" for suppliers) those that this person may see."""
    return queryset.filter(**{f"{path}owner_id": user.pk}) if limited(user) else queryset
