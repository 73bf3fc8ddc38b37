// A plugin of Haraka that takes every message, and writes it as a line of base64 into a file.
/* global OK */
const { appendFileSync } = require('node:fs');

exports.hook_rcpt = (next) => next(OK);

exports.hook_queue = (next, connection) => {
  connection.transaction.message_stream.get_data((data) => {
    appendFileSync(process.env.TAKEN, `${data.toString('base64')}\n`);
    next(OK);
  });
};
