"""Lists of suppliers that our own people come back to."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from success.models.history import noticed


@noticed("name", "query", "shared")
class SavedView(models.Model):
    """A list of suppliers by name: which filters, search and order it stands for. Whoever opens it sees of it only what they may see."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", db_index=False)
    name = models.CharField(max_length=40)
    query = models.JSONField(default=dict, help_text="by parameter of the list, its value")
    shared = models.BooleanField(default=False, help_text="all colleagues find it above the list")
    opens_first = models.BooleanField(default=False, help_text="the way from the sidebar leads its owner here")
    at = models.DateTimeField()

    class Meta:
        permissions = [("change_any_savedview", "Can rename and delete the views that others share")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="savedview_once"),
            models.UniqueConstraint(fields=["owner"], condition=Q(opens_first=True), name="savedview_one_opens_first"),
            models.CheckConstraint(condition=~Q(name=""), name="savedview_has_a_name"),
        ]
        indexes = [models.Index(fields=["name"], condition=Q(shared=True), name="savedview_shared")]

    def __str__(self) -> str:
        return self.name
