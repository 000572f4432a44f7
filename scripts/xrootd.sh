#!/usr/bin/env bash
# A server of XRootD for tests, in .xrootd: the one that is installed, else that of the distribution's
# packages, unpacked. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/unpacked.sh
. scripts/unpacked.sh

target=.xrootd
exec 9<scripts
flock 9 # several tests may ask at once
[ -x "$target/xrootd" ] && exit
if command -v xrootd >/dev/null; then
  mkdir -p "$target"
  ln -sfn "$(command -v xrootd)" "$target/xrootd"
  exit
fi
if unpack "$target" xrootd-server xrootd-server-plugins xrootd-plugins; then
  starter usr/bin/xrootd >"$target/xrootd"
  chmod +x "$target/xrootd"
  exit
fi
echo "scripts/xrootd.sh: no server of XRootD: install xrootd-server, or put it in PATH" >&2
exit 1
