"""Request bodies: bytes from anybody, bounded and strict."""

import json
import zlib
from collections.abc import Mapping
from typing import IO, Any, NoReturn

import msgspec
from django.conf import settings
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from success import messages
from success.api.errors import Refusals, TooLarge


def body_of(stream: IO[bytes], headers: Mapping[str, str]) -> bytes:
    """The body, inflated where it is gzip, within the limit, UTF-8, and not nested too deep.

    Raises:
        TooLarge, ParseError, UnsupportedMediaType
    """
    body = stream.read(settings.INGEST_BODY_LIMIT + 1)
    if len(body) > settings.INGEST_BODY_LIMIT:
        raise TooLarge
    encoding = headers.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if encoding == "gzip":
        body = inflate(body)
    elif encoding not in ("identity", ""):
        raise UnsupportedMediaType(encoding)
    try:
        body.decode()
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    if messages.deeper_than(body, settings.JSON_DEPTH_LIMIT):
        raise ParseError(f"The JSON is nested deeper than {settings.JSON_DEPTH_LIMIT} levels.")
    return body


def inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, settings.INGEST_BODY_LIMIT + 1)
    except zlib.error:
        raise ParseError("The body is not valid gzip.") from None
    if len(plain) > settings.INGEST_BODY_LIMIT:
        raise TooLarge
    if not inflater.eof or inflater.unused_data:
        raise ParseError("The body is not valid gzip: it is cut short, or something follows it.")
    return plain


def refuse(body: bytes, error: msgspec.DecodeError) -> NoReturn:
    """The right answer to JSON that does not decode: out of range or a lone surrogate is 422, the rest 400."""
    if isinstance(error, msgspec.ValidationError):
        raise Refusals([{"pointer": "", "detail": str(error)}])
    try:
        json.loads(body.decode(), parse_constant=not_json)
    except (ValueError, RecursionError):
        raise ParseError("The body is not JSON.") from None
    raise Refusals([{"pointer": "", "detail": "Has a character that is not Unicode text, such as a lone surrogate."}])


def not_json(name: str) -> NoReturn:
    """NaN and Infinity, which Python's reader would take."""
    raise ValueError(name)


class StrictJSONParser(BaseParser):
    """JSON in UTF-8; no NaN, infinity or lone surrogate."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = body_of(stream, parser_context["request"].META if parser_context else {})
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError as error:
            refuse(body, error)


class RawJSONParser(BaseParser):
    """The checked bytes of a JSON body, for who decodes it typed."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> bytes:  # type: ignore[override]
        return body_of(stream, parser_context["request"].META if parser_context else {})


class RawTextParser(RawJSONParser):
    """The same sent as text/plain, as browsers do to spare themselves a preflight."""

    media_type = "text/plain"
