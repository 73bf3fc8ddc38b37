// What mailauth makes of signed messages.
// stdin: {"zone": {name: TXT}, "messages": [base64]}; stdout: [[verdict of each signature]]
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';

const { zone, messages } = JSON.parse(readFileSync(0, 'utf8'));

async function resolver(name, type) {
  const text = type === 'TXT' && zone[name.toLowerCase().replace(/\.$/, '')];
  if (!text) {
    throw Object.assign(new Error(`no ${type} at ${name}`), { code: 'ENOTFOUND' });
  }
  return [[text]];
}

const verdicts = [];
for (const message of messages) {
  const { results } = await dkimVerify(Buffer.from(message, 'base64'), { resolver });
  verdicts.push(results.map((result) => result.status.result));
}
console.log(JSON.stringify(verdicts));
