// @parse/node-apn sends so many pushes, so many in flight, and prints what it cost as JSON.
import { readFileSync } from 'node:fs'
import apn from '@parse/node-apn'

const job = JSON.parse(process.argv[2])
const TITLE = 'Hello'
const BODY = 'x'.repeat(150)
const hex = (number, digits) => number.toString(16).padStart(digits, '0')

const provider = new apn.Provider({
  token: { key: readFileSync(`${job.folder}/apns.p8`), keyId: 'ABC123DEFG', teamId: 'DEF123GHIJ' },
  address: 'localhost',
  port: job.port,
  ca: readFileSync(`${job.folder}/ca.pem`),
  rejectUnauthorized: false,
  clientCount: 1,
  requestTimeout: 5000,
})

const notes = Array.from({ length: job.count + 1 }, (_, number) => {
  const note = new apn.Notification({
    alert: { title: TITLE, body: BODY },
    badge: 1,
    sound: 'default',
    topic: 'com.example.shop',
    priority: 10,
    pushType: 'alert',
    payload: { vd_v: '1', vd_id: `key-${number}` },
  })
  note.id = `00000000-0000-4000-8000-${hex(number, 12)}`
  return note
})

let accepted = 0
let next = 1
const send = async number => (await provider.send(notes[number], hex(number * 7919, 64))).sent.length
const worker = async () => {
  while (next <= job.count) {
    const taken = await send(next++) // not added at once: others add while this one waits
    accepted += taken
  }
}

await send(0)
const started = process.hrtime.bigint()
const cpu = process.cpuUsage()
await Promise.all(Array.from({ length: job.flight }, worker))
const used = process.cpuUsage(cpu)
const seconds = Number(process.hrtime.bigint() - started) / 1e9
const result = {
  per_s: job.count / seconds,
  cpu_us: (used.user + used.system) / job.count,
  accepted,
}
process.stdout.write(JSON.stringify(result), () => process.exit(0))
