"""The limit of each caller, and of an address without credentials."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from success import limits
from success.api.callers import KeyCaller, address_of, caller_of

if TYPE_CHECKING:  # the framework reads this module while it makes its views
    from rest_framework.views import APIView


class CallerThrottle(BaseThrottle):
    """Counts the request in its caller's bucket and leaves the verdict for the answer's headers."""

    verdict: limits.Verdict

    def allow_request(self, request: Request, view: "APIView") -> bool:
        caller = caller_of(request)
        if caller is None:
            bucket, limit = f"address:{address_of(request, settings.NUM_PROXIES)}", settings.RATE_LIMIT_ANONYMOUS
        else:
            bucket, limit = (
                caller.bucket,
                settings.RATE_LIMIT_KEY if isinstance(caller, KeyCaller) else settings.RATE_LIMIT_USER,
            )
        self.verdict = limits.hit(bucket, *limit)
        view.verdict = self.verdict  # type: ignore[attr-defined]
        return self.verdict.allowed

    def wait(self) -> float:
        return self.verdict.retry_after
