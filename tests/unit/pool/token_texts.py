"""IDTOKENs with any claims, without a valid signature."""

import base64
import json


def encoded(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def token_text(claims: object, signature: str = "c2lnbmF0dXJlLW9mLW5vYm9keQ") -> str:
    return ".".join([encoded({"alg": "HS256", "kid": "POOL"}), encoded(claims), signature])
