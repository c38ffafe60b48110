"""Suppliers on the command line: by the ids that the product knows them by."""

from collections.abc import Mapping, Sequence

from django.core.management.base import CommandError, OutputWrapper

from success import suppliers
from success.models import Supplier


def named(names: list[str]) -> list[int]:
    """Ids of the suppliers named.

    Raises:
        CommandError: there is no such supplier.
    """
    ids = suppliers.ids_of(names)
    if unknown := sorted(set(names) - set(ids)):
        raise CommandError(f"No such supplier: {', '.join(unknown)}.")
    return sorted(ids.values())


def tell_failures(failures: Mapping[int, str], out: OutputWrapper) -> None:
    """Each supplier a run failed on is printed, with the reason.

    Raises:
        CommandError: there are any.
    """
    names = dict(Supplier.objects.filter(pk__in=failures).values_list("pk", "external_id"))
    for supplier, reason in sorted(failures.items()):
        out.write(f"{names.get(supplier, supplier)}: {reason}")
    if failures:
        raise CommandError(f"Failed on {len(failures)} of the suppliers, as listed; all others are done.", returncode=1)


def called(suppliers: Sequence[int]) -> list[str]:
    """The product's ids of suppliers, in their order."""
    names = dict(Supplier.objects.filter(pk__in=suppliers).values_list("pk", "external_id"))
    return [names[one] for one in suppliers]
