"""What can go wrong with a request beyond what the framework knows."""

from http import HTTPStatus

from rest_framework.exceptions import APIException


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class Away(APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The database is away; nothing was taken. Send again a little later."
    default_code = "away"


class Refusals(APIException):
    """422 with errors that already carry their pointers."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = "Some of the input is not valid."
    default_code = "invalid"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__()
        self.errors = errors
