"""How the stream's own processes reach PostgreSQL: outside Django's pool, and soon aware that it is gone."""

from typing import Any

from django.db import connection


def parameters(name: str) -> dict[str, Any]:
    """The application's own settings, for a connection of this name."""
    given = {key: value for key, value in connection.get_connection_params().items() if key not in ("cursor_factory", "context", "prepare_threshold")}
    return given | {"application_name": name, "connect_timeout": 3, "tcp_user_timeout": 5000, "keepalives_idle": 10, "keepalives_interval": 5}
