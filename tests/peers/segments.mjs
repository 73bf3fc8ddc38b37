// How many segments Twilio's calculator counts. stdin: a JSON list of texts; stdout: one
// [encoding, count] for each.
import { readFileSync } from 'node:fs';
import calculator from 'sms-segments-calculator';

const { SegmentedMessage } = calculator;
const counted = JSON.parse(readFileSync(0, 'utf8')).map((text) => {
  const message = new SegmentedMessage(text);
  return [message.encodingName, message.segmentsCount];
});
process.stdout.write(JSON.stringify(counted));
