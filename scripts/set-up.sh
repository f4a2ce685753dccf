#!/bin/sh
# Make .venv, with Trueup in it: `.` as it runs, '.[dev]' with everything that its tests use. `make` runs this when needed.
set -eu

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Trueup needs Python 3.11 or newer, and there is none here. On Debian: apt-get install python3" >&2
    exit 1
}

# Debian keeps in a package of its own what a virtual environment is made with.
provide_venv() {
    if "$1" -c 'import ensurepip, venv' 2>/dev/null; then
        return
    fi
    package=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package."
        apt-get update -qq
        apt-get install -y -qq "$package"
    else
        echo "Python cannot make virtual environments here. On Debian: sudo apt-get install $package" >&2
        exit 1
    fi
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    provide_venv "$python"
    "$python" -m venv --clear .venv
fi
echo "Installing Trueup in .venv; the first time this takes a minute or two."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable "${1:-.[dev]}"
