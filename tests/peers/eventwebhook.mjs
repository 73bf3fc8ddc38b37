// What SendGrid's own library makes of signed webhooks.
// stdin: [{key, body, signature, timestamp}]; stdout: [true or false]
import { readFileSync } from 'node:fs';
import sendgrid from '@sendgrid/eventwebhook';

const webhook = new sendgrid.EventWebhook();
const verdicts = JSON.parse(readFileSync(0, 'utf8')).map(({ key, body, signature, timestamp }) => {
  const publicKey = webhook.convertPublicKeyToECDSA(key);
  return webhook.verifySignature(publicKey, body, signature, timestamp);
});
process.stdout.write(JSON.stringify(verdicts));
