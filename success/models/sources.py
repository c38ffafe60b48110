"""Where activity comes from, and the keys that let it in."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from success.models.history import remembered


@remembered("name")
class Source(models.Model):
    """A sender of messages. Message ids are unique within it, so a rotated key of the same source still de-duplicates."""

    name = models.CharField(max_length=80, unique=True)
    is_demo = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    INGEST = "ingest"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@remembered("name", "scopes", "expires_at", "revoked_at")
class ApiKey(models.Model):
    """A key `cs_..`, shown once when it is made; only its digest is kept."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}..)"
