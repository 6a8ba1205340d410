'use strict';
// Connections are remembered when they open and not forgotten when they close.
const net = require('net');
const { LruCache, RenderedPage } = require('./lib/caches');

class Gateway {
  constructor() { // @holder clients
    this.clients = new Map(); // @holder clients
    this.server = net.createServer((socket) => {
      this.clients.set(`client-${this.clients.size}`, { socket, greeting: `hello ${this.clients.size} `.repeat(10) });
      socket.on('error', () => {});
      socket.end('bye');
    });
  }
}
const gateway = new Gateway();
const pages = new LruCache(1200);
const listening = new Promise((resolve) => gateway.server.listen(0, '127.0.0.1', resolve));

exports.perRound = 300;
exports.work = async (i) => {
  await listening;
  for (let n = 0; n < 5; n++) pages.set(i * 5 + n, new RenderedPage(i * 5 + n));
  await new Promise((resolve) => {
    const socket = net.connect(gateway.server.address().port, '127.0.0.1');
    socket.on('error', resolve);
    socket.on('close', resolve);
    socket.resume();
  });
};
