#!/usr/bin/env bash
# What C++ needs to be compiled against the onnxruntime of .venv: headers and library in .onnxruntime.
# The Python package has the library without headers. They are those of libonnxruntime-dev: as it is
# installed, else as the distribution has it, else as a newer Debian has it. The library may be newer
# than the headers, since its C interface only grows. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

target=.onnxruntime
header=onnxruntime_cxx_api.h
package=libonnxruntime-dev
newer=trixie

library=$(.venv/bin/python -c 'import importlib.util, pathlib
package = pathlib.Path(importlib.util.find_spec("onnxruntime").origin).parent
print(next((package / "capi").glob("libonnxruntime.so.*")))')
mkdir -p "$target/lib"
for name in libonnxruntime.so libonnxruntime.so.1; do
  ln -sfn "$library" "$target/lib/$name"
done

# Copies the headers that are below a folder, whole or not at all.
take() {
  local found
  found=$(find "$1" -name "$header" -print -quit 2>/dev/null)
  [ -n "$found" ] || return 1
  rm -rf "$target/include.partial" "$target/include"
  cp -r "$(dirname "$found")" "$target/include.partial"
  mv "$target/include.partial" "$target/include"
}

# Fetches the package of a suite of the distribution that this machine has sources of.
fetch() {
  local folder=$1/$2 file
  mkdir -p "$folder/sources" "$folder/lists/partial" "$folder/cache/archives/partial"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if grep -qsw "$VERSION_CODENAME" "$file"; then
      sed "s/\b$VERSION_CODENAME\b/$2/g" "$file" >"$folder/sources/$(basename "$file")"
    fi
  done
  local options=(-q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$folder/sources"
    -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update || true # a source that another suite lacks is no matter
  (cd "$folder" && apt-get "${options[@]}" download "$package" && dpkg -x "$package"_*.deb .)
}

[ -e "$target/include/$header" ] && exit
for place in "$(pkg-config --variable=includedir libonnxruntime 2>/dev/null || true)" \
  /usr/include/onnxruntime /usr/local/include/onnxruntime; do
  [ -n "$place" ] && take "$place" && exit
done

VERSION_CODENAME=
# shellcheck source=/dev/null
[ -r /etc/os-release ] && . /etc/os-release
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
if command -v apt-get >/dev/null && [ -n "$VERSION_CODENAME" ]; then
  for suite in "$VERSION_CODENAME" "$newer"; do
    fetch "$temporary" "$suite" >"$temporary/log" 2>&1 && take "$temporary/$suite" && exit
  done
fi
[ -e "$temporary/log" ] && tail -n 3 "$temporary/log" >&2
echo "scripts/onnxruntime.sh: no headers of onnxruntime: install $package, or its headers in $PWD/$target/include" >&2
exit 1
