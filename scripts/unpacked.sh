# Sourced: programs of the distribution's packages, unpacked into a folder, with nothing installed.

# unpack TARGET PACKAGE...: makes TARGET of the packages, and of their libraries that this machine lacks.
unpack() {
  local target=$1
  shift
  command -v apt-get >/dev/null || return 1
  temporary=$(mktemp -d)
  trap 'rm -rf "$temporary"' EXIT
  if ! _fetch "$@" >"$temporary/log" 2>&1; then
    tail -n 3 "$temporary/log" >&2
    return 1
  fi
  rm -rf "$target"
  mv "$temporary/unpacked" "$target"
}

_fetch() {
  local packages package options
  mkdir -p "$temporary"/{lists/partial,cache/archives/partial,unpacked}
  options=(-q -o "Dir::State::lists=$temporary/lists" -o "Dir::Cache=$temporary/cache"
    -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  apt-get "${options[@]}" update || true # a source that cannot be had is no matter
  packages=$(apt-get "${options[@]}" install --simulate --no-install-recommends "$@" |
    awk '/^Inst / { print $2 }')
  [ -n "$packages" ] || return 1
  # shellcheck disable=SC2086
  (cd "$temporary" && apt-get "${options[@]}" download $packages) || return 1
  for package in "$temporary"/*.deb; do
    dpkg -x "$package" "$temporary/unpacked" || return 1
  done
}

# starter PROGRAM: prints a script that starts a program of what was unpacked into the script's own
# folder, with the libraries there.
starter() {
  cat <<END
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")
LD_LIBRARY_PATH=\$(find "\$root/usr/lib" "\$root/lib" -name '*.so*' -printf '%h\\n' 2>/dev/null | sort -u | paste -sd:)
export LD_LIBRARY_PATH
exec "\$root/$1" "\$@"
END
}
