// verify.mjs DIR: has @ethereumjs/vm execute the chain in DIR (genesis.json, chain.rlp, bals.rlp) and check every block:
// transactions root, receipts root, bloom, gas, state root, requests hash, and the list that it recorded itself against the
// list file and the header. Ends with 1 at the first block that it finds invalid, naming it.
import path from 'node:path'
import * as U from '@ethereumjs/util'
import { Chain, rlpItems } from './chain.mjs'

const dir = process.argv[2]
const chain = await Chain.fromGenesisFile(path.join(dir, 'genesis.json'))
const lists = rlpItems(path.join(dir, 'bals.rlp'))
let root = await chain.state.getStateRoot()
const seen = { blocks: 0, transactions: 0, gas: 0n, lists: 0, types: {} }
for (const bytes of rlpItems(path.join(dir, 'chain.rlp'))) {
  const block = chain.decode(bytes)
  const { number } = block.header
  try {
    const list = block.common.isActivatedEIP(7928) ? lists.shift() : undefined
    const result = await chain.run(block, root, list === undefined ? {} : { blockAccessList: list })
    if (list !== undefined) checkList(result.blockLevelAccessList, list, block.header)
    equal('state root', result.stateRoot, block.header.stateRoot)
    equal('receipts root', result.receiptsRoot, block.header.receiptTrie)
    equal('bloom', result.logsBloom, block.header.logsBloom)
    if (result.gasUsed !== block.header.gasUsed) throw Error(`gas ${result.gasUsed}, header ${block.header.gasUsed}`)
    seen.lists += list === undefined ? 0 : 1
  } catch (error) {
    console.error(`block ${number}: ${error.message}`)
    process.exit(1)
  }
  chain.append(block)
  root = block.header.stateRoot
  seen.blocks += 1
  seen.gas += block.header.gasUsed
  seen.transactions += block.transactions.length
  for (const { type } of block.transactions) seen.types[type] = (seen.types[type] ?? 0) + 1
}
if (lists.length > 0) {
  console.error(`${lists.length} lists too many`)
  process.exit(1)
}
const types = Object.entries(seen.types).map(([type, count]) => `${count} of type ${type}`).join(', ')
console.log(`${seen.blocks} blocks valid, ${seen.lists} lists equal, ${seen.gas} gas, ${seen.transactions} transactions (${types})`)

function checkList(own, bytes, header) {
  if (own === undefined) throw Error('no list was recorded')
  equal('list', own.serialize(), bytes)
  equal('list hash', own.hash(), header.blockAccessListHash)
}

function equal(what, own, expected) {
  if (!U.equalsBytes(own, expected)) throw Error(`${what} ${U.bytesToHex(own).slice(0, 66)}, expected ${U.bytesToHex(expected).slice(0, 66)}`)
}
