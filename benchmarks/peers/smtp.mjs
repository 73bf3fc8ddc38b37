// nodemailer's pool. The first line has the ready message, base64; then each asks for a round:
// `count` messages to `port` over `connections`, answered by messages a second and CPU
// microseconds a message. A pool is kept from round to round.
import { createInterface } from "node:readline";
import nodemailer from "nodemailer";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { message, sender, recipient } = JSON.parse((await lines.next()).value);
const raw = Buffer.from(message, "base64");
const pools = new Map();

function pool(port, connections) {
  if (!pools.has(port)) {
    const options = { pool: true, host: "127.0.0.1", port, ignoreTLS: true };
    const limits = { maxConnections: connections, maxMessages: Infinity };
    pools.set(port, nodemailer.createTransport({ ...options, ...limits }));
  }
  return pools.get(port);
}

async function round({ port, connections, count }) {
  const transport = pool(port, connections);
  const mails = Array.from({ length: count }, () => ({ envelope: { from: sender, to: [recipient] }, raw }));
  const before = process.cpuUsage();
  const started = performance.now();
  await Promise.all(mails.map((mail) => transport.sendMail(mail)));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { per_s: count / seconds, cpu_us: (user + system) / count };
}

for await (const line of lines) {
  process.stdout.write(`${JSON.stringify(await round(JSON.parse(line)))}\n`);
}
for (const transport of pools.values()) transport.close();
