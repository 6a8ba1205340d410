'use strict';

const fs = require('fs');
const http = require('http');

const LOG = process.env.ACCESS_LOG || '/var/log/app/access.log';
const sessions = new Map();
const MAX_SESSIONS = 1000;
let served = 0;

function session(id) {
  const found = sessions.get(id) || { id, since: Date.now(), basket: [] };
  sessions.delete(id);
  sessions.set(id, found);
  if (sessions.size > MAX_SESSIONS) sessions.delete(sessions.keys().next().value);
  return found;
}

http
  .createServer((request, response) => {
    served += 1;
    session(`s-${served % 1500}`);
    response.end(JSON.stringify({ served, sessions: sessions.size }));
  })
  .listen(3000, () => console.log('storefront listening on port 3000'));

// Visitors of the demo's shop.
setInterval(() => {
  for (let i = 0; i < 20; i += 1) session(`s-${(served += 1) % 1500}`);
  try {
    fs.writeFileSync(LOG, `${new Date().toISOString()} GET / 200\n`);
  } catch {
    // The log volume is the sidecar's business.
  }
}, 1000);
setInterval(() => console.log(`served ${served} requests, ${sessions.size} sessions`), 10000);

process.once('SIGTERM', () => process.exit(0));
