"""Who may call the API: keys and tokens, good and bad, as tests need them."""

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
from django.conf import settings
from django.test import Client

from success import keys
from success.models import ApiKey, Source
from tests.factories import SourceFactory

SCOPES = ["ingest", "read", "write", "admin"]


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def key(*scopes: str, source: Source | None = None, **more: object) -> str:
    """An API key with these scopes; all without any named."""
    return keys.create(source=source or SourceFactory(), name="test", scopes=scopes or SCOPES, **more)[1]


def expired_key() -> str:
    return key(expires_at=datetime.now(UTC) - timedelta(seconds=1))


def revoked_key() -> str:
    text = key()
    keys.revoke(ApiKey.objects.get(digest=keys.digest_of(text)), at=datetime.now(UTC))
    return text


def claims(supplier: object, **more: object) -> dict[str, object]:
    now = datetime.now(UTC)
    return {"sub": "somebody", "supplier": supplier, "aud": settings.JWT_AUDIENCE, "exp": now + timedelta(hours=1)} | more


def token(supplier: object, *, secret: str | None = None, algorithm: str = "HS256", **more: object) -> str:
    """A token of the product for a user of this supplier."""
    return jwt.encode(claims(supplier, **more), settings.JWT_SECRET if secret is None else secret, algorithm=algorithm)


def expired_token(supplier: str) -> str:
    return token(supplier, exp=datetime.now(UTC) - timedelta(seconds=1))


def unsigned_token(supplier: str) -> str:
    return jwt.encode(claims(supplier), None, algorithm="none")


def relabelled_token(supplier: str) -> str:
    """Signed with the right secret, but by another algorithm than the one that is allowed."""
    return token(supplier, algorithm="HS512")


def stripped_token(supplier: str) -> str:
    """A good token whose header now says that there is no signature."""
    _, body, _ = token(supplier).split(".")
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    return f"{header}.{body}."


class Api:
    """A caller of the API, in this process."""

    def __init__(self, credential: str | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = bearer(credential) if credential else {}

    def __call__(self, method: str, path: str, body: object = None, *, content_type: str = "application/json", headers: dict[str, str] | None = None, **more):
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, path, data, content_type, headers={**self.headers, **(headers or {})}, **more)

    def get(self, path: str, **more):
        return self("GET", path, **more)

    def post(self, path: str, body: object, **more):
        return self("POST", path, body, **more)


def is_problem(answer) -> bool:
    """Whether an answer is a problem of RFC 9457 that agrees with itself."""
    if answer.headers["Content-Type"] != "application/problem+json":
        return False
    body = json.loads(answer.content)
    return body["status"] == answer.status_code and {"type", "title", "detail"} <= set(body) <= {"type", "title", "status", "detail", "errors"}
