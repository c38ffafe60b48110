"""The other side of the network: remembers under which key each row came, and how often, and takes a moment to answer."""

import json
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TAKES = 0.002  # seconds


class Sink(ThreadingHTTPServer):
    """On a port of loopback of its own."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.came: defaultdict[int, list[str]] = defaultdict(list)  # row -> the key of each request
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that was killed hears no answer; that is the point."""


class Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["row"]
        with self.server.lock:
            self.server.came[row].append(self.headers["Idempotency-Key"])
        time.sleep(TAKES)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to say."""
