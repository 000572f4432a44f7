#!/usr/bin/env bash
# A server of PostgreSQL for tests, its programs in .postgresql: those that are installed, else those of
# the distribution's package, unpacked. Nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/unpacked.sh
. scripts/unpacked.sh

target=.postgresql
exec 9<scripts
flock 9 # several tests may ask at once
[ -x "$target/postgres" ] && exit
programs="initdb postgres"

# Debian has them in PATH in none of its packages.
for folder in "$(dirname "$(command -v initdb || echo /none/initdb)")" /usr/lib/postgresql/*/bin; do
  if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
    mkdir -p "$target"
    for program in $programs; do
      ln -sfn "$folder/$program" "$target/$program"
    done
    exit
  fi
done
if unpack "$target" postgresql; then
  folder=$(cd "$target" && echo usr/lib/postgresql/*/bin)
  for program in $programs; do
    starter "$folder/$program" >"$target/$program"
    chmod +x "$target/$program"
  done
  exit
fi
echo "scripts/postgresql.sh: no server of PostgreSQL: install postgresql" >&2
exit 1
