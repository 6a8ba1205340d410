'use strict';

const outbox = [];
let sent = 0;

setInterval(() => {
  outbox.push({ to: `customer-${sent}`, subject: 'Your order', at: Date.now() });
  while (outbox.length > 0) {
    outbox.shift();
    sent += 1;
  }
}, 500);
setInterval(() => console.log(`sent ${sent} mails, ${outbox.length} waiting`), 10000);

process.once('SIGTERM', () => process.exit(0));
