// @parse/node-apn sends the notes it is given on stdin; prints what became of each as JSON.
// A note without a token makes a channel of broadcasts, and one with a channelId goes there.
import { readFileSync } from 'node:fs'
import apn from '@parse/node-apn'

const { port, key, keyId, teamId, ca, topic, notes } = JSON.parse(readFileSync(0, 'utf8'))
const provider = new apn.Provider({
  token: { key: Buffer.from(key), keyId, teamId },
  address: 'localhost',
  port,
  manageChannelsAddress: 'localhost',
  manageChannelsPort: port,
  ca: Buffer.from(ca),
  clientCount: 1,
})
const results = await Promise.all(
  notes.map(async ({ token, channelId, id, pushType, priority, collapseId, expiry, aps, payload }) => {
    const note = new apn.Notification({ topic: token && topic, pushType, priority, payload })
    Object.assign(note, { id, collapseId, expiry, channelId })
    Object.assign(note.aps, aps)
    const { sent, failed } = token
      ? await provider.send(note, token)
      : channelId
        ? await provider.broadcast(note, topic)
        : await provider.manageChannels(note, topic, 'create')
    return sent.length ? { status: 200 } : { status: failed[0].status, response: failed[0].response }
  }),
)
process.stdout.write(JSON.stringify(results), () => process.exit(0))
