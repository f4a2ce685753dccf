"""What every answer of the pages tells a browser not to do."""

from typing import Final

# Nothing is loaded from elsewhere, and nothing that stands in a page itself runs: no script, no style.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "no-store",
}
_ONLY_SECURE: Final = {"strict-transport-security": "max-age=31536000"}


def headers_of(public_url: str) -> dict[str, str]:
    """The headers of every answer.

    Args:
        public_url: Where the world reaches this server, '' where the setting is not set.
    """
    return {**HEADERS, **(_ONLY_SECURE if public_url.startswith("https://") else {})}
