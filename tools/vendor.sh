#!/usr/bin/env bash
# Fetch the third-party files of assets/ from the npm registry: the dashboard must work without a network.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unpack() { npm pack --silent "$1" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz && mv package "$2"; }

unpack bootstrap@5.3.6 bootstrap
unpack @fontsource-variable/inter@5.2.8 inter
unpack bootstrap-icons@1.13.1 icons

# Dash loads style sheets in the order of their names.
sed '/sourceMappingURL/d' bootstrap/dist/css/bootstrap.min.css > "$root/assets/10-bootstrap.min.css"
cp bootstrap/LICENSE "$root/assets/vendor/bootstrap.LICENSE.txt"
cp inter/files/inter-latin-wght-normal.woff2 "$root/assets/vendor/inter-latin.woff2"
cp inter/files/inter-latin-ext-wght-normal.woff2 "$root/assets/vendor/inter-latin-ext.woff2"
cp inter/LICENSE "$root/assets/vendor/inter.LICENSE.txt"
for name in arrow-left x-lg search link-45deg circle-half grid-3x3 question-circle chevron-left chevron-right chevron-up chevron-down; do
  cp "icons/icons/$name.svg" "$root/assets/vendor/icon-$name.svg"
done
cp icons/LICENSE "$root/assets/vendor/bootstrap-icons.LICENSE.txt"
