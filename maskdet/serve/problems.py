"""Errors as ``application/problem+json`` (RFC 9457), each with one clear sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from maskdet.errors import first_line

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


class ProblemError(Exception):
    """What is wrong with a request.

    Attributes:
        status: of the answer.
        detail: one sentence for people.
        headers: of the answer.
        reason: one word for the metrics.
    """

    def __init__(self, status: int, detail: str, *, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.reason = status, detail, reason
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """Return the members of the answer; no ``type`` means that the status says what kind it is."""
        return {"title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}

    def response(self) -> Response:
        """Return the answer."""
        return Response(json.dumps(self.to_dict()), self.status, self.headers, media_type=MEDIA_TYPE)


def busy(seconds: float, detail: str = "the queue is full") -> ProblemError:
    """Return what is said where there is no room now."""
    return ProblemError(503, detail, reason="queue_full", headers={"Retry-After": str(max(1, round(seconds)))})


def add_handlers(app: FastAPI) -> None:
    """Let every error of an application be a problem."""

    async def own(request: Request, problem: Exception) -> Response:
        assert isinstance(problem, ProblemError)
        request.scope["problem"] = problem.reason
        return problem.response()

    async def bad_option(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return await own(request, ProblemError(422, option_sentence(error.errors()), reason="option"))

    async def other(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        details = {404: f"there is nothing at {request.url.path}", 405: f"{request.method} is not answered here"}
        detail = details.get(error.status_code, str(error.detail))
        return ProblemError(error.status_code, detail, reason="path", headers=error.headers).response()

    async def gone(request: Request, _error: Exception) -> Response:
        request.scope["problem"] = "gone"
        return Response(status_code=400)  # nobody reads it

    async def unexpected(_request: Request, error: Exception) -> Response:
        log.error("%s", first_line(error), exc_info=error)
        detail = "this should not have happened; the server's log says what did"
        return ProblemError(500, detail, reason="unexpected").response()

    app.add_exception_handler(Exception, unexpected)
    app.add_exception_handler(ProblemError, own)
    app.add_exception_handler(RequestValidationError, bad_option)
    app.add_exception_handler(HTTPException, other)
    app.add_exception_handler(ClientDisconnect, gone)


def option_sentence(errors: Any) -> str:
    """Return one sentence about the first option that is wrong, which names it.

    >>> option_sentence([{"loc": ("query", "conf"), "type": "less_than_equal", "msg": "Input should be at most 1"}])
    'conf: input should be at most 1'
    """
    first = errors[0]
    name = next((str(part) for part in first["loc"][1:]), "the query")
    if first["type"] == "extra_forbidden":
        return f"{name}: no such option"
    told = str(first["msg"])
    return f"{name}: {told[:1].lower()}{told[1:]}"
