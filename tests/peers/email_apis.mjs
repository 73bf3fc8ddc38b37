// The same email, sent by the providers' own libraries to a local server.
// stdin: {"url", "sdk", "email"}; what they send is seen there.
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';

const { url, sdk, email } = JSON.parse(readFileSync(0, 'utf8'));
const address = ({ name, email: bare }) => (name ? `"${name}" <${bare}>` : bare);
const addresses = (list) => list.map(address);

const send = {
  async sendgrid() {
    const { default: mail } = await import('@sendgrid/mail');
    mail.setApiKey('SG.test');
    mail.client.setDefaultRequest('baseUrl', url);
    await mail.send({
      from: email.from,
      to: email.to,
      cc: email.cc,
      bcc: email.bcc,
      replyToList: email.reply_to,
      subject: email.subject,
      text: email.text,
      html: email.html,
      headers: email.headers,
      categories: email.tags,
      customArgs: email.metadata,
      trackingSettings: {
        openTracking: { enable: email.track_opens },
        clickTracking: { enable: email.track_clicks, enableText: email.track_clicks },
        subscriptionTracking: { enable: false },
      },
      attachments: email.files.map((file) => ({
        content: file.content,
        filename: file.filename,
        type: file.type,
        disposition: file.cid ? 'inline' : 'attachment',
        // contentId would leave as it stands, and SendGrid reads content_id only
        ...(file.cid && { content_id: file.cid }),
      })),
    });
  },

  async mailgun() {
    const { default: Mailgun } = await import('mailgun.js');
    const client = new Mailgun(FormData).client({ username: 'api', key: 'key-test', url });
    const file = ({ content, filename, type, cid }) => ({
      data: Buffer.from(content, 'base64'),
      filename: cid || filename,
      contentType: type,
    });
    await client.messages.create('mg.example.com', {
      from: address(email.from),
      to: addresses(email.to),
      cc: addresses(email.cc),
      bcc: addresses(email.bcc),
      subject: email.subject,
      text: email.text,
      html: email.html,
      'h:Reply-To': addresses(email.reply_to).join(', '),
      ...Object.fromEntries(Object.entries(email.headers).map(([n, v]) => [`h:${n}`, v])),
      'o:tag': email.tags,
      ...Object.fromEntries(Object.entries(email.metadata).map(([n, v]) => [`v:${n}`, v])),
      'o:tracking-opens': email.track_opens ? 'yes' : 'no',
      'o:tracking-clicks': email.track_clicks ? 'yes' : 'no',
      attachment: email.files.filter(({ cid }) => !cid).map(file),
      inline: email.files.filter(({ cid }) => cid).map(file),
    });
  },

  async resend() {
    process.env.RESEND_BASE_URL = url;
    const { Resend } = await import('resend');
    const { error } = await new Resend('re_test').emails.send(
      {
        from: address(email.from),
        to: addresses(email.to),
        cc: addresses(email.cc),
        bcc: addresses(email.bcc),
        replyTo: addresses(email.reply_to),
        subject: email.subject,
        text: email.text,
        html: email.html,
        headers: email.headers,
        tags: Object.entries(email.metadata).map(([name, value]) => ({ name, value })),
        attachments: email.files.map((file) => ({
          content: file.content,
          filename: file.filename,
          contentType: file.type,
          ...(file.cid && { contentId: file.cid }),
        })),
      },
      { idempotencyKey: email.key },
    );
    if (error) throw new Error(JSON.stringify(error));
  },
};

await send[sdk]();
