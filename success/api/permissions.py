"""What a caller may do: the view names the scope of each of its methods."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from success.api.callers import caller_of

if TYPE_CHECKING:  # the framework reads this module while it makes its views
    from rest_framework.views import APIView


class HasAccess(BasePermission):
    """A key with one of the scopes of the method; a product user where `own` is among them."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        caller = caller_of(request)
        if caller is None:
            raise NotAuthenticated
        scopes: dict[str, tuple[str, ...]] = getattr(view, "scopes", {})
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in view.allowed_methods:
            return True  # the view answers that it has no such method
        return any(caller.may(scope) for scope in scopes.get(method, ()))
