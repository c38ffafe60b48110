"""EmailAutomation's pen: templates filled with plain values. A letter that would come out wrong is not written, and says why."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, wraps
from typing import Any

from liquid import BoundTemplate, Environment, FalsyStrictUndefined
from liquid.exceptions import LiquidError, UndefinedError
from liquid.undefined import is_undefined

from success.models import MessageTemplate

EMPTY = {"", "none", "null", "nan", "undefined"}  # what a value that nobody had looks like once it is text
LEFT_OVER = re.compile(r"\{\{|\{%|%\}|\}\}")
ADDRESS = re.compile(r"https?://[^\s<>\"]{1,900}")
MOST_LINK = 500  # letters, in the inbox
TURNS_AROUND = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


class Unwritten(Exception):
    """The letter cannot be written; the message says what is missing."""


class Liquid(Environment):
    loop_iteration_limit = 1000
    output_stream_limit = 20_000
    local_namespace_limit = 20_000
    block_nesting_limit = 10


def strict(work: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that makes nothing of a value that is not known: arithmetic would take it for zero."""

    @wraps(work)
    def filtered(*values: Any, **named: Any) -> Any:
        for value in values:
            if is_undefined(value):
                str(value)  # raises
        return work(*values, **named)

    return filtered


liquid = Liquid(undefined=FalsyStrictUndefined)  # text comes out; whoever makes HTML of it escapes all of it
for tag in ("include", "render"):
    del liquid.tags[tag]
liquid.filters.update({name: strict(work) for name, work in liquid.filters.items() if name != "default"})


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: paragraphs, and at most one button."""

    subject: str
    text: str
    button: str = ""
    link: str = ""


def known(value: Any) -> Any:
    """A value as a template may have it: plain, on one line, and nothing where nobody knew it."""
    match value:
        case str():
            line = " ".join(
                "".join(
                    letter for letter in value if letter not in TURNS_AROUND and not (unicodedata.category(letter) == "Cc" and letter not in "\n\t\r")
                ).split()
            )
            return None if line.lower() in EMPTY else line
        case Mapping():
            return {str(key): found for key, one in value.items() if (found := known(one)) is not None}
        case list() | tuple():
            return [found for one in value if (found := known(one)) is not None]
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case bool() | int():
            return value
    return None


@lru_cache(maxsize=500)
def compiled(source: str) -> BoundTemplate:
    """A part of a template, ready to be filled: read once, however many it is written to."""
    return liquid.from_string(source)


def filled(source: str, values: Mapping[str, Any], *, part: str) -> str:
    """A part of a template with its values.

    Raises:
        Unwritten: a value is missing, or something of the template would show.
    """
    try:
        text = compiled(source).render(**values)
    except UndefinedError as error:
        raise Unwritten(f"The {part} asks for a value that is not known: {str(error.args[0]).removesuffix(' is undefined')}.") from None
    except LiquidError as error:
        raise Unwritten(f"The {part} cannot be written: {error.args[0] if error.args else type(error).__name__}.") from None
    except Exception as error:  # filters raise what they like: one template must not hold up everybody's letters
        raise Unwritten(f"The {part} cannot be written: {type(error).__name__}.") from None
    if "\0" in text or "\ufffd" in text.encode(errors="replace").decode():
        raise Unwritten(f"The {part} holds what is no text.")
    if LEFT_OVER.search(text):
        raise Unwritten(f"A tag would be left over in the {part}.")
    return text.strip()


def write(template: MessageTemplate, values: Mapping[str, Any]) -> Letter:
    """The letter that this template is with these values. Raises Unwritten."""
    values = known(values)
    subject = " ".join(filled(template.subject, values, part="subject").split())
    text = filled(template.text, values, part="text")
    if not subject or not text:
        raise Unwritten(f"The {'text' if subject else 'subject'} would be empty.")
    link = filled(template.link, values, part="link") if may_link(template, values) else ""
    if link and not ADDRESS.fullmatch(link):
        raise Unwritten("The button would lead to no web address.")
    button = filled(template.button, values, part="button") if link else ""
    return Letter(subject[:300], text, button[:200], link if button else "")


def may_link(template: MessageTemplate, values: Mapping[str, Any]) -> bool:
    """A button whose whole address is one value is left out with it."""
    name = re.fullmatch(r"\{\{\s*(\w+)\s*\}\}", template.link)
    return bool(template.link and template.button and (not name or name[1] in values))


def write_in_app(template: MessageTemplate, values: Mapping[str, Any]) -> Letter:
    """The same for the inbox within the product. Raises Unwritten."""
    values = known(values)
    title = filled(template.in_app_title, values, part="title in the product")
    if not title:
        raise Unwritten("The title in the product would be empty.")
    link = str(values.get("link", ""))
    fits = ADDRESS.fullmatch(link) and len(link) <= MOST_LINK
    return Letter(title[:200], filled(template.in_app_text, values, part="text in the product"), link=link if fits else "")


def faults(source: str) -> str:
    """What is wrong with a part of a template; "" if nothing is."""
    try:
        liquid.from_string(source)
    except LiquidError as error:
        return str(error.args[0] if error.args else error)
    except RecursionError:
        return "it is too deep"
    return ""
