// What npm's standardwebhooks makes of a signed request.
// stdin: {"secret", "headers", "body"}; stdout: {"good": the payload, "forged": whether another passes}.
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const { secret, headers, body } = JSON.parse(readFileSync(0, 'utf8'));
const webhook = new Webhook(secret);
const passes = (text) => {
  try {
    return Boolean(webhook.verify(text, headers));
  } catch {
    return false;
  }
};
const good = webhook.verify(body, headers);
process.stdout.write(JSON.stringify({ good, forged: passes(`${body} `) }));
