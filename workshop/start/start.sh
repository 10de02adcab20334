#!/bin/sh
# Starts the course on Linux and macOS. If something fails, this window stays open, so that you can read why.

failed() {
    [ -t 0 ] && printf '\nPress Enter to close this window. ' && read -r _
    exit 1
}

cd "$(dirname "$0")" || failed
if [ ! -f lab.py ]; then
    echo "This file needs the files beside it. Unpack the whole zip, and start this file in the new folder."
    failed
fi
for python in python3 python3.15 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2> /dev/null; then
        "$python" lab.py "$@" || failed
        exit
    fi
done
# An older Python: lab.py says what it can do.
if python3 -c "" 2> /dev/null; then
    python3 lab.py "$@" || failed
    exit
fi
echo "There is no Python here. You need Python 3.11 or newer."
echo 'If your instructor has put it into the folder "installers", open that file.'
echo "If not, get it from https://www.python.org/downloads/"
echo "Then start this file again."
failed
