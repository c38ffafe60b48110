"""Pages of a product, on an origin of their own, as they would hold the widget."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[str, str]  # the kind of content, and the content


class Host:
    """A little web server. What it answers by path is set by the test: text, or what makes it for each request."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.answers: dict[str, Any] = {}
        self.headers: dict[str, str] = {}
        self.over = threading.Event()

    def page(self, body: str, path: str = "/") -> str:
        self.answers[path] = ("text/html; charset=utf-8", f"<!doctype html><html lang=en><title>A product</title><meta charset=utf-8>{body}")
        return self.base + path

    def script(self, code: str, path: str = "/app.js") -> None:
        self.answers[path] = ("text/javascript; charset=utf-8", code)


@contextmanager
def serving(port: int) -> Iterator[Host]:
    host = Host(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = host.answers.get(self.path.partition("?")[0])
            kind, content = answer() if callable(answer) else answer or ("text/plain", "")
            self.send_response(200 if answer else 404)
            for name, value in {"Content-Type": kind, "Cache-Control": "no-store", **host.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content.encode())
            if kind == "text/event-stream":  # as through a proxy that holds back what is said
                self.wfile.flush()
                host.over.wait()

        def log_message(self, *about: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield host
    host.over.set()
    server.shutdown()
    server.server_close()
