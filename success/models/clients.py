"""The suppliers' own clients (wedding couples): an id of the product's and when it was last active, nothing more."""

from django.db import models


class Client(models.Model):
    """A client as it is now. History reads `ClientDay`."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, db_index=False, related_name="clients")
    external_id = models.CharField(max_length=128)
    first_known_at = models.DateTimeField()
    last_activity_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "external_id"], name="client_once")]
        indexes = [models.Index(fields=["supplier", "last_activity_at"], condition=models.Q(archived_at=None), name="client_activity")]


class ClientDay(models.Model):
    """A client at the end of a UTC day on which something about it changed. Written by trigger, whoever the writer."""

    pk = models.CompositePrimaryKey("supplier_id", "client_id", "day")
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    client = models.ForeignKey(Client, models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    day = models.DateField()
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    archived = models.BooleanField(default=False, db_default=False)
    known_at = models.DateTimeField(help_text="when we learnt it")
