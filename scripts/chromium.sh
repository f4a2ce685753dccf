#!/bin/sh
# See that there is a Chromium, in which the pages are tested and their pictures are taken. `make test` runs this.
# Where none can be had, the other tests run all the same.
set -eu

has_chromium() {
    [ -n "${TRUEUP_CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v google-chrome >/dev/null \
        || .venv/bin/python -c 'import pathlib, sys; from playwright.sync_api import sync_playwright as p
with p() as started: sys.exit(not pathlib.Path(started.chromium.executable_path).exists())' 2>/dev/null
}

install_chromium() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing chromium, in which the pages are tested."
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
    else
        .venv/bin/playwright install chromium
    fi
}

if ! has_chromium && ! install_chromium; then
    echo "There is no Chromium, so the tests in a browser are left out. On Debian: sudo apt-get install chromium" >&2
fi
