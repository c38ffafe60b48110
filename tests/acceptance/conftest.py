"""What the stories share: a figure to report."""

from collections.abc import Callable

import pytest


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Reports what was measured beside the line."""
    return lambda text: record_property("figure", text)
