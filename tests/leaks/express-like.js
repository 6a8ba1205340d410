'use strict'; // Requests that are kept with their sockets.
const http = require('http');
const { LruCache, Session } = require('./lib/caches');
const sessions = new LruCache(1500);
const slowRequests = []; // @holder slowRequests
const server = http.createServer((req, res) => { slowRequests.push({ req, at: new Date() }); res.end('ok'); });
const ready = new Promise((r) => server.listen(0, '127.0.0.1', r));
exports.perRound = 200;
exports.work = async (i) => { await ready; for (let n=0;n<8;n++) sessions.set(i*8+n, new Session(i*8+n));
  await new Promise((r, f) => http.get({ port: server.address().port, path: `/a/${i}`, agent: false }, (res) => { res.resume(); res.on('end', r); }).on('error', f)); };
