"""A bare server to measure the real one against: two Starlette routes that answer the same and store nothing.

It runs in the same way as `trueup serve` does, on one process.
"""

import argparse

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from trueup.live.asgi import SAFE_HEADERS, Endpoint
from trueup.live.processes import free_address, serve
from trueup.settings import Settings

CLICK_ID = "c01k5irhhto6ls5oht0kncq6a6f5tq7"
TARGET = f"https://offer.example/landing?s={CLICK_ID}&c=zone7"
ANSWER = f"ok created {CLICK_ID}-1\n"
COOKIE = f"trueup_click={CLICK_ID}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
HEADERS = {name.decode(): value.decode() for name, value in SAFE_HEADERS}


def application() -> Endpoint:
    async def redirect(_request: Request) -> Response:
        return RedirectResponse(TARGET, 302, {**HEADERS, "set-cookie": COOKIE})

    async def postback(_request: Request) -> Response:
        return PlainTextResponse(ANSWER, headers=HEADERS)

    return Starlette(routes=[Route("/c/{slug}", redirect), Route("/postback", postback, methods=["GET", "POST"])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8081)
    address, port = free_address("127.0.0.1", parser.parse_args().port)
    print(f"http://{address}:{port}", flush=True)
    serve(application, Settings(), address, port, lambda *_ended: None, lambda: None)


if __name__ == "__main__":
    main()
