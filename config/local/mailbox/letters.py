"""The letters that the sink keeps: a file each in `.local/mail`, the newest of them, in order of arrival."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from config.local import checkout

FOLDER = Path(os.environ.get("LOCAL_MAIL", checkout.LOCAL / "mail"))
MOST = 500


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, by the name of its file."""

    name: str
    message: EmailMessage

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(int(self.name) / 1e9, UTC)

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part else ""


def keep(content: bytes, *, most: int = MOST) -> None:
    """The letter is in the folder, whole, for its owner alone; the oldest beyond `most` are gone."""
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = FOLDER / "draft"
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(FOLDER / f"{time.time_ns():020d}.eml")
    for old in names()[most:]:
        (FOLDER / f"{old}.eml").unlink(missing_ok=True)


def names() -> list[str]:
    """The names of all letters, the latest first."""
    return sorted((file.stem for file in FOLDER.glob("*.eml")), reverse=True)


def find(name: str) -> Letter | None:
    """The letter of this name; None where there is none any more."""
    if name not in names():
        return None
    return Letter(name, BytesParser(EmailMessage, policy=policy.default).parsebytes((FOLDER / f"{name}.eml").read_bytes()))
