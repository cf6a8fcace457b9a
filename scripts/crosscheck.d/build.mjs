// build.mjs DIR OUT: has @ethereumjs/vm build a chain of its own on the genesis block of DIR, out of the transactions of the
// chain in DIR: another fee recipient, randao, extra data and slot, so every block and every state differs. Fees, blob gas,
// gas, roots, requests and lists are those that it computes. Writes genesis.json, chain.rlp and bals.rlp to OUT.
import fs from 'node:fs'
import path from 'node:path'
import * as B from '@ethereumjs/block'
import * as U from '@ethereumjs/util'
import { Chain, rlpItems } from './chain.mjs'

const [dir, out] = process.argv.slice(2)
fs.mkdirSync(out, { recursive: true })
fs.copyFileSync(path.join(dir, 'genesis.json'), path.join(out, 'genesis.json'))
const chain = await Chain.fromGenesisFile(path.join(dir, 'genesis.json'))
const templates = rlpItems(path.join(dir, 'chain.rlp')).map((bytes) => chain.decode(bytes))
let parent = await genesisBlock(templates[0])
let root = parent.header.stateRoot
const built = { blocks: [], lists: [], transactions: 0, gas: 0n }
for (const template of templates) {
  const result = await chain.run(unexecuted(template, parent), root, { generate: true, skipBlockValidation: true })
  const block = executed(template, parent, result)
  chain.append(block)
  built.blocks.push(block.serialize())
  built.lists.push(result.blockLevelAccessList.serialize())
  built.transactions += block.transactions.length
  built.gas += block.header.gasUsed
  parent = block
  root = result.stateRoot
}
fs.writeFileSync(path.join(out, 'chain.rlp'), Buffer.concat(built.blocks))
fs.writeFileSync(path.join(out, 'bals.rlp'), Buffer.concat(built.lists))
fs.writeFileSync(path.join(out, 'head'), `${U.bytesToHex(parent.hash())}\n`)
console.log(`${built.blocks.length} blocks built, ${built.transactions} transactions, ${built.gas} gas`)

/** The genesis block's header, whose hash must be what the first block names as its parent. */
async function genesisBlock(first) {
  const genesis = JSON.parse(fs.readFileSync(path.join(dir, 'genesis.json'), 'utf8'))
  const none = new Uint8Array()
  const header = {
    number: 0, timestamp: BigInt(genesis.timestamp), gasLimit: BigInt(genesis.gasLimit), extraData: genesis.extraData,
    difficulty: 0, nonce: U.setLengthLeft(U.hexToBytes(genesis.nonce ?? '0x00'), 8), mixHash: genesis.mixHash,
    coinbase: genesis.coinbase, baseFeePerGas: BigInt(genesis.baseFeePerGas), stateRoot: await chain.state.getStateRoot(),
    withdrawalsRoot: U.KECCAK256_RLP, parentBeaconBlockRoot: new Uint8Array(32), blobGasUsed: 0, excessBlobGas: 0,
    requestsHash: U.hexToBytes('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'),
    blockAccessListHash: U.hexToBytes('0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'), slotNumber: 0,
  }
  const options = { common: chain.rules(header.timestamp), setHardfork: false, skipConsensusFormatValidation: true }
  const block = B.createBlock({ header, withdrawals: [] }, options)
  if (!U.equalsBytes(block.hash(), first.header.parentHash)) {
    throw Error(`genesis is ${U.bytesToHex(block.hash())}, the first block names ${U.bytesToHex(first.header.parentHash)}`)
  }
  chain.append(block)
  return block
}

/** What is known of a header before execution. */
function open(template, parent) {
  const { header } = template
  const blobGasUsed = template.transactions.reduce((sum, { blobVersionedHashes }) => sum + (blobVersionedHashes?.length ?? 0), 0)
  return {
    number: header.number, timestamp: header.timestamp, gasLimit: header.gasLimit, difficulty: 0,
    parentHash: parent.hash(), coinbase: `0x${'c0ffee'.padStart(40, '0')}`, extraData: U.utf8ToBytes('crosscheck'),
    mixHash: U.setLengthLeft(U.bigIntToBytes(header.number * 7919n), 32), slotNumber: header.slotNumber + 3n,
    parentBeaconBlockRoot: U.setLengthLeft(U.bigIntToBytes(header.number + 1000n), 32),
    baseFeePerGas: parent.header.calcNextBaseFee(), blobGasUsed: BigInt(blobGasUsed) * 131072n,
    excessBlobGas: parent.header.calcNextExcessBlobGas(template.common), withdrawalsRoot: header.withdrawalsRoot,
    transactionsTrie: header.transactionsTrie,
  }
}

function unexecuted(template, parent) {
  const { transactions, withdrawals, common } = template
  return B.createBlock({ header: open(template, parent), transactions, withdrawals }, { common, setHardfork: false })
}

function executed(template, parent, result) {
  const { transactions, withdrawals, common } = template
  const header = {
    ...open(template, parent), stateRoot: result.stateRoot, receiptTrie: result.receiptsRoot, logsBloom: result.logsBloom,
    gasUsed: result.gasUsed, requestsHash: result.requestsHash, blockAccessListHash: result.blockLevelAccessList.hash(),
  }
  return B.createBlock({ header, transactions, withdrawals }, { common, setHardfork: false })
}
