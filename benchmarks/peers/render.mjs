// Runs what it is asked for, a JSON line in, a JSON line out: `make` gives the output of one
// order as base64, `batch` the CPU microseconds per message of some.
import { createInterface } from "node:readline";
import handlebars from "handlebars";
import nodemailer from "nodemailer";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const setup = JSON.parse((await lines.next()).value);
const { html, text, subject, orders, domainName, keySelector, privateKey, date } = setup;

const dollars = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
handlebars.registerHelper("money", (value) => dollars.format(value));
handlebars.registerHelper("total", (line) => dollars.format(line.quantity * line.price));
handlebars.registerHelper("encode", (value) => encodeURIComponent(value));
handlebars.registerHelper("above", (left, right) => left > right);
handlebars.registerHelper("even", (index) => index % 2 === 1);

const body = handlebars.compile(html);
const plain = handlebars.compile(text, { noEscape: true });
const title = handlebars.compile(subject, { noEscape: true });
const transport = nodemailer.createTransport({
  streamTransport: true,
  buffer: true,
  newline: "windows",
  dkim: { domainName, keySelector, privateKey },
});

async function send(key, to, subject, html, text) {
  const from = { name: "Bob's Shop", address: `orders@${domainName}` };
  const messageId = `<${key}@${domainName}>`;
  const sent = await transport.sendMail({ from, to, subject, html, text, date, messageId });
  return sent.message;
}

const render = ({ context }) => body(context);
const parts = (order) => [title(order.context), body(order.context), plain(order.context)];
const mail = ({ key, context }, parts) => send(key, context.user.email, ...parts);
const cases = {
  handlebars: { prepare: (order) => order, run: render },
  nodemailer: { prepare: (order) => [order, parts(order)], run: ([order, parts]) => mail(order, parts) },
  both: { prepare: (order) => order, run: (order) => mail(order, parts(order)) },
};

let next = 0;

async function batch({ prepare, run }, calls) {
  const ready = [];
  for (let call = 0; call < calls; call += 1) ready.push(prepare(orders[next++ % orders.length]));
  const started = process.cpuUsage();
  for (const each of ready) await run(each);
  const { user, system } = process.cpuUsage(started);
  return (user + system) / calls;
}

async function answer({ make, name, calls }) {
  if (!make) return batch(cases[name], calls);
  const made = await cases[name].run(cases[name].prepare(make));
  return Buffer.from(made).toString("base64");
}

for await (const line of lines) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
}
