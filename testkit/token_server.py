"""A small OpenID Connect provider for tests: client credentials in, signed tokens out, and the key that proves them."""

import base64
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://issuer.test"
AUDIENCE = "kafka"


class TokenServer:
    """Serves `/token` (RFC 6749, section 4.4) and `/keys` (RFC 7517); a context manager.

    Args:
        subject: Whom tokens are for: the principal that the broker sees.
        lifetime_seconds: How long a token holds.

    Attributes:
        client_id: The client's name.
        client_secret: Its secret.
        issued: Tokens given out.
        refused: Requests with other credentials.
    """

    def __init__(self, subject: str, lifetime_seconds: int) -> None:
        self.client_id, self.client_secret = "worker-1", secrets.token_hex(16)
        self.issued = self.refused = 0
        self._subject = subject
        self._lifetime_seconds = lifetime_seconds
        self._key = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, {"keys": [owner._key.as_dict(private=False)]})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._answer(*owner._token(self.headers.get("Authorization", "")))

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.token_url, self.keys_url = f"{address}/token", f"{address}/keys"

    def _token(self, authorization: str) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if authorization != f"Basic {expected}":
            self.refused += 1
            return 401, {"error": "invalid_client", "error_description": "no such client"}
        self.issued += 1
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": self._subject,
            "iat": now,
            "exp": now + self._lifetime_seconds,
            "jti": secrets.token_hex(8),
        }
        token = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self._key)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self._lifetime_seconds}

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
