#!/usr/bin/env bash
# The one build script behind dfx.json, icp.yaml and people: builds the front end and both
# canisters into target/salus/canisters, and hands the named one to the tool that asked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

name=${1:?usage: scripts/build-canister.sh vault|website}
case "$name" in
  vault) ;;
  website) cargo xtask build frontend ;;
  *) echo "no canister called $name" >&2; exit 2 ;;
esac
cargo xtask build canisters

# icp says where it wants the Wasm; dfx reads the path named in dfx.json.
if [ -n "${ICP_WASM_OUTPUT_PATH:-}" ]; then
  cp "target/salus/canisters/$name.wasm.gz" "$ICP_WASM_OUTPUT_PATH"
fi
