#!/usr/bin/env bash
# Starts balsa as hive wants it: genesis and chains from files of fixed names, settings from HIVE_ variables.
#
#   /genesis.json, /mapper.jq   the genesis block, and how to read hive's variables into its config
#   /chain.rlp                  blocks to import; a bad one ends the file, and the node starts on the last valid one
#   /blocks/*.rlp               blocks to import one by one, in the order of their names; bad ones are passed over
#
# HIVE_ROOT puts another folder before these names, for trying this out without a container.
set -uo pipefail
root=${HIVE_ROOT:-}
balsa=${BALSA:-balsa}
address=${HIVE_ADDRESS:-0.0.0.0}
data=$root/data
flags=(--datadir "$data" --network "$root/genesis.mapped.json")

case ${HIVE_LOGLEVEL:-3} in
  0) level=off ;;
  1) level=error ;;
  2) level=warn ;;
  3) level=info ;;
  4) level=debug ;;
  *) level=trace ;;
esac
flags+=(--log.level "$level" --log.color never)

jq -f "$root/mapper.jq" "$root/genesis.json" > "$root/genesis.mapped.json" || exit 1
"$balsa" "${flags[@]}" init "$root/genesis.mapped.json" || exit 1

if [ -f "$root/chain.rlp" ]; then
  "$balsa" "${flags[@]}" import "$root/chain.rlp" || echo "chain.rlp was not imported to its end" >&2
fi
if [ -d "$root/blocks" ]; then
  # Every file by itself: the blocks after a bad one may build on its parent.
  for block in "$root"/blocks/*.rlp; do
    [ -f "$block" ] || continue
    "$balsa" "${flags[@]}" import "$block" || echo "$block was not imported" >&2
  done
fi

node=(--http.addr "$address" --http.port "${HIVE_HTTP_PORT:-8545}" --http.api admin,debug,eth,net,testing,txpool,web3
  --ws.enabled --ws.addr "$address" --ws.port "${HIVE_WS_PORT:-8546}" --ws.api admin,debug,eth,net,testing,txpool,web3)
[ -z "${HIVE_BOOTNODE:-}" ] || node+=(--bootnodes "$HIVE_BOOTNODE")
[ -z "${HIVE_NETWORK_ID:-}" ] || node+=(--networkid "$HIVE_NETWORK_ID")
[ -z "${HIVE_ALLOW_UNPROTECTED_TX:-}" ] || node+=(--rpc.allow-unprotected-txs)
[ -z "${HIVE_TARGET_GAS_LIMIT:-}" ] || node+=(--builder.gas-limit "$HIVE_TARGET_GAS_LIMIT")
case ${HIVE_NODETYPE:-} in
  snap) node+=(--syncmode snap) ;;
  *) node+=(--syncmode full) ;;
esac
if [ -n "${HIVE_TERMINAL_TOTAL_DIFFICULTY:-}" ]; then
  # The secret that hive's consensus simulators sign with.
  printf '0x7365637265747365637265747365637265747365637265747365637265747365' > "$root/jwtsecret"
  node+=(--authrpc.addr "$address" --authrpc.port "${HIVE_AUTHRPC_PORT:-8551}" --authrpc.jwtsecret "$root/jwtsecret")
fi
exec "$balsa" node "${flags[@]}" "${node[@]}"
