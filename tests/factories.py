"""People and accounts for tests."""

from datetime import UTC, datetime

import factory
from django.contrib.auth import get_user_model

from success.models import Contact, Source, Supplier


class SourceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Source

    name = factory.Sequence(lambda n: f"product {n}")


class SupplierFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Supplier

    external_id = factory.Sequence(lambda n: f"supplier-{n}")
    plan = "pro"
    vertical = "photographer"
    created_at = factory.LazyFunction(lambda: datetime(2026, 6, 1, tzinfo=UTC))
    first_seen_at = factory.SelfAttribute("created_at")
    changed_at = factory.SelfAttribute("first_seen_at")


class ContactFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Contact

    supplier = factory.SubFactory(SupplierFactory)
    external_id = factory.SelfAttribute("supplier.external_id")
    name = factory.Faker("name")
    email = factory.Faker("ascii_safe_email")
    is_primary = True


class StaffFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda n: f"manager{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password("a long enough password")
    is_staff = True
