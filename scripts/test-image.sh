#!/bin/sh
# Makes the image the tests run in, `clauderon-test:latest`, without any image registry:
# a minimal Debian from the distribution's own archive, imported as one layer.
# Does nothing where the image is already there. Starts dockerd where none answers and we may.
set -eu

image=${CLAUDERON_TEST_IMAGE:-clauderon-test:latest}
suite=${CLAUDERON_TEST_SUITE:-bookworm}
packages=bash,curl,git,ca-certificates,procps,jq,python3-minimal

say() { printf '%s\n' "test-image: $*" >&2; }

engine_answers() { docker version >/dev/null 2>&1; }

start_engine() {
    if [ "$(id -u)" -ne 0 ] || ! command -v dockerd >/dev/null 2>&1; then
        say "no Docker Engine answers; start it, or add yourself to its group"
        exit 1
    fi
    log=${TMPDIR:-/tmp}/clauderon-dockerd.log
    say "starting dockerd (log: $log)"
    setsid dockerd >"$log" 2>&1 </dev/null &
    tries=0
    until engine_answers; do
        tries=$((tries + 1))
        if [ "$tries" -gt 120 ]; then
            say "dockerd did not answer within a minute; its log is $log"
            exit 1
        fi
        sleep 0.5
    done
}

engine_answers || start_engine
if docker image inspect "$image" >/dev/null 2>&1; then
    exit 0
fi
if ! command -v debootstrap >/dev/null 2>&1; then
    say "debootstrap is missing; install it with: apt-get install debootstrap"
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    say "making the image needs root (debootstrap); run this once with sudo"
    exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
say "making $image from Debian $suite (about a minute)"
if ! debootstrap --variant=minbase --include="$packages" "$suite" "$folder/root" >"$folder/log" 2>&1; then
    tail -n 20 "$folder/log" >&2
    say "debootstrap failed"
    exit 1
fi
rm -rf "$folder"/root/var/cache/apt/* "$folder"/root/var/lib/apt/lists/*
tar -C "$folder/root" -c . | docker import - "$image" >/dev/null
say "made $image"
