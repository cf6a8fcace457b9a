#!/usr/bin/env bash
# Prints the node's enode URL: hive asks for it to connect others to this one.
set -euo pipefail
address=${HIVE_RPC_ADDRESS:-127.0.0.1:8545}
curl --silent --fail --max-time 10 --header 'content-type: application/json' \
  --data '{"jsonrpc":"2.0","id":1,"method":"admin_nodeInfo","params":[]}' "http://$address" | jq --raw-output --exit-status '.result.enode'
