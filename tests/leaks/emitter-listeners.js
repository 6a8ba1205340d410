'use strict';
// Every request subscribes to a shared bus and never leaves.
const { EventEmitter } = require('events');
const { LruCache, RenderedPage } = require('./lib/caches');

const configBus = new EventEmitter(); // @holder configBus
configBus.setMaxListeners(0);
const pages = new LruCache(1200);

class RequestHandler {
  constructor(i) {
    this.body = `request body ${i} `.repeat(8);
    this.flags = {};
    configBus.on('reload', (flags) => { // @holder configBus
      this.flags = flags;
    });
  }
}

exports.work = (i) => {
  const handler = new RequestHandler(i);
  pages.set(i, new RenderedPage(handler.body.length + i));
};
