"""Runs every linter, also after one has failed, and fails when any did."""

import secrets
import subprocess
import sys

from config.local import checkout, environment
from config.local.checkout import say

PYTHON = sys.executable
CHECKS = {
    "style": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "types": ["mypy"],
    "layers": ["lint-imports", "--no-cache"],
    "deployment": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "migrations": [PYTHON, "-m", "config.local.launch", "with", PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
}
TEMPLATES = {"templates": ["djlint", "templates", "--lint", "--quiet"]}


def main() -> int:
    failed = [name for name, command in checks().items() if not passes(name, command)]
    say(f"Failed: {', '.join(failed)}." if failed else "All linters pass.")
    return 1 if failed else 0


def checks() -> dict[str, list[str]]:
    has_templates = any((checkout.ROOT / "templates").rglob("*.*"))
    return CHECKS | (TEMPLATES if has_templates else {})


def passes(name: str, command: list[str]) -> bool:
    say(f"== {name}")
    settings = {} if name == "migrations" else production_settings()
    return subprocess.run(command, cwd=checkout.ROOT, env=environment.of_a_process(settings)).returncode == 0


def production_settings() -> environment.Settings:
    """What a careful production would set; no check connects to any of it."""
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "0",
        "DEMO": "0",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SENSITIVE_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "success.example.com",
        "BASE_URL": "https://success.example.com",
        "NUM_PROXIES": "1",
        "JWT_SECRET": secrets.token_urlsafe(48),
        "JWT_AUDIENCE": "authenticated",
        "DATABASE_URL": "postgresql://success@database.example.com/success",
        "REDIS_URL": "redis://redis.example.com:6379",
    }


if __name__ == "__main__":
    sys.exit(main())
