#!/bin/sh
# Brings the ONNX project's own test models, as Debian packages them (libonnx-testdata, Apache-2.0, 20 MB), into a cache
# directory and prints the folder that holds them. Needs apt-get and dpkg-deb, but no root: nothing is installed.
# Usage: test/slow/fetch-onnx-testdata.sh [CACHE_DIR]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${1:-$root/.skein/test-cache}/libonnx-testdata
data=$cache/package/usr/share/libonnx-testdata/data

if [ ! -d "$data" ]; then
  mkdir -p "$cache"
  cd "$cache"
  rm -rf unpacking ./*.deb
  # A machine that never ran `apt-get update` knows no packages yet; apt says so, and then the next line may need root.
  apt-get download libonnx-testdata >&2 || { apt-get update >&2 && apt-get download libonnx-testdata >&2; }
  dpkg-deb -x libonnx-testdata_*.deb unpacking
  rm -f ./*.deb
  mv unpacking package # a rename: an interrupted run leaves nothing that looks complete
fi
printf '%s\n' "$data"
