#!/bin/sh
# start-triton.sh HTTP_PORT GRPC_PORT METRICS_PORT REPOSITORY [more tritonserver flags]
# Runs a real Triton in the foreground on loopback: the one inside the PyPI package nvidia-pytriton, with its python
# backend. It is installed once, into $SKEIN_PEERS (default ~/.cache/skein-peers). Needs python3 and its venv module.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${SKEIN_PEERS:-$HOME/.cache/skein-peers}
http=$1 grpc=$2 metrics=$3 repository=$4
shift 4

requirements=$here/triton-requirements.txt
home=$cache/triton-$(cksum <"$requirements" | cut -d' ' -f1)
venv=$home/venv

install() {
  rm -rf "$home/venv" "$home/backends"
  python3 -m venv "$venv"
  # Without its dependencies: the server alone is wanted, and they are ten times its size.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
  packages=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  version=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  server=$packages/pytriton/tritonserver
  mkdir "$home/backends"
  cp -r "$server/backends/python" "$home/backends/python"
  install_stub "$server/python_backend_stubs/$version/triton_python_backend_stub"
  chmod +x "$server/bin/tritonserver"
}

# The stub that runs the models ignores PYTHONPATH, but finds what lies beside it.
install_stub() {
  cp "$1" "$home/backends/python/"
  chmod 755 "$home/backends/python/triton_python_backend_stub"
  for package in numpy numpy.libs; do ln -sfn "$packages/$package" "$home/backends/python/$package"; done
}

mkdir -p "$home"
(
  flock 9 # two test runs may start at once
  [ -f "$home/complete" ] || { install >&2 && touch "$home/complete"; }
) 9>"$home/lock"

packages=$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
libraries=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
export LD_LIBRARY_PATH="$libraries:$packages/nvidia_pytriton.libs" OMP_NUM_THREADS=1
exec "$packages/pytriton/tritonserver/bin/tritonserver" \
  --model-repository="$repository" --backend-directory="$home/backends" \
  --cache-directory="$packages/pytriton/tritonserver/caches" --allow-gpu-metrics=false --exit-on-error=false \
  --http-address=127.0.0.1 --grpc-address=127.0.0.1 --metrics-address=127.0.0.1 \
  --http-port="$http" --grpc-port="$grpc" --metrics-port="$metrics" "$@"
