#!/usr/bin/env bash
# A server of XRootD for tests, in .xrootd: the one that is installed, else that of the distribution's
# packages, unpacked. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

target=.xrootd
exec 9<scripts
flock 9 # several tests may ask at once
[ -x "$target/xrootd" ] && exit
if command -v xrootd >/dev/null; then
  mkdir -p "$target"
  ln -sfn "$(command -v xrootd)" "$target/xrootd"
  exit
fi

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
mkdir -p "$temporary"/{lists/partial,cache/archives/partial,unpacked}
options=(-q -o "Dir::State::lists=$temporary/lists" -o "Dir::Cache=$temporary/cache"
  -o APT::Sandbox::User=root -o Debug::NoLocking=1)

# Fetches the server, and what of its libraries this machine lacks.
fetch() {
  local packages
  apt-get "${options[@]}" update || true # a source that cannot be had is no matter
  packages=$(apt-get "${options[@]}" install --simulate --no-install-recommends \
    xrootd-server xrootd-server-plugins xrootd-plugins | awk '/^Inst / { print $2 }')
  [ -n "$packages" ] || return 1
  # shellcheck disable=SC2086
  (cd "$temporary" && apt-get "${options[@]}" download $packages)
  for package in "$temporary"/*.deb; do
    dpkg -x "$package" "$temporary/unpacked"
  done
}

if command -v apt-get >/dev/null && fetch >"$temporary/log" 2>&1; then
  cat >"$temporary/unpacked/xrootd" <<'END'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")
LD_LIBRARY_PATH=$(find "$root/usr/lib" "$root/lib" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd:)
export LD_LIBRARY_PATH
exec "$root/usr/bin/xrootd" "$@"
END
  chmod +x "$temporary/unpacked/xrootd"
  rm -rf "$target"
  mv "$temporary/unpacked" "$target"
  exit
fi
[ -e "$temporary/log" ] && tail -n 3 "$temporary/log" >&2
echo "scripts/xrootd.sh: no server of XRootD: install xrootd-server, or put it in PATH" >&2
exit 1
