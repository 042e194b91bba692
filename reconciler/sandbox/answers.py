"""The forms that the sandbox's answers take: JSON below `/api`, pages everywhere else."""

from collections.abc import Mapping

from starlette.responses import HTMLResponse, Response

from reconciler.sandbox.settings import BASE_PATH
from reconciler.sandbox.store import encode

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Agent Builder</title></head>
<body><h1>Agent Builder</h1><p>This is a page. The API is below <code>/api</code>.</p></body>
</html>
"""


def in_api(path: str) -> bool:
    """Tell whether a path belongs to the API."""
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def json_answer(text: str, status: int = 200) -> Response:
    """Return an answer with a JSON text."""
    return Response(text, status, media_type="application/json")


def error_answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the API's error envelope."""
    response = json_answer(encode({"error": message}), status)
    response.headers.update(headers or {})
    return response


def page_answer(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the web application's page."""
    return HTMLResponse(_PAGE, status, headers)
