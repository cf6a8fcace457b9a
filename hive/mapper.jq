# hive's environment variables into the config of a genesis file in geth's format.
#   jq -f mapper.jq /genesis.json

def given: if . == null or . == "" then null else . end;
def number: given | if . == null then null elif startswith("0x") then error("decimal expected, got \(.)") else tonumber end;
def flag: given | if . == null then null else . == "1" or . == "true" end;

# A fork's blob limits, if all three are set.
def blobs($fork):
  { target: env["HIVE_\($fork)_BLOB_TARGET"] | number,
    max: env["HIVE_\($fork)_BLOB_MAX"] | number,
    baseFeeUpdateFraction: env["HIVE_\($fork)_BLOB_BASE_FEE_UPDATE_FRACTION"] | number }
  | if any(.[]; . == null) then null else . end;

. + {
  config: ({
    chainId: (env.HIVE_CHAIN_ID | number // 1),
    ethash: {},
    homesteadBlock: env.HIVE_FORK_HOMESTEAD | number,
    daoForkBlock: env.HIVE_FORK_DAO_BLOCK | number,
    daoForkSupport: (if (env.HIVE_FORK_DAO_BLOCK | given) == null then null else (env.HIVE_FORK_DAO_VOTE | flag // false) end),
    eip150Block: env.HIVE_FORK_TANGERINE | number,
    eip155Block: env.HIVE_FORK_SPURIOUS | number,
    eip158Block: env.HIVE_FORK_SPURIOUS | number,
    byzantiumBlock: env.HIVE_FORK_BYZANTIUM | number,
    constantinopleBlock: env.HIVE_FORK_CONSTANTINOPLE | number,
    petersburgBlock: env.HIVE_FORK_PETERSBURG | number,
    istanbulBlock: env.HIVE_FORK_ISTANBUL | number,
    muirGlacierBlock: (env.HIVE_FORK_MUIR_GLACIER // env.HIVE_FORK_MUIRGLACIER) | number,
    berlinBlock: env.HIVE_FORK_BERLIN | number,
    londonBlock: env.HIVE_FORK_LONDON | number,
    arrowGlacierBlock: env.HIVE_FORK_ARROW_GLACIER | number,
    grayGlacierBlock: env.HIVE_FORK_GRAY_GLACIER | number,
    mergeNetsplitBlock: env.HIVE_MERGE_BLOCK_ID | number,
    terminalTotalDifficulty: env.HIVE_TERMINAL_TOTAL_DIFFICULTY | number,
    terminalTotalDifficultyPassed: (if (env.HIVE_TERMINAL_TOTAL_DIFFICULTY | given) == null then null else true end),
    shanghaiTime: env.HIVE_SHANGHAI_TIMESTAMP | number,
    cancunTime: env.HIVE_CANCUN_TIMESTAMP | number,
    pragueTime: env.HIVE_PRAGUE_TIMESTAMP | number,
    osakaTime: env.HIVE_OSAKA_TIMESTAMP | number,
    bpo1Time: env.HIVE_BPO1_TIMESTAMP | number,
    bpo2Time: env.HIVE_BPO2_TIMESTAMP | number,
    bpo3Time: env.HIVE_BPO3_TIMESTAMP | number,
    bpo4Time: env.HIVE_BPO4_TIMESTAMP | number,
    bpo5Time: env.HIVE_BPO5_TIMESTAMP | number,
    amsterdamTime: env.HIVE_AMSTERDAM_TIMESTAMP | number,
    depositContractAddress: env.HIVE_DEPOSIT_CONTRACT_ADDRESS | given,
    blobSchedule: ({
      cancun: (blobs("CANCUN") // { target: 3, max: 6, baseFeeUpdateFraction: 3338477 }),
      prague: (blobs("PRAGUE") // { target: 6, max: 9, baseFeeUpdateFraction: 5007716 }),
      osaka: blobs("OSAKA"),
      bpo1: blobs("BPO1"),
      bpo2: blobs("BPO2"),
      bpo3: blobs("BPO3"),
      bpo4: blobs("BPO4"),
      bpo5: blobs("BPO5"),
      amsterdam: blobs("AMSTERDAM")
    } | with_entries(select(.value != null)))
  } | with_entries(select(.value != null)))
}
